"""Links of a handful of symbols, made by hand, for tests of single passes."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Any

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.engine.context import Link
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.flags.environ import capture
from linkpipe.flags.options import Options
from linkpipe.formats.arena import Arena, MappedFiles
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.release import ObjectFormat, Release
from linkpipe.symkind import SymKind
from linkpipe.tables.elfprep import ElfPrep
from linkpipe.tables.mode import Mode
from linkpipe.tables.names import Names
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.sections import Section, Sections, Segment
from linkpipe.tables.symbols import COLUMNS, Flag, Symbols

# What the pass linkmode decides: whether a host linker ends the link, whether C code takes part,
# whether plugins can be opened, whether other modules may join at run time.
INTERNAL = Mode(external=False, iscgo=False, can_use_plugins=False, dynlink=False)
EXTERNAL = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=False)
PLUGIN = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=True, plugins=True)


def architecture(goarch: str = "") -> Architecture:
    """An installed architecture by its GOARCH; this machine's when that is empty."""
    arch: Architecture = Catalog().load("arches", goarch or capture(os.environ).goarch)
    return arch


def release(name: str = "") -> Release:
    """An installed release of Go by its name ("1.27"); the newest one when that is empty."""
    return release_of(Catalog(), "", name)


def object_format(name: str = "", goarch: str = "") -> ObjectFormat:
    """How the objects of a release are read for an architecture, as ``release`` and
    ``architecture`` name them."""
    relocs = architecture(goarch).relocs
    return release(name).object_format({kind.name: number for number, kind in relocs.items()})


def no_symbols(arena: Arena | None = None) -> Symbols:
    """A symbol table with nothing but row 0."""
    columns: dict[str, Any] = {name: np.zeros(1, dtype) for name, dtype in COLUMNS.items()}
    columns["section"][0] = -1
    columns["name_at"][0] = -1
    columns["data_at"][0] = -1
    return Symbols(
        arena=arena or MappedFiles([1]).arena,
        made=1,
        **columns,
        contents=MappingProxyType({}),
        extnames=MappingProxyType({}),
        packages=MappingProxyType({}),
        by_name=Names.of([], []).group()[1],
        created=MappingProxyType({}),
        created_names=(b"",),
    )


def no_relocs() -> Relocs:
    """A relocation table without rows."""
    return Relocs.empty(1)


class Tiny:
    """Builds a link: sections of symbols with contents, and relocations between them.

        tiny = Tiny()
        f = tiny.symbol("main.f", kind=SymKind.STEXT, content=b"...")
        tiny.section(".text", 0x401000, [f])
        link = tiny.link()

    ``mode`` is one of INTERNAL, EXTERNAL and PLUGIN; ``arch`` this machine's architecture unless
    given; ``flags`` are those of the link. A reachable function has to be given a place.
    """

    def __init__(
        self, mode: Mode = INTERNAL, arch: Architecture | None = None, **flags: Any
    ) -> None:
        self.mode, self.arch = mode, arch or architecture()
        self.release = release()
        arch = self.arch
        self.options = Options(**{"E": "_rt0", **flags})
        self.symbols = no_symbols().edit()
        self.relocs = no_relocs().edit()
        self.sections: list[Section] = []
        self.text: list[int] = []
        self.got = self.symbol(".got", kind=SymKind.Sxxx, reachable=False)
        self.method = self.symbol(
            "runtime.unreachableMethod", arch.abi_internal, kind=SymKind.STEXT
        )
        self.tlsg = self.symbol("runtime.tlsg", kind=SymKind.STLSBSS, size=8)

    def symbol(
        self,
        name: str,
        version: int = 0,
        *,
        kind: SymKind = SymKind.SDATA,
        content: bytes | None = None,
        size: int = 0,
        reachable: bool = True,
        flags: int = 0,
    ) -> int:
        """A symbol; it has no place until it is put into a section."""
        sym = self.symbols.lookup_or_create(name, version)
        self.symbols.set(sym, kind=kind, size=size)
        self.symbols.add_flags(sym, flags | (Flag.REACHABLE if reachable else 0))
        if content is not None:
            self.symbols.set_content(sym, content)
        return sym

    def reloc(self, sym: int, type_: int, target: int, **fields: Any) -> None:
        """A relocation; 4 bytes at offset 0 unless said otherwise."""
        row = {"offset": 0, "size": 4, "type": type_, "target": target, **fields}
        self.relocs.add(sym, **row)

    def section(
        self, name: str, vaddr: int, syms: list[int], *, rwx: int = 6, zeros: bool = False
    ) -> int:
        """A section of these symbols, one after the other."""
        at, row = vaddr, len(self.sections)
        for sym in syms:
            self.symbols.set(sym, value=at, section=row)
            at += int(self.symbols.size[sym])
        if name == ".text":
            self.text += syms
        segment = "text" if name == ".text" or rwx == 4 else "data"
        ids = np.array(syms, np.int32)
        self.sections.append(Section(name, segment, rwx, ids, 16, vaddr, at - vaddr, zeros=zeros))
        return row

    def link(self) -> Link:
        """The link, laid out: each segment at its first section's address, in the next page."""
        segments, fileoff = [], self.arch.header_room
        for name, rwx in (("text", 5), ("data", 6)):
            rows = [i for i, s in enumerate(self.sections) if s.segment == name]
            if not rows:
                continue
            start = self.sections[rows[0]].vaddr
            end = max(self.sections[i].vaddr + self.sections[i].size for i in rows)
            stored = max(
                (s.vaddr + s.size for s in map(self.sections.__getitem__, rows) if not s.zeros),
                default=start,
            )
            segments.append(
                Segment(name, rwx, tuple(rows), start, end - start, fileoff, stored - start)
            )
            fileoff += -(-(stored - start) // 4096) * 4096
        segments.append(Segment("dwarf", 6, (), 0, 0, fileoff, 0))
        if self.method not in self.text:
            self.symbols.clear_flags(self.method, Flag.REACHABLE)
        text = np.array(self.text, np.int32)
        text.setflags(write=False)
        return Link(
            {
                "options": self.options,
                "arch": self.arch,
                "release": self.release,
                "mode": self.mode,
                "symbols": self.symbols.freeze(),
                "relocs": self.relocs.freeze(),
                "sections": Sections(tuple(self.sections), tuple(segments)),
                "text_order": text,
                "objects": PackageLoader(Places({}), "").freeze(None, object_format())[1],
                "elf": ElfPrep(b"", b"", self.method, self.got),
                "tlsg": self.tlsg,
            }
        )
