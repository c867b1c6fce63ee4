"""C objects enter the symbol table: sections, the symbols in them, and relocations.

Each section that a program has in memory becomes a symbol, ``PACKAGE(.text)``, with the section's
bytes and relocations; each symbol of the object becomes a name for a part of it (`Flag.INTERIOR`),
or of another object's if that defines it. Go's functions are known to C by the names that they are
exported with.

What is reached of a section brings all of it: a section and its symbols refer to each other by
relocations that patch nothing (`R_HOST`).

Symbols are made in the order of the oracle, one by one, for there are few.
Source: cmd/link/internal/loadelf/ldelf.go (Load, readelfsym), loader.go (AddInteriorSym, SortSub).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.formats.elf import SectionType
from linkpipe.formats.hostobject import SHN_COMMON, STB_WEAK, STT_COMMON, HostSymbols, Relocatable
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.objects import RelocColumns
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

GOT = b".got"
_KINDS = {
    elf.SHF_ALLOC: SymKind.SRODATA,
    elf.SHF_ALLOC | elf.SHF_WRITE: SymKind.SNOPTRDATA,
    elf.SHF_ALLOC | elf.SHF_EXECINSTR: SymKind.STEXT,
}
_NAMED = (elf.STT_OBJECT, elf.STT_FUNC, elf.STT_NOTYPE, STT_COMMON)
_UNTYPED = (b".Ldebug_", b"wm4.", b"wm8.")
_ANYTYPE = (b".Linfo_string", b".LASF", b".LLRL", b".LLST", b".LVUS")
"""Labels of compilers in debug information, which is not linked."""
_TYPES = b"type:"
"""What the names of type descriptors begin with: the oracle takes every symbol for one that is
called so, and leaves descriptors out if one is elsewhere."""
_UNDEFINED = (SymKind.Sxxx, SymKind.SXREF)


class Entering:
    """The symbol table while objects enter it.

    ``exports`` are Go's functions by the names that C calls them by; ``widths`` the bytes that each
    type of relocation patches; ``marks`` what the names of local symbols begin with that are marks
    of the assembler's, not symbols. ``text`` are the functions so far, in order, ``defined`` all
    that C objects define, ``files`` the object's name by the symbol of each section.
    """

    def __init__(
        self,
        symbols: Symbols,
        exports: Mapping[bytes, int],
        widths: Mapping[int, int],
        version: int,
        *,
        marks: tuple[bytes, ...] = (),
    ) -> None:
        self.edit: SymbolsEdit = symbols.edit()
        self.text: list[int] = []
        self.defined: set[int] = set()
        self.files: dict[int, str] = {}
        self._base, self._exports, self._widths, self._marks = symbols, exports, widths, marks
        self._version = version
        self._ids: dict[bytes, int] = {}
        self._kind: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._flags: dict[int, int] = {}
        self._value: dict[int, int] = {}
        self._outer: dict[int, int] = {}
        self._parts: dict[int, list[int]] = {}
        self._rows: list[tuple[int, RelocColumns]] = []

    def enter(self, found: Relocatable, package: str) -> None:
        """Take in an object of a package."""
        if found.symbols is None:
            return
        sections = self._sections(found, package)
        self._version += 1
        syms = self._symbols(found, found.symbols, sections)
        parts = self._together(sections)
        for section, sym in sections.items():
            if self._kind[sym] == SymKind.STEXT:
                self.text += [sym, *parts[sym]]
            self._relocs(found, section, sym, syms, parts[sym])

    def kind(self, sym: int) -> int:
        """A symbol's kind as it is now."""
        known = self._kind.get(sym)
        if known is not None:
            return known
        return int(self._base.kind[sym]) if sym < len(self._base) else 0

    def undefined(self) -> list[bytes]:
        """The names of what relocations of C objects refer to and nobody defines, in the order of
        the symbols that do, then of the places."""
        rows = sorted(self._rows, key=lambda pair: pair[0])
        targets = dict.fromkeys(sym for _, columns in rows for sym in columns.target.tolist())
        names = [self._name(sym) for sym in targets if self._kind.get(sym) == SymKind.SXREF]
        return [name for name in names if name != GOT]

    def _name(self, sym: int) -> bytes:
        return self.edit.name_bytes(sym)

    def _shown(self, sym: int) -> str:
        """A symbol's name, for messages."""
        return self._name(sym).decode("utf-8", "surrogateescape")

    def freeze(self) -> tuple[Symbols, I64, RelocColumns]:
        """The symbol table, and the relocations of some symbols in it."""
        ids = np.array(list(self._kind), np.int64)
        self.edit.set(ids, kind=np.array(list(self._kind.values()), np.uint8))
        for name, column in (("size", self._size), ("value", self._value)):
            ids = np.array(list(column), np.int64)
            self.edit.set(ids, **{name: np.array(list(column.values()), np.int64)})
        ids = np.array(list(self._outer), np.int64)
        self.edit.set(ids, container=np.array(list(self._outer.values()), np.int32))
        self.edit.add_flags(ids, Flag.INTERIOR | Flag.OF_C)
        self.edit.add_flags(np.array(list(self.files), np.int64), Flag.OF_C)
        for sym, flags in self._flags.items():
            self.edit.add_flags(sym, flags)
        owners = np.array([sym for sym, _ in self._rows], np.int64)
        here = np.zeros(0, np.int64)
        columns = [_columns(here, here, here, here, here), *(rows for _, rows in self._rows)]
        joined = RelocColumns(*(np.concatenate(part) for part in zip(*columns, strict=True)))
        joined = joined._replace(counts=joined.counts[1:])
        return self.edit.freeze(), owners, joined

    def _sections(self, found: Relocatable, package: str) -> dict[int, int]:
        """The symbol of each section that is in memory."""
        out: dict[int, int] = {}
        names: set[bytes] = set()
        counter = 0
        prefix = package.encode("utf-8", "surrogateescape")
        for section, record in enumerate(found.sections):
            type_, flags = int(record["type"]), int(record["flags"])
            if type_ not in (SectionType.PROGBITS, SectionType.NOBITS):
                continue
            if not flags & elf.SHF_ALLOC:
                continue
            name = b"%s(%s)" % (prefix, found.names[section])
            while name in names:
                counter += 1
                name = b"%s(%s%d)" % (prefix, found.names[section], counter)
            names.add(name)
            kind = _KINDS.get(flags & (elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR))
            if kind is None:
                raise found.wrong(
                    f"{found.file}: unexpected flags for ELF section {found.section_name(section)}",
                    found=f"{flags:#x}",
                )
            if kind == SymKind.SNOPTRDATA and type_ == SectionType.NOBITS:
                kind = SymKind.SNOPTRBSS
            if found.names[section] in (GOT, b".toc"):
                kind = SymKind.SELFGOT
            # The oracle reads the lower half of an alignment of 64 bits, and takes a size that has
            # all 64 for one below zero, which is an error where the section is needed.
            align, size = int(record["align"]) & 0xFFFFFFFF, int(record["size"])
            if align & (align - 1) or align >= 1 << 31:
                raise found.wrong(
                    "bad alignment value",
                    expected=f"a power of two for {found.section_name(section)}",
                    found=str(align),
                )
            sym = self.edit.lookup_or_create(name, self._version)
            if type_ == SectionType.PROGBITS:
                self.edit.set_content(sym, found.content(section).tobytes())
            self.edit.set(sym, size=size - (size >> 63 << 64), align=align)
            self._kind[sym], self.files[sym] = kind, found.file
            out[section] = sym
        return out

    def _symbols(
        self, found: Relocatable, table: HostSymbols, sections: Mapping[int, int]
    ) -> list[int]:
        """The symbol that each of the object's is, 0 for those that are none."""
        out = [0]
        columns = (table.binding, table.type, table.visibility, table.section)
        rows = zip(table.name[1:], *(column[1:].tolist() for column in columns), strict=True)
        for row, (name, binding, type_, visibility, section) in enumerate(rows, 1):
            if type_ == elf.STT_SECTION:
                out.append(sections.get(section, 0))
                continue
            sym = 0
            if type_ in _NAMED:
                name = GOT if name == b"_GLOBAL_OFFSET_TABLE_" else name
                sym = self._symbol(found, name, binding, visibility == elf.STV_HIDDEN)
            out.append(sym)
            if not sym:
                continue
            if not self.kind(sym):
                self._kind[sym] = SymKind.SXREF
            size = int(table.size[row])
            if section == SHN_COMMON or type_ == STT_COMMON:
                self._size[sym] = max(size, self._size_of(sym), key=lambda size: size % (1 << 64))
                if self.kind(sym) in _UNDEFINED:
                    self._kind[sym] = SymKind.SNOPTRBSS
                    self._flags[sym] = self._flags.get(sym, 0) | Flag.OF_C
            elif 0 < section < len(found.sections):
                if section in sections:
                    self._define(found, sym, sections[section], int(table.value[row]), size)
                elif not _is_label(name, type_, found.names[section]):
                    raise found.wrong(
                        f"{sym}: sym#{row} ({_quoted(name)}): unrecognized symbol in section "
                        f"{section} ({_quoted(found.names[section])}) (type {type_})"
                    )
        return out

    def _symbol(self, found: Relocatable, name: bytes, binding: int, hidden: bool) -> int:
        """The symbol of that name."""
        if binding == elf.STB_LOCAL:
            if name.startswith(self._marks):
                return 0
            sym = self.edit.create_static(name)
            self._flags[sym] = Flag.HIDDEN
            return sym
        if binding not in (elf.STB_GLOBAL, STB_WEAK):
            shown = name.decode("utf-8", "surrogateescape")
            raise found.wrong(
                f"{found.file}: malformed elf file: {shown}: invalid symbol binding {binding}"
            )
        known = self._exports.get(name) or self._ids.get(name)
        sym = known or self.edit.lookup_or_create(name)
        self._ids[name] = sym
        flags = self._flags.get(sym, 0)
        if hidden:
            flags |= Flag.HIDDEN
        # Weak ones may repeat what is defined.
        if hidden if binding == elf.STB_GLOBAL else sym in self._outer:
            flags |= Flag.DUPOK
        if flags:
            self._flags[sym] = flags
        return sym

    def _size_of(self, sym: int) -> int:
        known = self._size.get(sym)
        if known is not None:
            return known
        return int(self._base.size[sym]) if sym < len(self._base) else 0

    def _define(self, found: Relocatable, sym: int, section: int, value: int, size: int) -> None:
        """Let a symbol be a part of a section, if it is none of another one yet."""
        base = self._base
        ours = sym < len(base)
        shown = self._shown(sym)
        if self._name(sym).startswith(_TYPES):
            raise found.wrong(
                f"{shown}: a C object defines it, and the linker makes it itself",
                expected=f"a name that does not begin with {_TYPES.decode()}",
            )
        outer = self._outer.get(sym)
        if outer is not None:
            dupok = self._flags.get(sym, 0) | (int(base.flags[sym]) if ours else 0)
            if dupok & Flag.DUPOK:
                return
            raise found.wrong(
                f"duplicate symbol reference: {shown} in both {self._shown(outer)} and "
                f"{self._shown(section)}"
            )
        if ours and base.data_size[sym]:
            raise found.wrong(f"{shown}: duplicate symbol definition", found="one in Go, one in C")
        self._kind[sym] = self._kind[section]
        self._outer[sym], self._value[sym], self._size[sym] = section, value, size
        self._parts.setdefault(section, []).append(sym)
        self.defined.add(sym)

    def _together(self, sections: Mapping[int, int]) -> dict[int, list[int]]:
        """The parts of each section by place; of those at one place the last one first."""
        out = {}
        for outer in sections.values():
            syms = enumerate(self._parts.get(outer, ()))
            ranks = sorted((self._value[sym], -place, sym) for place, sym in syms)
            out[outer] = [sym for _, _, sym in ranks]
        return out

    def _relocs(
        self, found: Relocatable, section: int, sym: int, syms: list[int], parts: list[int]
    ) -> None:
        """Note the relocations of a section, and those that keep its parts together."""
        rows = None
        if found.sections["type"][section] == SectionType.PROGBITS:
            rows = found.relocs(section, self._widths)
        here = np.zeros(0, np.int64)
        columns = [here, here, here, here, here]
        if rows is not None:
            target = np.array(syms, np.int64)[rows.symbol]
            bad = np.flatnonzero((target == 0) & (rows.symbol != 0))
            if len(bad):
                raise self._invalid(found, sym, int(rows.row[bad[0]]), int(rows.symbol[bad[0]]))
            width = np.array([self._widths[t] for t in rows.type.tolist()], np.int64)
            columns = [rows.offset, width, R_HOST + rows.type, rows.addend, target]
        zero = np.zeros(1, np.int64)
        for at, part in enumerate(parts):
            keeps = [sym, *parts[at + 1 : at + 2]]
            zeros = np.zeros(len(keeps), np.int64)
            self._note(part, zeros, zeros, zeros + R_HOST, zeros, np.array(keeps, np.int64))
        if parts:
            tail = (zero, zero, zero + R_HOST, zero, np.array(parts[:1], np.int64))
            columns = [np.concatenate(pair) for pair in zip(columns, tail, strict=True)]
        if len(columns[0]):
            self._note(sym, *columns)

    def _note(self, sym: int, *columns: I64) -> None:
        self._rows.append((sym, _columns(*columns)))

    def _invalid(self, found: Relocatable, sym: int, row: int, symbol: int) -> InputError:
        table = found.symbols
        assert table is not None, "it has relocations to symbols"
        name, section, type_ = table.name[symbol], table.section[symbol], table.type[symbol]
        return found.wrong(
            f"malformed elf file: {self._shown(sym)}#{row}: "
            f"reloc of invalid sym #{symbol} {name.decode('utf-8', 'surrogateescape')} "
            f"shndx={section} type={type_}"
        )


def _columns(offset: I64, width: I64, type_: I64, add: I64, target: I64) -> RelocColumns:
    """The relocations of one symbol."""
    return RelocColumns(
        np.array([len(offset)]),
        offset.astype(np.int32),
        width.astype(np.uint8),
        type_.astype(np.uint16),
        np.zeros(len(offset), np.bool_),
        add,
        target.astype(np.int32),
    )


def _is_label(name: bytes, type_: int, section: bytes) -> bool:
    """Whether a symbol is a compiler's label in what is not linked."""
    if name.startswith(_ANYTYPE):
        return True
    if type_ != elf.STT_NOTYPE:
        return False
    return (
        name.startswith(_UNTYPED)
        or name in (b".L0 ", b".Lline_table_start0")
        or (section.startswith(b".debug_") and not name)
        or (section == b".debug_frame" and name.startswith(b"$d"))
    )


def _quoted(name: bytes) -> str:
    from linkpipe.flags.goflag import quote

    return quote(name.decode("utf-8", "surrogateescape"))
