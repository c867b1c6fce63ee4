"""The fact `cgo`: what packages with C code ask of the link."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from linkpipe.arrays.columns import table
from linkpipe.values import Shown, Value, record


@record
class DynamicImport(Value):
    """Where a symbol comes from.

    Attributes:
        name: what it is called there.
        library: the shared library, "" for any.
        version: the version of the symbol, "" for none.
    """

    name: str
    library: str
    version: str


@table
class CgoFacts(Shown):
    """Attributes:
    ldflags: flags for the host linker, in order.
    libraries: shared libraries to load for their own sake.
    imports: symbol -> where it comes from.
    interpreter: the dynamic linker that the program names, "" when none does.
    dynamic: whether anything is imported from a shared library.
    exports: symbols that shared libraries may look up, in order, each with the file that says so.
    lacking: why the C compiler's library was not looked into for what C objects need, for
        messages; "" when it was, or was not needed.
    elf_flags: the flags of the ELF header that C objects ask for; None: the architecture's.
    """

    ldflags: tuple[str, ...]
    libraries: tuple[str, ...]
    imports: Mapping[int, DynamicImport]
    interpreter: str
    dynamic: bool
    exports: Mapping[int, str] = MappingProxyType({})
    lacking: str = ""
    elf_flags: int | None = None
