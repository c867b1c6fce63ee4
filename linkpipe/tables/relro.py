"""What becomes read-only after relocation: the decision, as a value."""

from __future__ import annotations

from collections.abc import Mapping

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I32
from linkpipe.values import Shown


@table
class Relro(Shown):
    """Whether data with addresses in it is parted from data without.

    Attributes:
        active: whether it is.
        reason: why, or why not.
        segment: the segment of the sections concerned ("relro", or the one of read-only data).
        prefix: what their names start with.
        rwx: their permission bits; writable where the dynamic linker has to write to them.
        groups: for each sort of data concerned (section name without the prefix; "" for other
            read-only data) how many symbols it has.
        moved: int32[k], read-only symbols that are there only because they hold addresses.
    """

    active: bool
    reason: str
    segment: str
    prefix: str
    rwx: int
    groups: Mapping[str, int]
    moved: I32
