"""The fact `ptab`: what a plugin tells the runtime about itself."""

from __future__ import annotations

import attrs

from linkpipe.tables.words import Word


@attrs.frozen
class Export:
    """An exported function or variable: its name and the symbol of its type (of a variable's
    pointer)."""

    name: str
    type: str


@attrs.frozen
class Ptab:
    """Attributes:
    exports: in the order of the table.
    table: the slice header of the table (``go:plugin.tabs``).
    path: the string header of the plugin's path.
    hashes: the slice header of the packages that it was linked with.
    """

    exports: tuple[Export, ...]
    table: tuple[Word, ...]
    path: tuple[Word, ...]
    hashes: tuple[Word, ...]
