"""The layout of data by the sequential rules, one symbol after the other: what `relro`,
`datalayout` and `addresses` are held to.

Source: cmd/link/internal/ld/data.go (dodata, dodataSect, allocateDataSections, address, layout).
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import NamedTuple

import attrs

from linkpipe.engine.context import Link
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

K = SymKind


@attrs.define
class Sect:
    """A section being filled; ``at`` counts from the start of its run of sections."""

    name: str
    segment: str
    rwx: int
    align: int
    at: int
    size: int = 0
    vaddr: int = 0
    symbols: list[int] = attrs.field(factory=list)


class Layout(NamedTuple):
    """Sections in order of creation, addresses by symbol, and what the module data is told."""

    sections: list[Sect]
    value: dict[int, int]
    fields: dict[str, int]


def slow_layout(link: Link) -> Layout:
    """Lay out a link that has no sections but the text yet."""
    return _Slow(link).run()


def rnd(value: int, to: int) -> int:
    while to > 1 and value % to:
        value += 1
    return value


class _Slow:
    def __init__(self, link: Link) -> None:
        self.link, self.symbols = link, link.symbols
        self.align: dict[int, int] = {}
        self.data: dict[int, list[int]] = {int(kind): [] for kind in SymKind}
        self.sections: list[Sect] = []
        self.offset: dict[int, int] = {}
        self.fields: dict[str, int] = {}
        self.at = 0

    def size(self, sym: int) -> int:
        return int(self.symbols.size[sym])

    def symalign(self, sym: int) -> int:
        arch = self.link.arch
        if sym not in self.align:
            stated = int(self.symbols.align[sym])
            align = stated or arch.max_align
            while not stated and align > self.size(sym) and align > arch.min_align:
                align >>= 1
            self.align[sym] = max(align, arch.min_align)
        return self.align[sym]

    def run(self) -> Layout:
        link, symbols, groups = self.link, self.symbols, self.link.section_groups
        self.relro = link.options.buildmode in ("plugin", "pie")
        for sym in range(1, len(symbols)):
            flags = int(symbols.flags[sym])
            if not flags & Flag.REACHABLE or flags & Flag.SPECIAL or not symbols.name(sym):
                continue
            kind = int(groups[sym]) if sym < len(groups) else 0
            kind = kind or int(symbols.kind[sym])
            if self.relro and kind == K.SRODATA and link.relocs.rows_of(sym).stop:
                rows = link.relocs.rows_of(sym)
                kind = K.SRODATARELRO if rows.stop > rows.start else kind
            if K.STEXTEND < kind < K.SFirstUnallocated:
                self.data[kind].append(sym)
        for kind, syms in self.data.items():
            if kind == K.STYPE:
                self.types(syms)
            else:
                syms.sort(key=cmp_to_key(self.compare))
        self.writable()
        self.constant()
        return self.addresses()

    def compare(self, a: int, b: int) -> int:
        zerobase = self.symbols.lookup("runtime.zerobase")
        if a == b:
            return 0
        if a == zerobase:
            return -1 if self.size(b) else 1
        if b == zerobase:
            return 1 if self.size(a) else -1
        return -1 if (self.size(a), a) < (self.size(b), b) else 1

    def types(self, syms: list[int]) -> None:
        """Strings differ in these tests, so no order among equal ones is asked for."""
        carrier, ptrsize = self.symbols.lookup("type:*"), self.link.arch.ptrsize

        def key(sym: int) -> tuple[int, bytes, int, int]:
            flags = int(self.symbols.flags[sym])
            if sym == carrier:
                return 0, b"", 0, 0
            if flags & Flag.ITAB:
                return 3, b"", self.size(sym), sym
            if flags & Flag.TYPELINK:
                rows = self.link.relocs.rows_of(sym)
                name = bytes(self.symbols.data(int(self.link.relocs.target[rows][0])))
                return 1, name[2:], 0, 0
            return 2, b"", self.size(sym), sym

        syms.sort(key=key)
        end = ptrsize
        for want, field in ((1, "typedesclen"), (2, "itaboffset")):
            for sym in syms:
                if key(sym)[0] == want:
                    end = rnd(end, self.symalign(sym)) + self.size(sym)
            self.fields[field] = end
        itabs = [sym for sym in syms if key(sym)[0] == 3]
        if itabs:
            self.fields["itaboffset"] = rnd(end, self.symalign(itabs[0]))
        end = 0
        for sym in itabs:
            end = rnd(end, self.symalign(sym)) + self.size(sym)
        self.fields["itabsize"] = end

    def section(self, name: str, segment: str, rwx: int, align: int) -> Sect:
        self.at = rnd(self.at, align)
        self.sections.append(Sect(name, segment, rwx, align, self.at))
        return self.sections[-1]

    def put(self, sect: Sect, *kinds: int) -> Sect:
        for kind in kinds:
            for sym in self.data[kind]:
                self.at = rnd(self.at, self.symalign(sym))
                self.offset[sym] = self.at - sect.at
                self.at += self.size(sym)
                sect.symbols.append(sym)
        sect.size = self.at - sect.at
        return sect

    def most(self, *kinds: int) -> int:
        return max((self.symalign(sym) for kind in kinds for sym in self.data[kind]), default=0)

    def writable(self) -> None:
        def named(name: str, *kinds: int) -> None:
            self.put(self.section(name, "data", 6, self.most(kinds[0])), *kinds)

        if self.data[K.SMODULEDATA]:
            named(".go.module", K.SMODULEDATA)
        fips = (K.SNOPTRDATAFIPSSTART, K.SNOPTRDATAFIPS, K.SNOPTRDATAFIPSEND)
        named(".noptrdata", K.SNOPTRDATA, *fips, K.SNOPTRDATAEND)
        named(".data", K.SDATA, K.SDATAFIPSSTART, K.SDATAFIPS, K.SDATAFIPSEND, K.SDATAEND)
        named(".bss", K.SBSS)
        named(".noptrbss", K.SNOPTRBSS, K.SGCMASK, K.SCOVERAGE_COUNTER)
        if self.data[K.SLIBFUZZER_8BIT_COUNTER]:
            named(".go.fuzzcntrs", K.SLIBFUZZER_8BIT_COUNTER)
        self.at = 0

    def constant(self) -> None:
        external = self.link.mode.external
        segment = "text" if external else "rodata"
        kinds = (
            K.SSTRING,
            K.SGOSTRING,
            K.SGCBITS,
            K.SRODATA,
            K.SRODATAFIPSSTART,
            K.SRODATAFIPS,
            K.SRODATAFIPSEND,
            K.SRODATAEND,
        )
        least = self.link.arch.ptrsize  # as every section of more than one kind
        self.put(self.section(".rodata", segment, 4, max(least, self.most(*kinds))), *kinds)
        self.put(self.section(".gopclntab", segment, 4, self.most(K.SPCLNTAB)), K.SPCLNTAB)
        prefix, rwx = "", 4
        if self.relro:
            prefix, rwx = ".data.rel.ro", 6
            if not external:
                segment, self.at = "relro", 0
        if self.data[K.SRODATARELRO]:
            sect = self.section(prefix or ".rodata", segment, rwx, self.most(K.SRODATARELRO))
            self.put(sect, K.SRODATARELRO)
        sect = self.section(f"{prefix}.go.type", segment, rwx, self.most(K.STYPE))
        self.at += self.link.arch.ptrsize
        self.put(sect, K.STYPE)
        self.put(self.section(f"{prefix}.go.func", segment, rwx, self.most(K.SGOFUNC)), K.SGOFUNC)

    def addresses(self) -> Layout:
        arch, text = self.link.arch, self.link.sections[0]
        va = text.vaddr + text.size
        for segment in ("text", "rodata", "relro", "data"):
            sections = [sect for sect in self.sections if sect.segment == segment]
            if segment != "text" and sections:
                va = rnd(va, arch.round)
            start = va
            for sect in sections:
                if segment == "data":
                    va = start + sect.at
                va = sect.vaddr = va if segment == "data" else rnd(va, sect.align)
                va += sect.size
        value = {
            sym: sect.vaddr + self.offset[sym] for sect in self.sections for sym in sect.symbols
        }
        return Layout(self.sections, value, self.fields)
