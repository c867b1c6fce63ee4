"""What there is to know of the shared libraries of Go that a link uses, or makes."""

from __future__ import annotations

from collections.abc import Mapping

from linkpipe.formats.sharedlib import SharedLibrary
from linkpipe.tables.words import Word
from linkpipe.values import Shown, Value, record


@record
class Shlibs(Shown):
    """The shared libraries that a link uses.

    Attributes:
        items: in the order in which packages name them, each once.
        types: the ELF type of each symbol that one of them names: symbol id -> STT_*.
    """

    items: tuple[SharedLibrary, ...]
    types: Mapping[int, int]


@record
class AbiHash(Value):
    """The hash over all packages of a shared library, by which programs know it again.

    Attributes:
        note: the symbol of the note's section.
        content: the symbol of the hash in it.
        at: bytes from the note's start to the hash.
    """

    note: int
    content: int
    at: int


@record
class ModuleHashes(Value):
    """What the module data says of the libraries that the module was linked against.

    Attributes:
        name: the string header of the module's own name.
        hashes: the slice header of the libraries' names and hashes.
    """

    name: tuple[Word, ...]
    hashes: tuple[Word, ...]
