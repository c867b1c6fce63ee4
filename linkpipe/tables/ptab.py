"""The fact `ptab`: what a plugin tells the runtime about itself."""

from __future__ import annotations

from linkpipe.tables.words import Word
from linkpipe.values import Value, record


@record
class Export(Value):
    """An exported function or variable.

    Attributes:
        name: as plugin.Lookup takes it.
        type: the symbol of its type, of a variable's pointer.
    """

    name: str
    type: str


@record
class Ptab(Value):
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
