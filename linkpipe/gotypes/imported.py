"""Types that lie in shared libraries of Go: what they contain, and where their pointers are.

Their descriptors are read from the library. What one refers to is said by the library's dynamic
relocations, by name; its pointer mask lies where the descriptor's own bytes say.
Source: cmd/link/internal/ld/decodesym.go:215-300 (decodetypeGcmask, decodeTargetSym).
"""

from __future__ import annotations

from collections.abc import Sequence

from linkpipe.errors import InputError
from linkpipe.formats.sharedlib import SharedLibrary
from linkpipe.gotypes.layout import TypeLayout
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Symbols

_REMEDY = "build the library and what is linked against it from one source"


class ImportedTypes:
    """Reads types that are imports of the link."""

    def __init__(
        self, symbols: Symbols, libraries: Sequence[SharedLibrary], layout: TypeLayout
    ) -> None:
        self._symbols, self._libraries, self._layout = symbols, libraries, layout

    def has(self, sym: int) -> bool:
        """Whether a type is one of these."""
        return bool(self._symbols.kind[sym] == SymKind.SDYNIMPORT)

    def word(self, sym: int, at: int, size: int) -> int:
        """The number of so many bytes there. Raises InputError where the type ends before."""
        data = self._symbols.data(sym)
        if at + size > len(data):
            raise self._wrong(
                sym, "type data is cut short", f"at least {at + size} bytes", f"{len(data)} bytes"
            )
        return int.from_bytes(data[at : at + size], self._layout.byteorder)

    def part(self, sym: int, at: int) -> int:
        """The type to which this one refers there."""
        name = self._symbols.name_bytes(sym)
        for library in self._libraries:
            row = library.by_name.get(name)
            if row is None:
                continue
            target = library.target(int(library.symbols.value[row]) + at)
            if target is None:
                raise self._wrong(sym, f"can't find relocation at offset {at}")
            found = self._symbols.lookup(target)
            if not found:
                wanted = target.decode("utf-8", "replace")
                raise self._wrong(sym, f"can't find target of relocation at offset {at}: {wanted}")
            return found
        raise self._wrong(sym, "the type is in no shared library")

    def mask(self, sym: int, count: int) -> bytes:
        """The pointer mask of a type, for so many words."""
        name = self._symbols.name_bytes(sym)
        for library in reversed(self._libraries):
            row = library.by_name.get(name)
            if row is not None and library.symbols.section[row]:
                address = self.word(sym, self._layout.gcdata, self._layout.ptrsize)
                what = f"the gcmask for {self._symbols.name(sym)}"
                return library.at(address, (count + 7) // 8, what)
        raise self._wrong(sym, "cannot find gcmask")

    def _wrong(self, sym: int, message: str, expected: str = "", found: str = "") -> InputError:
        return InputError(
            message,
            symbol=self._symbols.name(sym),
            expected=expected,
            found=found,
            remedy=_REMEDY,
            status=2,
        )
