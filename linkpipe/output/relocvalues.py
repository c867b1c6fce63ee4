"""The values of relocations that are not plain, group by group of one kind and width.

Source: cmd/link/internal/ld/data.go:178-640 (relocsym).
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.formats.leb128 import put_leb
from linkpipe.output.hostrelocs import ELSEWHERE, HostRelocs
from linkpipe.output.relocrows import WIDTHS, RelocRows
from linkpipe.relockind import Places, Range, RelocKind, Unreachable

_LEB128_WIDTHS = (1, 2, 3, 4)


class RelocValues:
    """Patches the image of ``of``, or hands relocations on to the host linker, in ``host``.
    ``index`` int32[n]: the place of each symbol in the table of addresses; -1, and behind the end:
    none."""

    def __init__(self, of: RelocRows, host: HostRelocs, index: I32) -> None:
        self._of, self._link, self._laid, self._image = of, of.link, of.laid, of.image
        self._symbols, self._errors, self._where = of.symbols, of.errors, of.where
        self._host, self._bases = host, of.link.sections.bases()
        self._index = np.append(index, np.int32(-1))

    def apply(self, kind: RelocKind, rows: I64) -> None:
        """Patch the places of rows of one kind, or hand them on to the host linker."""
        if kind.shortcut:
            self._shorten(kind, rows)
        target = self._of.target[rows]
        away = ~self._of.linked[rows] & (target != 0)
        if away.any():
            rows, target = self._redirect(kind, rows, target, away)
        if kind.elf is not None and self._link.mode.external:
            rows, target = self._host.take(kind, kind.elf, rows, target)
        for width, some in self._of.by_width(rows):
            self._patch(kind, width, rows[some], target[some])

    def _shorten(self, kind: RelocKind, rows: I64) -> None:
        """Leave trampolines out where that to which they lead is in reach."""
        table, symbols = self._link.relocs, self._symbols
        jumps, counts = table.spans_of(self._of.target[rows])
        for i, count in zip(rows[counts != 1].tolist(), counts[counts != 1].tolist(), strict=True):
            self._errors.no_trampoline(self._where(i), count)
        rows, jumps = rows[counts == 1], jumps[counts == 1]
        leads = np.isin(table.type[jumps], list(self._link.arch.calls))
        for i in rows[~leads].tolist():
            self._errors.no_jump(self._where(i))
        rows, jumps = rows[leads], jumps[leads]
        target, add = table.target[jumps].astype(np.int64), table.add[jumps]
        distance = symbols.value[target] + add
        distance -= self._laid.address[self._of.owner[rows]] + self._of.offset[rows]
        reach = kind.reach or 0
        near = (distance >= -reach) & (distance < reach) & (symbols.value[target] != 0)
        near &= ~np.isin(symbols.kind[target], ELSEWHERE)
        self._of.target[rows[near]], self._of.add[rows[near]] = target[near], add[near]

    def _redirect(self, kind: RelocKind, rows: I64, target: I64, away: Bool) -> tuple[I64, I64]:
        """Deal with targets that are not linked."""
        if kind.unreachable is Unreachable.MINUS_ONE:
            gone = rows[away]
            for width, some in self._of.by_width(gone):
                self._of.put(gone[some], np.full(int(some.sum()), -1), width)
            return rows[~away], target[~away]
        away = away & self._of.weak[rows]
        if kind.unreachable is Unreachable.THROW:
            return rows, np.where(away, self._link.elf.unreachable_method, target)
        if kind.unreachable is Unreachable.SKIP:
            return rows[~away], target[~away]
        return rows, target

    def _patch(self, kind: RelocKind, width: int, rows: I64, target: I64) -> None:
        """Compute, check and store the values of rows of one kind and width."""
        if kind.value is None:
            for i in rows.tolist():
                if kind.hosted:
                    self._errors.bound(self._where(i), kind)
                else:
                    self._errors.unhandled(self._where(i), int(self._of.type[i]))
            return
        if not self._of.fields(rows, width, _LEB128_WIDTHS if kind.leb128 else WIDTHS):
            return
        if kind.prepare is not None:
            rows, target = self._in_instructions(kind, width, rows, target)
        symbols = self._symbols
        section = symbols.section[target]
        if kind.in_section and (section < 0).any():
            for i in rows[section < 0].tolist():
                self._errors.no_section(self._where(i))
            placed = section >= 0
            rows, target, section = rows[placed], target[placed], section[placed]
        owner = self._of.owner[rows]
        some = target if kind.leb128 else target[:0]
        index = self._index[np.minimum(some, len(self._index) - 1)]
        places = Places(
            image=self._image,
            at=self._laid.at[owner] + self._of.offset[rows],
            P=self._laid.address[owner] + self._of.offset[rows],
            S=symbols.value[target],
            A=self._of.add[rows],
            base=self._bases[section],
            target_size=symbols.size[target],
            index=index.astype(np.int64),
            width=width,
            tls_offset=self._link.arch.tls_offset,
            got=int(symbols.value[self._link.elf.got]),
        )
        self._check_reach(kind, rows, places)
        if kind.prepare is not None:
            for j in np.flatnonzero(~kind.prepare(places)).tolist():
                at = int(places.at[j])
                start, end = at - kind.around[0], at + width
                around = self._image[start:end].tobytes()
                self._errors.odd_instruction(self._where(int(rows[j])), kind, around)
        values = self._of.in_units(kind, rows, kind.value(places))
        if kind.leb128:
            self._put_leb128(rows, places.at, values, width)
            return
        for j in overflows(values, kind.range, width, self._link.arch.ptrsize).tolist():
            where = self._where(int(rows[j]))
            self._errors.too_big(where, kind, width, int(values[j]), int(places.S[j]))
        put_words(self._image, places.at, values, width, self._link.arch.endian)

    def _in_instructions(
        self, kind: RelocKind, width: int, rows: I64, target: I64
    ) -> tuple[I64, I64]:
        """The rows whose places have the instruction around them that is to be made another."""
        if not (kind.bound or self._link.options.relocatable):
            for i in rows.tolist():
                self._errors.bound(self._where(i), kind)
            return rows[:0], target[:0]
        before, behind = kind.around
        offset = self._of.offset[rows]
        whole = (offset >= before) & (offset + width + behind <= self._of.room[rows])
        for i in rows[~whole].tolist():
            self._errors.odd_instruction(self._where(i), kind, b"")
        return rows[whole], target[whole]

    def _put_leb128(self, rows: I64, at: I64, values: I64, width: int) -> None:
        """Store numbers as unsigned LEB128, filled up to ``width`` bytes."""
        for i in rows[(values < 0) | (values >> (7 * width) != 0)].tolist():
            self._errors.no_index(self._where(i))
        put_leb(self._image, at, np.maximum(values, 0), np.full(len(at), width))

    def _check_reach(self, kind: RelocKind, rows: I64, places: Places) -> None:
        """Refuse targets that an instruction cannot express, before it is made of them."""
        target = places.S + (places.A if kind.addend is None else kind.addend(places.A))
        if kind.reach is not None:
            distance = target - places.P if kind.reaches is None else kind.reaches(places)
            far = (distance >= kind.reach) | (distance < -kind.reach)
            for j in np.flatnonzero(far).tolist():
                self._errors.too_far(self._where(int(rows[j])), kind, int(distance[j]))
        bits = kind.low_bits(places) if callable(kind.low_bits) else kind.low_bits
        unit = np.broadcast_to(np.left_shift(1, bits), target.shape)
        for j in np.flatnonzero(target & (unit - 1)).tolist():
            where = self._where(int(rows[j]))
            self._errors.unaligned(where, int(unit[j]), int(target[j]))


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
