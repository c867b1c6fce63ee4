"""What is decided about the ELF file before anything is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from linkpipe.symkind import SymKind
from linkpipe.values import Value, record


@record
class ElfPrep(Value):
    """Notes of an ELF file, and symbols that relocations and tables refer to.

    Attributes:
        build_note: NT_GNU_BUILD_ID (flag -B), empty for none.
        go_note: the Go build id (flag -buildid), empty for none.
        unreachable_method: what weak references to functions that are not linked point to.
        got: the global offset table's symbol.
        exported: what shared libraries may look up -> its kind and the bytes of its content before
            the link made any tables; those are what .dynsym tells of it.
    """

    build_note: bytes
    go_note: bytes
    unreachable_method: int
    got: int
    exported: Mapping[int, tuple[SymKind, int]] = MappingProxyType({})
