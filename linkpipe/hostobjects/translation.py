"""Relocations of C objects become those of Go's: what the architecture says of each
(`linkpipe/linkage.py`) is carried out, for all of one type at once.

What shared libraries define, and what asks for a slot of the global offset table, is noted for
those who make these tables. Halves of an address that have a relocation each are brought together
once the tables are known: the lower one takes the symbol of the upper one.

Source: cmd/link/internal/ARCH/asm.go (adddynrel; findHI20Reloc).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from linkpipe.arrays.ragged import distinct
from linkpipe.arrays.types import I64, Bool
from linkpipe.errors import InputError, checkpoint
from linkpipe.linkage import HostReloc
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Symbols, SymbolsEdit

_OUTSIDE = "link with -ldflags=-linkmode=external"


class Translation:
    """The relocations of one link while those of C objects are made Go's.

    ``host`` is the architecture's table, ``got`` the symbol of the global offset table; ``files``
    are the names of the objects by the symbols of their sections, ``lacking`` says what became of
    the compiler's library. ``edit`` gets the instructions that become others.

    Then ``relocs`` are the relocations; ``tabled`` says which ones are for entries of tables:
    bool[n], and ``hosts`` what those were.
    """

    def __init__(
        self,
        symbols: Symbols,
        relocs: Relocs,
        host: Mapping[int, HostReloc],
        edit: SymbolsEdit,
        got: int,
        files: Mapping[int, str],
        lacking: str,
    ) -> None:
        self.relocs, self.tabled = relocs, np.zeros(len(relocs), np.bool_)
        self.hosts: dict[int, HostReloc] = {}
        self._symbols, self._host, self._content, self._got = symbols, host, edit, got
        self._files, self._lacking = files, lacking
        none = np.zeros(0, np.int64)
        self._halves = {"high": [(none, none)], "low": [(none, none)]}

    def carry_out(self, rows: I64, owner: I64) -> None:
        """Translate these relocations of C objects; ``owner`` are the symbols that they are of."""
        types = self.relocs.type[rows].astype(np.int64) - R_HOST
        self._edit = self.relocs.edit()
        for number in distinct(types).tolist():
            some = types == number
            reloc = self._host[number]
            self._translate(reloc, rows[some], owner[some])
            self.hosts |= dict.fromkeys(rows[some & self.tabled[rows]].tolist(), reloc)
        self.relocs = self._edit.freeze()

    def _target(self, row: int) -> str:
        return self._symbols.name(int(self.relocs.target[row]))

    def _refuse(self, wrong: Iterable[tuple[int, int, str]], remedy: str, found: str = "") -> None:
        """Raise an error for each of these, if any: a relocation, whose it is, what is said."""
        checkpoint(
            InputError(
                words,
                symbol=self._symbols.name(sym),
                file=self._files.get(sym, ""),
                offset=int(self.relocs.offset[row]),
                found=found,
                remedy=remedy,
            )
            for row, sym, words in wrong
        )

    def _all(self, rows: I64, owner: I64, words: str) -> Iterable[tuple[int, int, str]]:
        pairs = zip(rows.tolist(), owner.tolist(), strict=True)
        return ((row, sym, words.format(self._target(row) or "?")) for row, sym in pairs)

    def _translate(self, reloc: HostReloc, rows: I64, owner: I64) -> None:
        """Translate those of one type."""
        symbols, relocs = self._symbols, self.relocs
        if reloc.type == R_HOST:
            self._inside(rows, owner)
            self._edit.set(rows, type=R_HOST, size=0)
            return
        if reloc.half:
            self._halves[reloc.half].append((rows, owner))
        imported = symbols.kind[relocs.target[rows]] == SymKind.SDYNIMPORT
        if reloc.table:
            self._edit.set(rows, target=self._got)
            imported[:] = False
        if reloc.type is None:
            number = int(relocs.type[rows[0]])
            words = reloc.undefined or f"unexpected relocation type {number} ({reloc.name})"
            self._refuse(self._all(rows, owner, words), _OUTSIDE)
        elif reloc.imported is None:
            words = f"unexpected {reloc.name} relocation for dynamic symbol {{}}"
            self._refuse(self._all(rows[imported], owner[imported], words), _OUTSIDE)
        target = relocs.target[rows]
        unknown = np.isin(symbols.kind[target], (SymKind.Sxxx, SymKind.SXREF))
        unknown &= bool(reloc.undefined) | (target == 0)
        remedy = "link what defines it, or with -ldflags=-linkmode=external"
        if reloc.undefined:
            words = reloc.undefined
            self._refuse(self._all(rows[unknown], owner[unknown], words), remedy, self._lacking)
        self.tabled[rows[imported | reloc.slot]] = True
        self._edit.set(rows, type=reloc.type, add=relocs.add[rows] + reloc.add)
        if reloc.rewrites:
            self._rewrite(reloc, rows[~imported], owner[~imported])
        if reloc.slot:
            unknown &= self.tabled[rows]
            words = "unknown symbol {} in pcrel"
            self._refuse(self._all(rows[unknown], owner[unknown], words), remedy, self._lacking)

    def _inside(self, rows: I64, owner: I64) -> None:
        """Refuse relocations outside of their sections, though they change nothing."""
        offset, width = (
            column[rows].astype(np.int64) for column in (self.relocs.offset, self.relocs.size)
        )
        size = self._symbols.data_size[owner]
        outside = np.flatnonzero((offset < 0) | (offset + width > size)).tolist()
        self._refuse(
            (
                (
                    int(rows[at]),
                    int(owner[at]),
                    f"invalid relocation : {offset[at]}+{width[at]} not in [0,{size[at]})",
                )
                for at in outside
            ),
            "rebuild the package; its C object is damaged",
        )

    def _rewrite(self, reloc: HostReloc, rows: I64, owner: I64) -> None:
        """Make loads of addresses that are known other instructions."""
        bad: list[tuple[int, int]] = []
        contents: dict[int, bytearray] = {}
        changed: set[int] = set()
        for row, sym in zip(rows.tolist(), owner.tolist(), strict=True):
            if sym not in contents:
                contents[sym] = bytearray(self._content.data(sym))
            content, at = contents[sym], int(self.relocs.offset[row])
            for rule in reloc.rewrites:
                start = at - rule.back
                end = start + len(rule.before)
                if start >= 0 and content[start:end] == rule.before:
                    content[start:end] = rule.after
                    changed.add(sym)
                    self._edit.set(row, type=rule.type, add=int(self.relocs.add[row]) + rule.add)
                    self.tabled[row] = False
                    break
            else:
                bad += [] if reloc.slot else [(row, sym)]
        checkpoint(
            InputError(
                f"unexpected GOT reloc for non-dynamic symbol {self._target(row)}",
                symbol=self._symbols.name(sym),
                file=self._files.get(sym, ""),
                offset=int(self.relocs.offset[row]),
                expected="an instruction that loads or pushes the address",
                remedy=_OUTSIDE,
            )
            for row, sym in bad
        )
        for sym in sorted(changed):
            self._content.set_content(sym, bytes(contents[sym]), grow=False)

    def pair(self, relocs: Relocs) -> Relocs:
        """Give lower halves of addresses the symbols and addends of their upper halves, and the way
        back to their places."""
        (high, held), (low, owner) = (
            (np.concatenate(part) for part in zip(*self._halves[half], strict=True))
            for half in ("high", "low")
        )
        if not len(low):
            return relocs
        symbols = self._symbols
        order = np.lexsort((high, relocs.offset[high], held))
        high = high[order]
        places = held[order] << 32 | relocs.offset[high]
        label = relocs.target[low].astype(np.int64)
        outer = symbols.container[label].astype(np.int64)
        wanted = outer << 32 | symbols.value[label] - symbols.value[outer]
        at = np.searchsorted(places, wanted)
        lost: Bool = (outer == 0) | (np.append(places, -1)[at] != wanted)
        given = relocs.add[low] != 0
        for bad, words in (
            (lost, "missing HI20 relocation for LO12 relocation with {}"),
            (given & ~lost, "lower half of an address with non-zero addend, at {}"),
        ):
            self._refuse(
                self._all(low[bad], owner[bad], words), f"rebuild the package, or {_OUTSIDE}"
            )
        high = high[at]
        back = relocs.offset[low].astype(np.int64) - relocs.offset[high]
        edit = relocs.edit()
        edit.set(low, target=relocs.target[high], add=relocs.add[high] + back)
        return edit.freeze()
