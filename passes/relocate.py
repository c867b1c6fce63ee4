"""relocate: put every symbol's bytes into the file and patch them with addresses.

A link has a million relocations of some dozen kinds. Those that are plain are applied first, in one
loop (linkpipe/output/patching.py). The others are taken as arrays: their rows in file order, then
one group for each (kind, width). A group's values are computed by the kind's kernel
(`Architecture.relocs`), checked for range and scattered into the image, all at once. No Python
statement runs once for each relocation. Where C objects have several for one place, these are
applied in their order.

In a link that the host linker finishes, most references to other sections become relocations of
the object instead: the kind's `ElfRule` says which, and what their addends are. They are kept in
file order, which is the order of the object's .rela sections.

Errors (targets nobody defines, values that do not fit) are collected over the whole link.

`image` is uint8, the file up to the end of its last segment.
Source: cmd/link/internal/ld/data.go:178-760 (relocsym, extreloc).
Reads `symbols`, `objects`, `relocs`, `sections`, `elf`, `mode`, `tlsg`, `dwarf` if it is there,
`labels` if it is there, `host_files` if it is there, `cgo` if it is there; provides `image`,
`external_relocs`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import distinct, turns
from linkpipe.arrays.threads import each, pieces
from linkpipe.arrays.types import I32, I64, U8, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, collecting
from linkpipe.formats.leb128 import put_leb
from linkpipe.functab.lines import source_lines
from linkpipe.output.contents import Laid, fill_image, laid_out
from linkpipe.output.patching import patch_plain
from linkpipe.output.relocerrors import RelocErrors, Where
from linkpipe.relockind import ElfRule, Places, Range, RelocKind, Unreachable
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.extrelocs import ExternalRelocs
from linkpipe.tables.sections import Sections
from linkpipe.tables.symbols import Flag

_WIDTHS, _LEB128_WIDTHS = (1, 2, 4, 8), (1, 2, 3, 4)
_ELSEWHERE = (SymKind.SHOSTOBJ, SymKind.SDYNIMPORT, SymKind.SUNDEFEXT)


@linkpass(
    requires=("symbols", "objects", "relocs", "sections", "elf", "mode", "tlsg"),
    optional=("dwarf", "labels", "host_files", "cgo"),
    provides=("image", "external_relocs"),
)
def relocate(link: Link) -> Link:
    """Copy contents into the image and apply relocations."""
    arena = link.objects.arena
    arena.let_go()  # from here on, contents are read and no more
    laid = laid_out(link.sections, link.symbols)
    _check_places(link, laid)
    image = fill_image(link.sections, link.symbols, laid, link.arch.code_pad)
    # Without debug information no function has a place in a table of addresses.
    index = link.dwarf.index if link.has("dwarf") else np.zeros(0, np.int32)
    work = _Work(link, laid, image, index, *patch_plain(link, laid, image, index))
    work.check()
    for kind, rows in work.groups():
        work.apply(kind, rows)
    arena.let_go()
    if work.errors:
        with collecting() as errors:
            for error in work.errors.sorted(partial(_source_lines, link)):
                if error.status == 1:
                    raise error
                errors.append(error)
    return link.evolve(image=frozen(image), external_relocs=work.external())


def _source_lines(link: Link, places: list[tuple[int, int]]) -> list[str]:
    goroot = link.options.environment.goroot
    return source_lines(link.objects, link.symbols, places, link.arch.pc_quantum, goroot)


def _check_places(link: Link, laid: Laid) -> None:
    """Refuse contents that are longer than their symbols, for they would run into the next; and
    symbols that two sections claim, as code and as data of functions: only one knows where they
    are. A part of another symbol is only a name."""
    symbols, base = link.symbols, link.sections.vaddrs()
    ends = np.array([*(section.vaddr + section.size for section in link.sections.items), 0])

    def misplaced(some: slice) -> I64:
        ids, section, address = laid.ids[some], laid.section[some], laid.address[some]
        content = symbols.data_size[ids]
        bad = (address < base[section]) | (address + content > ends[section])
        bad |= content > symbols.size[ids]
        return some.start + np.flatnonzero(bad & ~symbols.has(ids, Flag.INTERIOR))

    bad = np.concatenate(each(misplaced, pieces(len(laid.ids))))
    if len(bad):
        row = int(bad[0])
        sym, start = int(laid.ids[row]), int(laid.address[row])
        hosts = link.host_files if link.has("host_files") else {}
        size, end = int(symbols.size[sym]), start + int(symbols.data_size[sym])
        what = f"addr={end:#x} value+size={start + size:#x}"
        expected, found = f"at most {size} bytes, the symbol's size", f"{end - start} bytes"
        if end - start <= size:
            section = link.sections[int(laid.section[row])]
            what = f"val={start:#x} sect={section.name} sect.addr={section.vaddr:#x}"
            expected, found = f"an address in {section.name}", f"{start:#x}"
        raise InputError(
            f"phase error: {what}",
            symbol=symbols.name(sym) or f"sym {sym}",
            file=link.objects.names[int(symbols.object[sym])] or hosts.get(sym, ""),
            expected=expected,
            found=found,
            remedy="rebuild the package; the file is damaged",
            status=2,
        )


class _Work:
    """The relocations of one link that are not plain, as columns, row i for the i-th in file order:
    ``rows`` in the fact `relocs`, the ``owner`` of each a row of ``laid``."""

    def __init__(
        self, link: Link, laid: Laid, image: U8, index: I32, rows: I64, owner: I64
    ) -> None:
        self.link, self.image, self.laid = link, image, laid
        self.symbols, relocs = link.symbols, link.relocs
        self.rows, self.owner = rows, owner
        self.type = relocs.type[self.rows]
        self.width = relocs.size[self.rows]
        self.target = relocs.target[self.rows].astype(np.int64)
        self.weak = relocs.weak[self.rows]
        self.offset = relocs.offset[self.rows].astype(np.int64)
        self.add = relocs.add[self.rows]
        self.skip = np.zeros(len(self.rows), np.bool_)
        self.linked = self.symbols.has(self.target, Flag.REACHABLE)
        hosts = link.host_files if link.has("host_files") else {}
        self.of_c = bool(hosts)
        self.errors = RelocErrors(
            self.symbols,
            link.objects.names,
            link.arch,
            hosts,
            static=link.options.d,
            lacking=link.cgo.lacking if link.has("cgo") else "",
        )
        self.bases = link.sections.bases()
        self.index = np.append(index, np.int32(-1))
        self.emitted: list[tuple[I64, ...]] = []

    def check(self) -> None:
        """Refuse rows that cannot be applied, whatever their kind."""
        symbols, ids = self.symbols, self.laid.ids[self.owner]
        generated = symbols.has(ids, Flag.GENERATED)
        self.room = room = np.where(generated, symbols.size[ids], symbols.data_size[ids])
        for i in self._refuse((self.offset < 0) | (self.offset + self.width > room)):
            self.errors.outside(self._where(i), int(self.width[i]), int(room[i]))
        kind, there = symbols.kind[self.target], self.target != 0
        undefined = there & ((kind == SymKind.Sxxx) | (kind == SymKind.SXREF))
        if undefined.any():
            self._undefined(undefined)
        if not self.link.mode.dynlink:
            imported = there & (kind == SymKind.SDYNIMPORT)
            for i in self._refuse(imported & (symbols.container[self.target] == 0)):
                self.errors.unhandled(self._where(i), int(self.type[i]))
        lost = there & ~self.linked & ~self.weak & (kind != SymKind.STLSBSS)
        for number, reloc in self.link.arch.relocs.items():
            if reloc.unreachable is Unreachable.MINUS_ONE:
                lost &= self.type != number
        for i in self._refuse(lost):
            self.errors.unreachable(self._where(i))

    def _undefined(self, undefined: Bool) -> None:
        """Targets that nobody defines: an error, but for what modules need not have."""
        module = self.link.options.buildmode in ("plugin", "shared")
        for target in distinct(self.target[undefined]).tolist():
            name = self.symbols.name_bytes(target)
            rows = undefined & (self.target == target)
            if module and name.startswith(b"go:info."):
                self.skip |= rows
            else:
                for i in self._refuse(rows):
                    self.errors.undefined(self._where(i))

    def _refuse(self, bad: Bool) -> list[int]:
        """Leave these rows out; those that were still in."""
        rows: list[int] = np.flatnonzero(bad & ~self.skip).tolist()
        self.skip[rows] = True
        return rows

    def _where(self, i: int) -> Where:
        symbol = int(self.laid.ids[self.owner[i]])
        return Where(i, symbol, int(self.target[i]), int(self.offset[i]))

    def groups(self) -> Iterator[tuple[RelocKind, I64]]:
        """The rows of each kind; then those that patch what another one has patched, in order."""
        live = ~self.skip
        late = self._later(live)
        for rows in late:
            live[rows] = False
        for number in np.flatnonzero(np.bincount(self.type)).tolist():
            yield from self._group(number, np.flatnonzero((self.type == number) & live))
        for rows in late:
            for number in distinct(self.type[rows]).tolist():
                yield from self._group(number, rows[self.type[rows] == number])

    def _later(self, live: Bool) -> list[I64]:
        """Rows of C objects, which may have several at one place, by turns: the first of each place
        are in none. No two of a turn patch the same byte."""
        if not self.of_c:
            return []
        rows = np.flatnonzero(live & self.symbols.has(self.laid.ids, Flag.OF_C)[self.owner])
        begins = self.laid.at[self.owner[rows]] + self.offset[rows]
        turn = turns(begins, begins + self.width[rows])
        late = np.flatnonzero(turn)
        rows, counts = rows[late[np.argsort(turn[late], kind="stable")]], np.bincount(turn[late])
        return np.split(rows, np.cumsum(counts)[1:-1]) if len(rows) else []

    def _group(self, number: int, rows: I64) -> Iterator[tuple[RelocKind, I64]]:
        """The rows of a kind, if it is one."""
        kind = self.link.arch.relocs.get(number)
        known = np.full(len(rows), kind is not None)
        if kind is not None and kind.own:
            known = self.symbols.object[self.laid.ids[self.owner[rows]]] == 0
        for i in rows[~known].tolist():
            self.errors.unknown(self._where(i), number)
        if kind is not None:
            yield kind, rows[known]

    def apply(self, kind: RelocKind, rows: I64) -> None:
        """Patch the places of rows of one kind, or hand them on to the host linker."""
        if kind.shortcut:
            self._shorten(kind, rows)
        target = self.target[rows]
        away = ~self.linked[rows] & (target != 0)
        if away.any():
            rows, target = self._redirect(kind, rows, target, away)
        if kind.elf is not None and self.link.mode.external:
            sent = self._sent(kind.elf, rows, target)
            self._emit(kind, kind.elf, rows[sent], target[sent])
            rows, target = rows[~sent], target[~sent]
        for width, some in self._by_width(rows):
            self._patch(kind, width, rows[some], target[some])

    def _by_width(self, rows: I64) -> Iterator[tuple[int, Bool]]:
        widths = self.width[rows]
        for width in np.flatnonzero(np.bincount(widths)).tolist():
            yield width, widths == width

    def _shorten(self, kind: RelocKind, rows: I64) -> None:
        """Leave trampolines out where that to which they lead is in reach."""
        table, symbols = self.link.relocs, self.symbols
        counts = table.rows_of_many(self.target[rows])[1]
        for i, count in zip(rows[counts != 1].tolist(), counts[counts != 1].tolist(), strict=True):
            self.errors.no_trampoline(self._where(i), count)
        rows = rows[counts == 1]
        jumps = table.first[self.target[rows]]
        leads = np.isin(table.type[jumps], list(self.link.arch.calls))
        for i in rows[~leads].tolist():
            self.errors.no_jump(self._where(i))
        rows, jumps = rows[leads], jumps[leads]
        target, add = table.target[jumps].astype(np.int64), table.add[jumps]
        distance = symbols.value[target] + add
        distance -= self.laid.address[self.owner[rows]] + self.offset[rows]
        reach = kind.reach or 0
        near = (distance >= -reach) & (distance < reach) & (symbols.value[target] != 0)
        near &= ~np.isin(symbols.kind[target], _ELSEWHERE)
        self.target[rows[near]], self.add[rows[near]] = target[near], add[near]

    def _redirect(self, kind: RelocKind, rows: I64, target: I64, away: Bool) -> tuple[I64, I64]:
        """Deal with targets that are not linked."""
        if kind.unreachable is Unreachable.MINUS_ONE:
            gone = rows[away]
            for width, some in self._by_width(gone):
                self._put(gone[some], np.full(int(some.sum()), -1), width)
            return rows[~away], target[~away]
        away = away & self.weak[rows]
        if kind.unreachable is Unreachable.THROW:
            return rows, np.where(away, self.link.elf.unreachable_method, target)
        if kind.unreachable is Unreachable.SKIP:
            return rows[~away], target[~away]
        return rows, target

    def _sent(self, rule: ElfRule, rows: I64, target: I64) -> Bool:
        """Which rows the host linker has to resolve."""
        if not rule.in_section:
            return np.ones(len(rows), np.bool_)
        here = self.laid.section[self.owner[rows]]
        undefined = self.symbols.kind[target] == SymKind.SUNDEFEXT
        return (target != 0) & (undefined | (self.symbols.section[target] != here))

    def _emit(self, reloc: RelocKind, rule: ElfRule, rows: I64, target: I64) -> None:
        """Make relocations of the object."""
        symbols = self.symbols
        symbol = np.where(target == 0, self.link.tlsg, target)
        width = self.width[rows].astype(np.int64)
        given = self.add[rows]
        addend = given if reloc.addend is None else reloc.addend(given)
        kind = symbols.kind[symbol]
        if rule.section_relative:
            section = symbols.section[symbol]
            addend = addend + symbols.value[symbol] - self.bases[section]
            symbol = _section_symbols(self.link.sections)[section]
        else:
            outer = symbols.container[symbol].astype(np.int64)
            inner = outer != 0
            addend = addend + np.where(inner, symbols.value[symbol] - symbols.value[outer], 0)
            symbol = np.where(inner, outer, symbol)
        kept = addend
        if rule.pcrel:
            undefined = kind == SymKind.SUNDEFEXT
            addend = np.where(undefined, 0, addend) - width
            kept = np.where(undefined, 0, addend)
        if rule.encode is not None:
            kept = rule.encode(given, kept)
        kept = kept if rule.stored else np.zeros_like(kept)
        kind = symbols.kind[symbol]
        for i in rows[(symbols.section[symbol] < 0) & ~np.isin(kind, _ELSEWHERE)].tolist():
            self.errors.no_section(self._where(i))
        for size, some in self._by_width(rows):
            parts = rule.types.get(size, ())
            for i in rows[some].tolist() if not parts else ():
                self.errors.unsupported(self._where(i), int(self.type[i]), size)
            for part in parts:
                its = some if part.only is None else some & part.only(given)
                number = np.full(int(its.sum()), part.type)
                if part.imported is not None:
                    number[kind[its] == SymKind.SDYNIMPORT] = part.imported
                offset = self.offset[rows[its]] + part.offset
                to, more = symbol[its], addend[its] + part.addend
                if part.bare:
                    to = np.zeros_like(to)
                if part.label:
                    to, more = self._labels(rows[its]), np.zeros_like(more)
                self.emitted.append((rows[its], offset, number, to, more))
            if not rule.untouched:
                self._put(rows[some], self._in_units(reloc, rows[some], kept[some]), size)

    def _labels(self, rows: I64) -> I64:
        """The symbols at the places of some rows: the function that begins there, else a label."""
        symbols, at = self.symbols, self.offset[rows]
        owner = self.laid.ids[self.owner[rows]].astype(np.int64)
        labels = self.link.labels if self.link.has("labels") else np.zeros(0, np.int32)
        # The first one of those at a place counts; behind the last one stands none.
        places = np.append(symbols.value[labels], -1)
        found = np.searchsorted(places[:-1], symbols.value[owner] + at)
        there = (at == 0) | (places[found] == symbols.value[owner] + at)
        for i in rows[~there | ~is_text(symbols.kind[owner])].tolist():
            self.errors.no_label(self._where(i))
        return np.where(at == 0, owner, np.append(labels, 0)[found])

    def _patch(self, kind: RelocKind, width: int, rows: I64, target: I64) -> None:
        """Compute, check and store the values of rows of one kind and width."""
        if kind.value is None:
            for i in rows.tolist():
                if kind.hosted:
                    self.errors.bound(self._where(i), kind)
                else:
                    self.errors.unhandled(self._where(i), int(self.type[i]))
            return
        if not self._has(rows, width, _LEB128_WIDTHS if kind.leb128 else _WIDTHS):
            return
        if kind.prepare is not None:
            rows, target = self._in_instructions(kind, width, rows, target)
        symbols = self.symbols
        section = symbols.section[target]
        if kind.in_section and (section < 0).any():
            for i in rows[section < 0].tolist():
                self.errors.no_section(self._where(i))
            placed = section >= 0
            rows, target, section = rows[placed], target[placed], section[placed]
        owner = self.owner[rows]
        some = target if kind.leb128 else target[:0]
        index = self.index[np.minimum(some, len(self.index) - 1)]
        places = Places(
            image=self.image,
            at=self.laid.at[owner] + self.offset[rows],
            P=self.laid.address[owner] + self.offset[rows],
            S=symbols.value[target],
            A=self.add[rows],
            base=self.bases[section],
            target_size=symbols.size[target],
            index=index.astype(np.int64),
            width=width,
            tls_offset=self.link.arch.tls_offset,
            got=int(symbols.value[self.link.elf.got]),
        )
        self._check_reach(kind, rows, places)
        if kind.prepare is not None:
            for j in np.flatnonzero(~kind.prepare(places)).tolist():
                at = int(places.at[j])
                start, end = at - kind.around[0], at + width
                around = self.image[start:end].tobytes()
                self.errors.odd_instruction(self._where(int(rows[j])), kind, around)
        values = self._in_units(kind, rows, kind.value(places))
        if kind.leb128:
            self._put_leb128(rows, places.at, values, width)
            return
        for j in overflows(values, kind.range, width, self.link.arch.ptrsize).tolist():
            where = self._where(int(rows[j]))
            self.errors.too_big(where, kind, width, int(values[j]), int(places.S[j]))
        put_words(self.image, places.at, values, width, self.link.arch.endian)

    def _in_instructions(
        self, kind: RelocKind, width: int, rows: I64, target: I64
    ) -> tuple[I64, I64]:
        """The rows whose places have the instruction around them that is to be made another."""
        if not (kind.bound or self.link.options.relocatable):
            for i in rows.tolist():
                self.errors.bound(self._where(i), kind)
            return rows[:0], target[:0]
        before, behind = kind.around
        offset = self.offset[rows]
        whole = (offset >= before) & (offset + width + behind <= self.room[rows])
        for i in rows[~whole].tolist():
            self.errors.odd_instruction(self._where(i), kind, b"")
        return rows[whole], target[whole]

    def _put_leb128(self, rows: I64, at: I64, values: I64, width: int) -> None:
        """Store numbers as unsigned LEB128, filled up to ``width`` bytes."""
        for i in rows[(values < 0) | (values >> (7 * width) != 0)].tolist():
            self.errors.no_index(self._where(i))
        put_leb(self.image, at, np.maximum(values, 0), np.full(len(at), width))

    def _check_reach(self, kind: RelocKind, rows: I64, places: Places) -> None:
        """Refuse targets that an instruction cannot express, before it is made of them."""
        target = places.S + (places.A if kind.addend is None else kind.addend(places.A))
        if kind.reach is not None:
            distance = target - places.P if kind.reaches is None else kind.reaches(places)
            far = (distance >= kind.reach) | (distance < -kind.reach)
            for j in np.flatnonzero(far).tolist():
                self.errors.too_far(self._where(int(rows[j])), kind, int(distance[j]))
        bits = kind.low_bits(places) if callable(kind.low_bits) else kind.low_bits
        unit = np.broadcast_to(np.left_shift(1, bits), target.shape)
        for j in np.flatnonzero(target & (unit - 1)).tolist():
            where = self._where(int(rows[j]))
            self.errors.unaligned(where, int(unit[j]), int(target[j]))

    def _in_units(self, kind: RelocKind, rows: I64, values: I64) -> I64:
        """Values in the units of their fields."""
        if kind.unit == 1:
            return values
        for j in np.flatnonzero(values % kind.unit).tolist():
            where = self._where(int(rows[j]))
            address = int(self.symbols.value[where.target])
            self.errors.unaligned(where, kind.unit, address)
        return values // kind.unit

    def _has(self, rows: I64, width: int, widths: Container[int]) -> bool:
        """Whether there are fields of that width; if not, all rows are wrong."""
        if width in widths:
            return True
        for i in rows.tolist():
            self.errors.bad_size(self._where(i), width)
        return False

    def _put(self, rows: I64, values: I64, width: int) -> None:
        if not self._has(rows, width, _WIDTHS):
            return
        at = self.laid.at[self.owner[rows]] + self.offset[rows]
        put_words(self.image, at, values, width, self.link.arch.endian)

    def external(self) -> ExternalRelocs:
        """The relocations of the object, in file order."""
        if self.emitted:
            rows, offset, number, symbol, addend = map(
                np.concatenate, zip(*self.emitted, strict=True)
            )
        else:
            rows = offset = number = symbol = addend = np.zeros(0, np.int64)
        order = np.argsort(rows, kind="stable")
        owner = self.owner[rows[order]]
        section = self.laid.section[owner]
        start = self.laid.address[owner] - self.link.sections.vaddrs()[section]
        return ExternalRelocs(
            section=section.astype(np.int16),
            offset=start + offset[order],
            type=number[order].astype(np.int32),
            symbol=symbol[order].astype(np.int32),
            addend=addend[order],
        )


def overflows(values: I64, range_: Range, width: int, ptrsize: int) -> I64:
    """The indices of values that do not fit a field of ``width`` bytes: int64[k].

    ``[i for i, v in enumerate(values) if not low <= v < high]``; one-byte fields are never checked.
    """
    if width not in (2, 4):
        return np.zeros(0, np.int64)
    bits = 8 * width
    high = 1 << (bits if range_ is not Range.SIGNED else bits - 1)
    bad = (values < -(1 << (bits - 1))) | (values >= high)
    if range_ is Range.ADDRESS and width == 4 and ptrsize > 4:
        bad |= (values & 0x80000000) != 0
    return np.flatnonzero(bad)


def _section_symbols(sections: Sections) -> I64:
    """The symbol that stands for each debug section, its first: int64[n + 1]."""
    firsts = [int(s.symbols[0]) if len(s.symbols) else 0 for s in sections.items]
    return np.array([*firsts, 0], np.int64)
