"""The fact `dwarf_gathered`: what debug information there is, before a symbol is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkpipe.arrays.columns import table
from linkpipe.values import Shown

if TYPE_CHECKING:
    from linkpipe.debuginfo.mentions import Mentions, Units, Variables
    from linkpipe.debuginfo.typedies import TypeParts


@table
class Gathered(Shown):
    """What objects say for debuggers.

    Attributes:
        units: objects, and their functions.
        mentions: what entries of functions and constants mention.
        variables: entries of global variables.
        types: the types that are mentioned, and all that they are made of.
    """

    units: Units
    mentions: Mentions
    variables: Variables
    types: TypeParts
