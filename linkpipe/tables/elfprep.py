"""What is decided about the ELF file before anything is laid out."""

from __future__ import annotations

import attrs

from linkpipe.values import Value


@attrs.frozen(eq=False, repr=False)
class ElfPrep(Value):
    """Notes of an ELF file, and symbols that relocations and tables refer to.

    Attributes:
        build_note: NT_GNU_BUILD_ID (flag -B), empty for none.
        go_note: the Go build id (flag -buildid), empty for none.
        unreachable_method: what weak references to functions that are not linked point to.
        got: the global offset table's symbol.
    """

    build_note: bytes
    go_note: bytes
    unreachable_method: int
    got: int
