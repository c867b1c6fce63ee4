"""The relocations that an object hands on to the host linker, and what their places hold.

Source: cmd/link/internal/ld/data.go:640-760 (extreloc).
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.output.relocrows import RelocRows
from linkpipe.relockind import ElfRule, RelocKind
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.extrelocs import ExternalRelocs
from linkpipe.tables.sections import Sections

ELSEWHERE = (SymKind.SHOSTOBJ, SymKind.SDYNIMPORT, SymKind.SUNDEFEXT)
"""Kinds of symbols whose addresses only the host linker or the dynamic linker knows."""


class HostRelocs:
    """Collects them from ``of``. ``labels`` int32[k], by address: symbols that name places in
    functions, to which relocations may refer."""

    def __init__(self, of: RelocRows, labels: I32) -> None:
        self._of, self._link, self._laid = of, of.link, of.laid
        self._symbols, self._errors = of.symbols, of.errors
        self._named, self._bases = labels, of.link.sections.bases()
        self._emitted: list[tuple[I32, I64, I32, I32, I64]] = []

    def take(self, kind: RelocKind, rule: ElfRule, rows: I64, target: I64) -> tuple[I64, I64]:
        """Take the rows of a kind, with their targets, that the host linker has to resolve.
        Returns the others."""
        sent = self._sent(rule, rows, target)
        self._emit(kind, rule, rows[sent], target[sent])
        return rows[~sent], target[~sent]

    def _sent(self, rule: ElfRule, rows: I64, target: I64) -> Bool:
        """Which rows the host linker has to resolve."""
        if not rule.in_section:
            return np.ones(len(rows), np.bool_)
        here = self._laid.section[self._of.owner[rows]]
        undefined = self._symbols.kind[target] == SymKind.SUNDEFEXT
        return (target != 0) & (undefined | (self._symbols.section[target] != here))

    def _emit(self, reloc: RelocKind, rule: ElfRule, rows: I64, target: I64) -> None:
        """Make relocations of the object."""
        symbols = self._symbols
        symbol = np.where(target == 0, self._link.tlsg, target)
        width = self._of.width[rows].astype(np.int64)
        given = self._of.add[rows]
        addend = given if reloc.addend is None else reloc.addend(given)
        kind = symbols.kind[symbol]
        if rule.section_relative:
            section = symbols.section[symbol]
            addend = addend + symbols.value[symbol] - self._bases[section]
            symbol = _section_symbols(self._link.sections)[section]
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
        for i in rows[(symbols.section[symbol] < 0) & ~np.isin(kind, ELSEWHERE)].tolist():
            self._errors.no_section(self._of.where(i))
        for size, some in self._of.by_width(rows):
            parts = rule.types.get(size, ())
            for i in rows[some].tolist() if not parts else ():
                self._errors.unsupported(self._of.where(i), int(self._of.type[i]), size)
            for part in parts:
                its = some if part.only is None else some & part.only(given)
                number = np.full(int(its.sum()), part.type, np.int32)
                if part.imported is not None:
                    number[kind[its] == SymKind.SDYNIMPORT] = part.imported
                offset = self._of.offset[rows[its]] + part.offset
                to, more = symbol[its], addend[its] + part.addend
                if part.bare:
                    to = np.zeros_like(to)
                if part.label:
                    to, more = self._labels(rows[its]), np.zeros_like(more)
                of = rows[its].astype(np.int32)
                self._emitted.append((of, offset, number, to.astype(np.int32), more))
            if not rule.untouched:
                self._of.put(rows[some], self._of.in_units(reloc, rows[some], kept[some]), size)

    def _labels(self, rows: I64) -> I64:
        """The symbols at the places of some rows: the function that begins there, else a label."""
        symbols, at = self._symbols, self._of.offset[rows]
        owner = self._laid.ids[self._of.owner[rows]].astype(np.int64)
        labels = self._named
        # The first one of those at a place counts; behind the last one stands none.
        places = np.append(symbols.value[labels], -1)
        found = np.searchsorted(places[:-1], symbols.value[owner] + at)
        there = (at == 0) | (places[found] == symbols.value[owner] + at)
        for i in rows[~there | ~is_text(symbols.kind[owner])].tolist():
            self._errors.no_label(self._of.where(i))
        return np.where(at == 0, owner, np.append(labels, 0)[found])

    def table(self) -> ExternalRelocs:
        """The relocations of the object, in file order."""
        if self._emitted:
            rows, offset, number, symbol, addend = map(
                np.concatenate, zip(*self._emitted, strict=True)
            )
        else:
            rows = number = symbol = np.zeros(0, np.int32)
            offset = addend = np.zeros(0, np.int64)
        order = np.argsort(rows, kind="stable")
        owner = self._of.owner[rows[order]]
        section = self._laid.section[owner]
        start = self._laid.address[owner] - self._link.sections.vaddrs()[section]
        return ExternalRelocs(
            section=section.astype(np.int16),
            offset=start + offset[order],
            type=number[order],
            symbol=symbol[order],
            addend=addend[order],
        )


def _section_symbols(sections: Sections) -> I64:
    """The symbol that stands for each debug section, its first: int64[n + 1]."""
    firsts = [int(s.symbols[0]) if len(s.symbols) else 0 for s in sections.items]
    return np.array([*firsts, 0], np.int64)
