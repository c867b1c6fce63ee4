"""The reachability rules, one symbol at a time: a worklist, as the oracle describes it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.tables.symbols import Flag

FOLLOWED_AUXS = (goobj.AUX_FUNCDATA,)


class Reloc(NamedTuple):
    offset: int
    type: int
    weak: bool
    add: int
    target: int


class Slow:
    """``reached`` and ``used`` are sets of symbols; ``retargeted`` of (symbol, row)."""

    def __init__(self, link: Link, auxs: Collection[int] = FOLLOWED_AUXS) -> None:
        self.link, self.auxs = link, auxs
        self.symbols = link.symbols
        self.reached: set[int] = set()
        self.used = {
            sym for sym in range(1, len(link.symbols)) if self.flag(sym, Flag.USED_IN_IFACE)
        }
        self.queue: list[int] = []
        self.called: set[tuple[bytes, int]] = set()
        self.called_names: set[bytes] = set()
        self.methods: list[tuple[bytes, int, int, int]] = []
        self.reflect = link.mode.dynlink

    def flag(self, sym: int, flag: Flag) -> bool:
        return bool(int(self.symbols.flags[sym]) & flag)

    def relocs(self, sym: int) -> list[Reloc]:
        one = np.array([sym])
        found = self.link.objects.relocs(self.symbols.object[one], self.symbols.local[one])
        columns = (found.offset, found.type, found.weak, found.add, found.target)
        return [Reloc(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]

    def at(self, sym: int, offset: int) -> int:
        return next((r.target for r in self.relocs(sym) if r.offset == offset), 0)

    def text(self, name: int) -> bytes:
        data = bytes(self.symbols.data(name))
        assert data[1] < 0x80
        return data[2 : 2 + data[1]]

    def mark(self, sym: int) -> None:
        if sym and sym not in self.reached:
            self.reached.add(sym)
            self.queue.append(sym)

    def use(self, sym: int) -> None:
        """Into an interface; what was visited is visited again."""
        if sym not in self.used:
            self.used.add(sym)
            if sym in self.reached:
                self.queue.append(sym)

    def run(self, roots: list[int]) -> None:
        for root in roots:
            self.mark(root)
        while True:
            while self.queue:
                self.visit(self.queue.pop())
            rest = []
            for name, mtyp, sym, row in self.methods:
                exported = name.decode("utf-8", "replace")[:1].isupper()
                if (
                    (self.reflect and (exported or self.link.mode.dynlink))
                    or (name, mtyp) in self.called
                    or name in self.called_names
                ):
                    for reloc in self.relocs(sym)[row : row + 3]:
                        self.mark(reloc.target)
                else:
                    rest.append((name, mtyp, sym, row))
            self.methods = rest
            if not self.queue:
                return

    def visit(self, sym: int) -> None:
        self.reflect = self.reflect or self.flag(sym, Flag.REFLECT_METHOD)
        gotype = self.flag(sym, Flag.GO_TYPE)
        if gotype and self.link.mode.dynlink:
            self.used.add(sym)
        used = gotype and sym in self.used
        relocs = self.relocs(sym)
        row = 0
        while row < len(relocs):
            reloc = relocs[row]
            row += 1
            call = reloc.type == rt.R_CALL
            if reloc.weak and not (call and self.link.mode.can_use_plugins):
                continue
            match reloc.type:
                case rt.R_METHODOFF:
                    if used:
                        name = self.text(self.at(sym, reloc.offset - 4))
                        self.methods.append((name, reloc.target, sym, row - 1))
                        self.use(reloc.target)
                    row += 2
                case rt.R_USETYPE | rt.R_INITORDER:
                    pass
                case rt.R_USEIFACE:
                    itab = self.flag(reloc.target, Flag.ITAB)
                    self.use(self.at(reloc.target, 8) if itab else reloc.target)
                case rt.R_USEIFACEMETHOD:
                    name = self.text(self.at(reloc.target, reloc.add))
                    self.called.add((name, self.at(reloc.target, reloc.add + 4)))
                case rt.R_USENAMEDMETHOD:
                    self.called_names.add(bytes(self.symbols.data(reloc.target)))
                case _:
                    if used and self.flag(reloc.target, Flag.GO_TYPE):
                        self.use(reloc.target)
                    self.mark(reloc.target)
        one = np.array([sym])
        auxs = self.link.objects.auxs(self.symbols.object[one], self.symbols.local[one])
        for kind, target in zip(auxs.type.tolist(), auxs.target.tolist(), strict=True):
            if kind in self.auxs:
                self.mark(target)
