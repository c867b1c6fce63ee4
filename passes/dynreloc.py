"""dynreloc: find what shared libraries define, and how it is reached.

An executable that is bound to an address knows where everything of its own lies; only what shared
libraries define is known when the program is loaded. Every relocation to such a symbol is led to
a table of the executable: a call to an entry of the procedure linkage table, an address in code to
a slot of the global offset table. Where data holds the address of a library's symbol the dynamic
linker writes it there.

A position-independent executable does not know where it will lie itself: each address in its data
gets a relocation by which the dynamic linker adds the place where it has loaded the file.

Relocations are looked at in the order of the oracle, functions as they are laid out, then data by
kind, because symbols and entries are numbered as they are met. Those that the architecture has no
way for stay as they are, and are an error when relocations are applied.

Source: cmd/link/internal/ld/data.go (dynrelocsym, dynreloc), go.go (addexport), ARCH/asm.go
(adddynrel).
Reads `symbols`, `relocs`, `text_order`, `section_groups`, `cgo`, `mode`, `host_files` if it is
there; provides `symbols`, `relocs`, `dynamic`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.hostobjects.translation import Translation
from linkpipe.layout.assign import layout_kinds
from linkpipe.linkage import HostReloc, Reach
from linkpipe.release import Release
from linkpipe.reloctype import R_ADDR, R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import DynamicImport
from linkpipe.tables.dynamic import Dynamic
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag

_IN_PLACE = frozenset(("go:func.*", "runtime.findfunctab"))
"""Tables that others have a place for, which the oracle misses once they are exported."""

_TABLES = (
    SymKind.SELFROSECT,
    SymKind.SELFRXSECT,
    SymKind.SELFSECT,
    SymKind.SELFGOT,
    SymKind.SELFRELROSECT,
)


@linkpass(
    requires=("symbols", "relocs", "text_order", "section_groups", "cgo", "mode"),
    optional=("host_files",),
    provides=("symbols", "relocs", "dynamic"),
)
def dynreloc(link: Link) -> Link:
    """Lead relocations to what shared libraries define to the executable's own tables."""
    linkage = link.arch.linkage
    assert linkage is not None, "the pass cgo has refused the link"
    kinds = layout_kinds(link.symbols, link.section_groups)
    data = np.flatnonzero(kinds)
    data = data[np.argsort(_ranks(link.release)[kinds[data]], kind="stable")]
    _check_exports(link)
    work = _Work(link)
    text = link.text_order.astype(np.int64)
    if link.mode.host_objects:
        work.translate(np.concatenate((text, data)))
    work.visit(text, linkage.in_text, anything=R_ADDR)
    writable = (kinds >= SymKind.SDATA) & (kinds <= SymKind.SDATAEND)
    work.visit(data, linkage.in_data, among=writable)
    if link.options.relocatable:
        assert linkage.relative is not None, "the pass cgo has refused the link"
        work.relative(data, linkage.relative)
    found = work.found()
    return link.evolve(symbols=work.symbols_edit.freeze(), relocs=work.finish(), dynamic=found)


def _check_exports(link: Link) -> None:
    """Refuse exports of what nobody defines, and of the linker's own tables."""
    symbols = link.symbols

    def refuse(sym: int, file: str, message: str) -> InputError:
        remedy = "rebuild the package; its cgo directives are damaged"
        return InputError(message, file=file, symbol=symbols.name(sym), remedy=remedy)

    errors = []
    for sym, file in link.cgo.exports.items():
        if symbols.kind[sym] in (SymKind.Sxxx, SymKind.SXREF):
            name = symbols.name(sym)
            errors.append(refuse(sym, file, f"export of {name}, which is not defined"))
        elif symbols.kind[sym] in _TABLES or symbols.name(sym) in _IN_PLACE:
            errors.append(refuse(sym, file, "export of a table of the linker's own"))
    checkpoint(errors)


def _ranks(release: Release) -> U8:
    """The place of each kind of data among all, as they lie in the file: uint8[256]."""
    rules = (*release.constant, *release.relocated, *release.last, *release.writable)
    ranks = np.full(256, 255, np.uint8)
    for rank, kind in enumerate(kind for rule in rules for kind in rule.kinds):
        ranks[kind] = rank
    return ranks


class _Work:
    """What has been found so far. A record of ``records``, and a row of ``bulk``, is one of
    Dynamic's; their ``turns`` say in which order: -1 for those of functions, for those of data the
    place of the relocation among all of data."""

    def __init__(self, link: Link) -> None:
        assert link.arch.linkage is not None, "the pass cgo has refused the link"
        self.link, self.relocs, self.linkage = link, link.relocs, link.arch.linkage
        self.head = len(self.linkage.first.code)
        self.entry = len(self.linkage.entry(0, 0, 0).code)
        self.edit, self.symbols_edit = link.relocs.edit(), link.symbols.edit()
        self.tabled: Bool = np.zeros(0, np.bool_)
        self.hosts: dict[int, HostReloc] = {}
        self.tables = {name: link.symbols.lookup(name) for name in (".plt", ".got")}
        self.translation = Translation(
            link.symbols,
            link.relocs,
            self.linkage.host,
            self.symbols_edit,
            self.tables[".got"],
            link.host_files if link.has("host_files") else {},
            link.cgo.lacking,
        )
        self.symbols = {sym: at for at, sym in enumerate(link.cgo.exports, 1)}
        self.plt: dict[int, int] = {}
        self.slots: list[int] = []
        self.got: dict[int, int] = {}
        self.records: list[tuple[int, ...]] = []
        self.turns: list[int] = []
        self.bulk = np.zeros((0, 6), np.int64)
        self.bulk_turns = np.zeros(0, np.int64)

    def found(self) -> Dynamic:
        """The fact."""
        records = np.array(self.records, np.int64).reshape(-1, 6)
        turns = np.concatenate((np.array(self.turns, np.int64), self.bulk_turns))
        rows = np.concatenate((records, self.bulk))[np.argsort(turns, kind="stable")]
        small, imports = rows.astype(np.int32), self.link.cgo.imports
        return Dynamic(
            symbols=np.array(list(self.symbols), np.int32),
            exported=len(self.link.cgo.exports),
            plt=np.array(list(self.plt), np.int32),
            slot=np.array(self.slots, np.int64),
            got=np.array(list(self.got), np.int32),
            files=len({imports[sym].library for sym in self.symbols if _versioned(imports, sym)}),
            place=small[:, 0],
            offset=rows[:, 1],
            type=small[:, 2],
            symbol=small[:, 3],
            target=small[:, 4],
            add=rows[:, 5],
        )

    def _rows(self, ids: I64) -> tuple[I64, I64]:
        """The relocations of some symbols that are to be applied, and whose they are."""
        rows, counts = self.relocs.rows_of_many(ids)
        owner = np.repeat(ids, counts)
        flags = self.link.symbols.flags[self.relocs.target[rows]]
        lost: Bool = self.relocs.weak[rows] & ((flags & Flag.REACHABLE) == 0)
        keep = (self.relocs.size[rows] != 0) & ~lost
        return rows[keep], owner[keep]

    def translate(self, ids: I64) -> None:
        """Make relocations of C objects those of Go's; note which ones are for tables."""
        rows, owner = self._rows(ids)
        here = (self.relocs.type[rows] > R_HOST) & (self.link.symbols.object[owner] == 0)
        made = self.translation
        made.carry_out(rows[here], owner[here])
        self.relocs, self.tabled, self.hosts = made.relocs, made.tabled, made.hosts
        self.edit = self.relocs.edit()

    def visit(
        self,
        ids: I64,
        reaches: Mapping[int, Reach],
        *,
        anything: int | None = None,
        among: Bool | None = None,
    ) -> None:
        """Lead relocations of some symbols to tables, those of C objects that are for them, those
        of Go's of what is ``among``; in position-independent code those of the type ``anything``
        whatever they refer to."""
        rows, owner = self._rows(ids)
        types = self.relocs.type[rows]
        wanted = self.link.symbols.kind[self.relocs.target[rows]] == SymKind.SDYNIMPORT
        if self.link.options.relocatable and anything is not None:
            wanted |= types == anything
        wanted &= np.isin(types, list(reaches))
        if among is not None:
            wanted &= among[owner]
        if len(self.tabled):
            wanted |= self.tabled[rows]
        for at in np.flatnonzero(wanted).tolist():
            row, place = int(rows[at]), int(owner[at])
            host = self.hosts.get(row)
            reach = None if host is None else host.imported
            self._reach(row, place, reach or reaches[int(self.relocs.type[row])])
            self.turns += [-1 if among is None else at] * (len(self.records) - len(self.turns))

    def _reach(self, row: int, place: int, reach: Reach) -> None:
        target, given = int(self.relocs.target[row]), int(self.relocs.add[row])
        if reach.whole and given:
            return
        linkage = self.linkage
        if reach.by == ".got" and linkage.fills_slots and not self._imported(target):
            self.edit.set(row, target=self.tables[".got"], type=reach.type or self.relocs.type[row])
            self.edit.set(row, add=reach.addend(given, self._filled(target)))
            return
        if target not in self.symbols:
            self._refuse_table(target, row, place)
        number = self.symbols.setdefault(target, len(self.symbols) + 1)
        type_ = int(self.relocs.type[row]) if reach.type is None else reach.type
        if reach.by == "place":
            assert linkage.absolute is not None, "Linkage has looked"
            offset = int(self.relocs.offset[row])
            self.records.append((place, offset, linkage.absolute, number, 0, 0))
            self.edit.set(row, type=type_, target=0)
            return
        if reach.by == ".plt":
            if target not in self.plt:
                self.slots.append(self._next_slot(linkage.slots))
            at = self.plt.setdefault(target, self.head + self.entry * len(self.plt))
        else:
            new = target not in self.got
            at = self.got.setdefault(target, self._next_slot(".got"))
            if new:
                record = (self.tables[".got"], at, linkage.glob_dat, number, 0, 0)
                self.records.append(record)
        self.edit.set(
            row,
            target=self.tables[reach.by],
            add=reach.addend(given, at),
            type=type_,
        )

    def _refuse_table(self, target: int, row: int, place: int) -> None:
        """Refuse to make a dynamic symbol of what the linker itself fills: the oracle says there
        how large it happens to be at that moment, or misses it later. The size of .got is known."""
        link, symbols = self.link, self.link.symbols
        kind, name = int(symbols.kind[target]), symbols.name(target)
        made = not symbols.object[target] and not symbols.has(target, Flag.OF_C)
        if target != self.tables[".got"] and (
            kind in (*_TABLES, link.release.module_kind)
            or name in _IN_PLACE
            or (made and symbols.data_size[target])
        ):
            raise InputError(
                f"{name} is a table of the linker's own, and C code asks for a slot for it",
                file=link.host_files.get(place, "") if link.has("host_files") else "",
                symbol=symbols.name(place),
                offset=int(self.relocs.offset[row]),
                remedy="give the symbol another name",
            )

    def finish(self) -> Relocs:
        """The relocations as they are from then on."""
        return self.translation.pair(self.edit.freeze())

    def _imported(self, sym: int) -> bool:
        return bool(self.link.symbols.kind[sym] == SymKind.SDYNIMPORT)

    def _next_slot(self, table: str) -> int:
        """The offset of the next slot of .got or .got.plt."""
        entries = table == self.linkage.slots
        count = len(self.linkage.reserved) + len(self.slots) if entries else 0
        return self.link.arch.ptrsize * (count + (len(self.got) if table == ".got" else 0))

    def _filled(self, target: int) -> int:
        """The offset of the slot of what is defined here, which holds its address."""
        size = self.link.arch.ptrsize
        if target not in self.got:
            at = self.got[target] = self._next_slot(".got")
            table = self.tables[".got"]
            self.edit.add(table, offset=at, size=size, type=R_ADDR, target=target)
            self.symbols_edit.set(table, size=at + size)
        return self.got[target]

    def relative(self, ids: I64, type_: int) -> None:
        """Have the dynamic linker put every address in data right."""
        rows, owner = self._rows(ids)
        turns = np.flatnonzero(self.relocs.type[rows] == R_ADDR)
        rows, owner, self.bulk_turns = rows[turns], owner[turns], turns
        symbols, ptrsize = self.link.symbols, self.link.arch.ptrsize
        checkpoint(
            InputError(
                "unexpected relocation for dynamic symbol "
                f"{symbols.name(int(self.relocs.target[row]))}",
                symbol=symbols.name(sym),
                offset=int(self.relocs.offset[row]),
                expected=f"an address of {ptrsize} bytes",
                found=f"{int(self.relocs.size[row])} bytes",
                remedy="such data cannot be linked into a position-independent executable; "
                "link with -buildmode=exe",
            )
            for row, sym in zip(rows.tolist(), owner.tolist(), strict=True)
            if self.relocs.size[row] != ptrsize
        )
        zeros = np.zeros_like(owner)
        relocs = self.relocs
        self.bulk = np.stack(
            (
                owner,
                relocs.offset[rows].astype(np.int64),
                zeros + type_,
                zeros,
                relocs.target[rows].astype(np.int64),
                relocs.add[rows],
            ),
            axis=1,
        )


def _versioned(imports: Mapping[int, DynamicImport], sym: int) -> bool:
    return sym in imports and bool(imports[sym].version)
