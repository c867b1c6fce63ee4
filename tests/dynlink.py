"""Links made by hand that shared libraries take part in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.passes.elfprep import elfprep
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import CgoFacts, DynamicImport
from tests.tiny import INTERNAL, Tiny

DYNAMIC = attrs.evolve(INTERNAL, dynamic=True)


class Importing(Tiny):
    """A link in which functions and data refer to what shared libraries define."""

    def __init__(self, arch: Architecture = ARCH, **flags: Any) -> None:
        super().__init__(DYNAMIC, arch, **flags)
        self.imports: dict[int, DynamicImport] = {}
        self.exports: dict[int, str] = {}

    def imported(self, name: str, library: str = "", version: str = "") -> int:
        """A symbol that a shared library defines; the program calls it "its.NAME"."""
        sym = self.symbol(f"its.{name}", kind=SymKind.SDYNIMPORT)
        self.symbols.set_extname(sym, name.encode())
        self.imports[sym] = DynamicImport(name, library, version)
        return sym

    def function(self, name: str, relocs: Mapping[int, int], type_: int, **fields: Any) -> int:
        """A function with relocations of a type: offset -> target."""
        sym = self.symbol(name, kind=SymKind.STEXT, content=bytes(64))
        for offset, target in relocs.items():
            self.reloc(sym, type_, target, offset=offset, **fields)
        self.text.append(sym)
        return sym

    def prepared(self, libraries: tuple[str, ...] = ()) -> Link:
        """The link before dynreloc."""
        facts = CgoFacts((), libraries, self.imports, "", dynamic=True, exports=self.exports)
        link = elfprep(self.link().evolve(cgo=facts))
        groups = np.zeros(len(link.symbols), np.uint8)
        groups.setflags(write=False)
        return link.evolve(section_groups=groups)
