"""dyntables: write the tables that the dynamic linker reads.

What dynreloc has found becomes bytes: names and symbols (.dynsym, .dynstr), an index to find them
by (.hash), the versions that libraries' symbols must have (.gnu.version, .gnu.version_r), the
entries through which functions are called and the slots that hold addresses (.plt, .got.plt, .got),
what to write into those slots and into data (.rela.plt, .rela; .rel where records have no addend),
and the list of all that (.dynamic).

Addresses are not known yet; they are relocations of the tables themselves.

Source: cmd/link/internal/ld/elf.go (doelf, elfdynhash, elfadddynsym), go.go (addexport, adddynlib),
ARCH/asm.go (elfsetupplt, addpltsym).
Reads `symbols`, `relocs`, `cgo`, `elf`, `dynamic`; provides `symbols`, `relocs`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arch import Stub
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.elf import (
    STB_GLOBAL,
    STT_FUNC,
    STT_OBJECT,
    reloc_dtype,
    reloc_info,
    symbol_dtype,
)
from linkpipe.formats.elfdynamic import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    Strings,
    Tag,
    Versions,
    hash_table,
)
from linkpipe.layout.datawords import write_words
from linkpipe.linkage import Linkage
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.dynamic import Dynamic
from linkpipe.tables.objects import RelocColumns
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag
from linkpipe.tables.words import Address, Word

_EXPORTED = Flag.CGO_EXPORT_STATIC | Flag.CGO_EXPORT_DYNAMIC


@linkpass(
    requires=("symbols", "relocs", "cgo", "elf", "dynamic"),
    provides=("symbols", "relocs"),
)
def dyntables(link: Link) -> Link:
    """Write the tables that the dynamic linker reads."""
    linkage = link.arch.linkage
    assert linkage is not None, "the pass cgo has refused the link"
    work = _Tables(link, linkage)
    work.names()
    work.procedures()
    work.slots_and_data()
    work.contents()
    relocs = work.relocs.freeze()
    return link.evolve(symbols=work.edit.freeze(), relocs=work.with_records(relocs))


class _Tables:
    """The tables of one link."""

    def __init__(self, link: Link, linkage: Linkage) -> None:
        self.link, self.linkage, self.arch = link, linkage, link.arch
        self.cls, self.endian = link.arch.elf_class, link.arch.endian
        self.dynamic: Dynamic = link.dynamic
        self.edit, self.relocs = link.symbols.edit(), link.relocs.edit()
        self.rel = ".rela" if link.arch.rela else ".rel"
        self.syms: list[int] = self.dynamic.symbols.tolist()
        self.number = {sym: at for at, sym in enumerate(self.syms, 1)}
        self.strings = Strings()
        self.needed: list[int] = []
        self.runpath = 0

    def sym(self, name: str) -> int:
        """The symbol that a table is the content of."""
        return self.link.symbols.lookup(name)

    def put(self, name: str, content: bytes) -> None:
        """Give a table its bytes."""
        self.edit.set_content(self.sym(name), content)

    def words(self, name: str, words: list[Word]) -> None:
        """Give a table its words."""
        write_words(self.edit, self.relocs, self.arch, self.sym(name), words)

    def names(self) -> None:
        """.dynsym, .dynstr, .hash, .gnu.version and .gnu.version_r."""
        symbols, options = self.link.symbols, self.link.options
        if options.r:
            self.runpath = self.strings.add(_encoded(options.r))
        name = self._names_in_order()
        dtype = symbol_dtype(self.cls, self.endian)
        out = np.zeros(1 + len(self.syms), dtype)
        ids = self.dynamic.symbols
        kind = symbols.kind[ids]
        here = kind != SymKind.SDYNIMPORT
        # What the link itself makes behind strdata has no size, as the oracle has it, nor has what
        # lies in a section of a C object; the section has.
        section = symbols.has(ids, Flag.OF_C) & ~symbols.has(ids, Flag.INTERIOR)
        size = np.where((symbols.object[ids] != 0) | section, symbols.data_size[ids], 0)
        got = self.number.get(self.sym(".got"))
        if got is not None:
            # What the table held when it was given a slot in itself.
            size[got - 1] = self.dynamic.offset[self.dynamic.symbol == got][0]
        for sym, noted in self.link.elf.exported.items():
            kind[self.number[sym] - 1], size[self.number[sym] - 1] = noted
        function = is_text(kind) & ((symbols.flags[ids] & _EXPORTED) != 0)
        out["name"][1:] = name
        out["info"][1:] = STB_GLOBAL << 4 | np.where(function, STT_FUNC, STT_OBJECT)
        # Any section that there is will do: it is not one that says "undefined".
        out["section"][1:] = here
        out["size"][1:] = size
        self.put(".dynsym", out.tobytes())
        assert dtype.fields is not None
        at = dtype.fields["value"][1]
        for row in np.flatnonzero(here).tolist():
            self.relocs.add(
                self.sym(".dynsym"),
                offset=(1 + row) * dtype.itemsize + at,
                size=self.arch.ptrsize,
                type=R_ADDR,
                target=self.syms[row],
            )
        by_id = sorted((sym, number) for sym, number in self.number.items())
        named = [(number, symbols.extname(sym)) for sym, number in by_id]
        self.put(".hash", hash_table(named, len(out), self.linkage.hash_word, self.endian))
        wanted = {sym: pair for sym in self.syms if (pair := self._version(sym)) is not None}
        versions = Versions(wanted[sym] for sym, _ in by_id if sym in wanted)
        self.put(".gnu.version_r", versions.needs(self.strings, self.endian))
        pairs = [wanted.get(sym) for sym in self.syms]
        self.put(".gnu.version", versions.of_symbols(pairs, self.endian))

    def _version(self, sym: int) -> tuple[bytes, bytes] | None:
        found = self.link.cgo.imports.get(sym)
        if found is None or not found.version:
            return None
        encoded = (
            text.encode("utf-8", "surrogateescape") for text in (found.library, found.version)
        )
        library, version = encoded
        return library, version

    def _names_in_order(self) -> list[int]:
        """Where each dynamic symbol's name lies in .dynstr; names of libraries lie between."""
        cgo, names = self.link.cgo, list[int]()
        seen: set[str] = set()

        def need(library: str) -> None:
            if library not in seen:
                seen.add(library)
                self.needed.append(self.strings.add(_encoded(library)))

        for sym in self.syms[: self.dynamic.exported]:
            names.append(self.strings.add(self.link.symbols.extname(sym)))
        for library in cgo.libraries:
            need(library)
        for sym in self.syms[self.dynamic.exported :]:
            names.append(self.strings.add(self.link.symbols.extname(sym)))
            # Programs of 32 bits need what is imported for its own sake alone, as the oracle's do.
            if self.arch.ptrsize == 8 and sym in cgo.imports and cgo.imports[sym].library:
                need(cgo.imports[sym].library)
        return names

    def procedures(self) -> None:
        """.plt, .rela.plt, and the table of slots that they are for."""
        linkage, ptrsize, found = self.linkage, self.arch.ptrsize, self.dynamic
        slots: list[Word] = [
            Address(self.sym(word)) if isinstance(word, str) else word for word in linkage.reserved
        ]
        slots += [0] * (len(found.plt) + (len(found.got) if linkage.slots == ".got" else 0))
        records: list[Word] = []
        code = self._stub(b"", linkage.first)
        for sym, slot in zip(found.plt.tolist(), found.slot.tolist(), strict=True):
            at = len(code)
            code = self._stub(code, linkage.entry(at, slot, ptrsize * len(records)))
            slots[slot // ptrsize] = Address(self.sym(".plt"), linkage.lazy(at))
            records += [Address(self.sym(linkage.slots), slot), self._info(sym, linkage.jump_slot)]
            records += [0] if self.arch.rela else []
        self.put(".plt", code)
        self.words(linkage.slots, slots)
        self.words(f"{self.rel}.plt", records)

    def _stub(self, code: bytes, stub: Stub) -> bytes:
        """The code with another piece behind it."""
        for r in stub.relocs:
            self.relocs.add(
                self.sym(".plt"),
                offset=len(code) + r.offset,
                size=r.size,
                type=r.type,
                target=self.sym(self.linkage.slots if r.target == ".got.plt" else r.target),
                add=r.add,
            )
        return code + stub.code

    def _info(self, sym: int, type_: int) -> int:
        number, kind = np.array([self.number[sym]]), np.array([type_])
        return int(reloc_info(self.cls, number, kind)[0])

    def slots_and_data(self) -> None:
        """.got, and .rela without its addresses."""
        if self.linkage.slots != ".got":
            self.put(".got", bytes(self.arch.ptrsize * len(self.dynamic.got)))
        found = self.dynamic
        out = np.zeros(len(found.type), reloc_dtype(self.cls, self.endian, rela=self.arch.rela))
        out["info"] = reloc_info(self.cls, found.symbol, found.type)
        self.put(self.rel, out.tobytes())

    def with_records(self, relocs: Relocs) -> Relocs:
        """The relocations with those of .rela: for each record the place, then what is there."""
        found, ptrsize = self.dynamic, self.arch.ptrsize
        item = reloc_dtype(self.cls, self.endian, rela=self.arch.rela).itemsize
        at = item * np.arange(len(found.place))
        offset = np.stack((at, at + item - ptrsize), axis=1)
        target = np.stack((found.place, found.target), axis=1)
        add = np.stack((found.offset, found.add), axis=1)
        used = target != 0
        n = int(used.sum())
        columns = RelocColumns(
            np.array([n]),
            offset[used].astype(np.int32),
            np.full(n, ptrsize, np.uint8),
            np.full(n, R_ADDR, np.uint16),
            np.zeros(n, np.bool_),
            add[used].astype(np.int64),
            target[used].astype(np.int32),
        )
        return relocs.extended(np.array([self.sym(self.rel)]), columns)

    def contents(self) -> None:
        """.dynamic: what there is, and where. It comes last, for it says how large the others
        are."""
        options, rela = self.link.options, self.arch.rela
        symbol = symbol_dtype(self.cls, self.endian).itemsize
        record = reloc_dtype(self.cls, self.endian, rela=rela).itemsize
        self.put(".dynstr", self.strings.to_bytes())
        size, sym = self.edit.size, self.sym
        rel, plt = sym(self.rel), sym(f"{self.rel}.plt")
        flags = (DF_1_NOW if options.bindnow else 0) | (DF_1_PIE if options.relocatable else 0)
        words: list[tuple[Tag, Word]] = [
            (Tag.HASH, Address(sym(".hash"))),
            (Tag.SYMTAB, Address(sym(".dynsym"))),
            (Tag.SYMENT, symbol),
            (Tag.STRTAB, Address(sym(".dynstr"))),
            (Tag.STRSZ, int(size[sym(".dynstr")])),
            (Tag.RELA if rela else Tag.REL, Address(rel)),
            (Tag.RELASZ if rela else Tag.RELSZ, int(size[rel])),
            (Tag.RELAENT if rela else Tag.RELENT, record),
        ]
        words += [(Tag.RUNPATH, self.runpath)] if self.runpath else []
        words += [(Tag.PLTGOT, Address(sym(self.linkage.slots))), (Tag.DEBUG, 0)]
        words += [(Tag.NEEDED, at) for at in self.needed]
        words += [(Tag.FLAGS, DF_BIND_NOW)] if options.bindnow else []
        words.append((Tag.FLAGS_1, flags))
        if self.dynamic.files:
            words += [
                (Tag.VERNEED, Address(sym(".gnu.version_r"))),
                (Tag.VERNEEDNUM, self.dynamic.files),
                (Tag.VERSYM, Address(sym(".gnu.version"))),
            ]
        if size[plt]:
            words += [
                (Tag.PLTREL, int(Tag.RELA if rela else Tag.REL)),
                (Tag.PLTRELSZ, int(size[plt])),
                (Tag.JMPREL, Address(plt)),
            ]
        words.append((Tag.NULL, 0))
        self.words(".dynamic", [word for pair in words for word in (int(pair[0]), pair[1])])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
