"""Laying out code in which calls may not reach their targets.

A call that is too far jumps to a trampoline near by, a piece of code that can jump anywhere. Which
calls those are depends on addresses, and addresses on how many trampolines there are: so functions
are laid out one by one, each followed by the trampolines that its calls need. For a package that is
begun, all of its functions first get provisional addresses, with room for every trampoline that
there could be. A target of a later package has none yet; calls to it are taken to be too far.

This is a loop over calls, and it is only run for programs that are larger than a call's reach (or
with -debugtramp=2, for tests). Where calls reach but a megabyte that is nearly all of them: there a
call whose target has no address yet is only marked (Trampolines.unsure); its trampoline is left out
again when all addresses are known.

Source: cmd/link/internal/ld/data.go:74-130, 2754-2838 (maxSizeTrampolines, trampoline,
textaddress).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from linkpipe.arch import Architecture, Trampolines
from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import I64, Bool
from linkpipe.errors import InputError
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import Packages
from linkpipe.tables.relocs import Relocs, RelocsEdit
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

_ELSEWHERE = (SymKind.SDYNIMPORT, SymKind.SUNDEFEXT)


class Reached(NamedTuple):
    """Code laid out: ``order`` int64[n], functions and trampolines by address; ``addresses``
    int64[n]; ``end``, behind the last one; ``targets``, trampoline -> the function it leads to;
    ``sections``, the address and the alignment of each."""

    order: I64
    addresses: I64
    end: int
    targets: dict[int, int]
    sections: list[tuple[int, int]]


def lay_out(
    arch: Architecture,
    mode: Mode,
    homes: Sequence[str],
    table: Relocs,
    symbols: SymbolsEdit,
    relocs: RelocsEdit,
    order: I64,
    parts: I64,
    start: int,
    align: int,
    least: int,
    *,
    is_runtime: Callable[[str], bool],
    debug: bool = False,
    shuffled: bool = False,
    exact: bool = False,
    limit: int = 0,
) -> Reached:
    """Lay out the functions ``order`` from address ``start`` on, each at a multiple of ``align``
    and ``least`` bytes or more after the one before; calls that are too far are led to trampolines.
    ``parts`` lie in sections of C objects among ``order``; until those have an address the oracle
    takes a part's offset for its own, and no call for far that leads there.

    ``homes`` is the package that each symbol is laid out with (see ``home_packages``), ``table``
    has the calls as they were; ``symbols`` and ``relocs`` are edited. With ``debug``, every call
    into another package that was laid out before is led to a trampoline. ``is_runtime`` tells the
    packages that the runtime is made of, which are laid out together; where functions are
    ``shuffled``, nothing is. ``exact``: what says how it is aligned is so, even if that is less
    than ``align``. With a ``limit`` a section that would be larger, with all trampolines that its
    last function could need, ends before that function.

    Raises InputError for a function that is larger than the limit.
    """
    rules = arch.trampolines
    assert rules is not None, "the architecture has no trampolines"
    hosted = np.isin(table.type, [R_HOST + number for number in rules.host])
    work = _Work(
        order,
        parts,
        rules,
        mode,
        homes,
        table,
        symbols,
        relocs,
        start,
        align,
        least,
        np.isin(table.type, list(arch.calls)),
        arch.calls if rules.calls is None else rules.calls,
        hosted,
        cache(is_runtime),
        debug,
        shuffled,
        exact,
        limit,
        arch.func_align,
    )
    for place in range(len(order)):
        work.begin_package(place)
        work.add(place)
    work.lead()
    made = np.array(work.order, np.int64)
    addresses = np.array([work.value[sym] for sym in work.order], np.int64)
    return Reached(made, addresses, work.at, work.targets, work.sections)


class _Work:
    """The state of one layout: ``at`` is where the next function may start, ``value`` the addresses
    given so far, provisional ones included, ``order`` what is laid out. All that the loop reads of
    the tables is in lists, whose items cost less than an array's."""

    def __init__(
        self,
        order: I64,
        parts: I64,
        rules: Trampolines,
        mode: Mode,
        homes: Sequence[str],
        table: Relocs,
        symbols: SymbolsEdit,
        relocs: RelocsEdit,
        start: int,
        align: int,
        least: int,
        is_call: Bool,
        led: frozenset[int],
        hosted: Bool,
        is_runtime: Callable[[str], bool],
        debug: bool,
        shuffled: bool,
        exact: bool,
        limit: int,
        own_align: int,
    ) -> None:
        self.limit, self.sections = limit, [(start, align)]
        self.shuffled, self.exact = shuffled, exact
        self.is_runtime = is_runtime
        self.rules, self.mode, self.homes, self.debug = rules, mode, homes, debug
        self.symbols, self.relocs = symbols, relocs
        self.at, self.least_align, self.least = start, align, least
        self.own_align = own_align
        self.functions: list[int] = order.tolist()
        self.align: list[int] = symbols.align.tolist()
        self.size: list[int] = symbols.size.tolist()
        self.kind: list[int] = symbols.kind.tolist()
        self.reachable: list[bool] = ((symbols.flags & Flag.REACHABLE) != 0).tolist()

        # The calls of order[i] may need so many trampolines; those that can be led to one are rows
        # bounds[i] to bounds[i + 1] of the lists.
        rows, counts = table.rows_of_many(order)
        of = np.repeat(np.arange(len(order)), counts)
        self.calls: list[int] = np.bincount(of[is_call[rows]], minlength=len(order)).tolist()
        can = is_call[rows] & np.isin(table.type[rows], list(led))
        can |= hosted[rows] & (symbols.object[order][of] == 0)
        rows, of = rows[can], of[can]
        self.bounds: list[int] = np.searchsorted(of, np.arange(len(order) + 1)).tolist()
        self.rows = rows
        self.offset: list[int] = table.offset[rows].tolist()
        self.target: list[int] = table.target[rows].tolist()
        self.addend: list[int] = table.add[rows].tolist()

        offsets: list[int] = symbols.value[parts].tolist()
        self.value: dict[int, int] = dict(zip(parts.tolist(), offsets, strict=True))
        self.parts: dict[int, list[tuple[int, int]]] = {}
        outers: list[int] = symbols.container[parts].tolist()
        for outer, part in zip(outers, self.value.items(), strict=True):
            self.parts.setdefault(outer, []).append(part)
        self.order: list[int] = []
        self.targets: dict[int, int] = {}
        self.package = ""
        # The trampolines to a place, a target and an offset, by number; 0: another module's.
        self.there: dict[tuple[int, int], list[int]] = {}
        self.leads: list[tuple[int, int]] = []
        self.unsure: list[int] = []

    def begin_package(self, place: int) -> None:
        """Give all functions of a package that begins here provisional addresses."""
        package = self._package(self.functions[place])
        if not package or package == self.package:
            return
        self.package, at = package, self.at
        for later in range(place, len(self.functions)):
            sym = self.functions[later]
            if self._package(sym) != package:
                break
            at = self._put(sym, self._aligned(sym, at)) + self.calls[later] * self.rules.size

    def add(self, place: int) -> None:
        """Lay out one function, and the trampolines that it needs."""
        sym = self.functions[place]
        self._append(sym, self.calls[place] * self.rules.size)
        new: list[int] = []
        for call in range(self.bounds[place], self.bounds[place + 1]):
            if self._needs(sym, call):
                self._lead(sym, call, new)
        for trampoline in new:
            self._append(trampoline, 0)

    def lead(self) -> None:
        """Lead the calls to their trampolines."""
        calls = [call for call, _ in self.leads]
        if calls:
            adds = [self.rules.call(self.addend[call]) for call in calls]
            targets = [trampoline for _, trampoline in self.leads]
            self.relocs.set(self.rows[calls], target=targets, add=adds)
        if self.unsure:
            self.relocs.set(self.rows[self.unsure], type=self.rules.unsure)

    def _append(self, sym: int, more: int) -> None:
        """Lay out a function or a trampoline, which may need so many bytes ``more`` behind it; in a
        new section if this one has no room for that."""
        at = self._aligned(sym, self.at)
        size = max(self.size[sym], self.least)
        if self.limit and size > self.limit:
            raise InputError(
                f"text size limit {self.limit} less than text symbol "
                f"{self.symbols.name_bytes(sym).decode('utf-8', 'replace')} size of {size}",
                remedy="set a larger -debugtextsize",
            )
        if self.limit and at - self.sections[-1][0] + size + more > self.limit:
            self.sections.append((at, self.own_align))
            self.symbols.own(f"runtime.text.{len(self.sections) - 1}")
        self.at = self._put(sym, at)
        self.order.append(sym)

    def _aligned(self, sym: int, at: int) -> int:
        """Where a function may start; its section is aligned as it is."""
        own = self.align[sym]
        align = own if own and self.exact else max(own, self.least_align)
        start, before = self.sections[-1]
        self.sections[-1] = (start, max(before, align))
        return round_up(at, align)

    def _put(self, sym: int, at: int) -> int:
        self.value[sym] = at
        for part, offset in self.parts.get(sym, ()):
            self.value[part] = at + offset
        return at + max(self.size[sym], self.least)

    def _package(self, sym: int) -> str:
        return self.homes[sym] if sym < len(self.homes) else ""

    def _needs(self, sym: int, call: int) -> bool:
        """Whether a call cannot reach its target, or may not."""
        target = self.target[call]
        kind = self.kind[target]
        if kind == SymKind.Sxxx or not self.reachable[target]:
            return False  # an error, which is found when relocations are applied
        mine, its = self._package(sym), self._package(target)
        address = self.value.get(target, 0)
        if not address:
            if kind not in _ELSEWHERE and not self.shuffled:
                together = mine and mine == its and kind == self.kind[sym]
                if together and self.rules.unsure is None:
                    return False  # laid out with this one
                if self.is_runtime(mine) and self.is_runtime(its):
                    return False  # as these are
            return True
        if self.debug and (mine != its or (not mine and self.rules.strangers)):
            return True
        place = self.value[sym] + self.offset[call]
        return self.rules.far(address - place, self.addend[call], self.mode.external)

    def _lead(self, sym: int, call: int, new: list[int]) -> None:
        """Lead a call to a trampoline: one that is there, else one that is made, and added to
        ``new``."""
        target, place = self.target[call], self.value[sym] + self.offset[call]
        offset = self.rules.offset(self.addend[call])
        there = self.there.setdefault((target, offset), [])
        for trampoline in there:
            if trampoline and self._near(trampoline, place):
                break
        else:
            trampoline = self._another(target, offset, place, there)
        self.leads.append((call, trampoline))
        if self.rules.unsure is not None and not self.value.get(target, 0):
            self.unsure.append(call)
        if self.kind[trampoline] == SymKind.Sxxx:
            self._write(trampoline, sym, target, offset)
            new.append(trampoline)

    def _near(self, trampoline: int, place: int) -> bool:
        """Whether a call there can reach it; one without an address will lie near."""
        known = self.value.get(trampoline)
        return known is None or self.rules.near(known - place)

    def _another(self, target: int, offset: int, place: int, there: list[int]) -> int:
        """The next trampoline by number that can be reached, put behind those that are there."""
        symbols = self.symbols
        name = symbols.name_bytes(target) + f"{self.rules.label(offset)}-tramp".encode()
        version = int(symbols.version[target])
        while True:
            trampoline = symbols.lookup_or_create(name + str(len(there)).encode(), version)
            self._learn(trampoline)
            elsewhere = self.kind[trampoline] == SymKind.SDYNIMPORT
            there.append(0 if elsewhere else trampoline)
            if not elsewhere and self._near(trampoline, place):
                return trampoline

    def _learn(self, sym: int) -> None:
        """Have the lists hold a symbol that may be new."""
        for column in (self.align, self.size, self.kind):
            column.extend([0] * (sym + 1 - len(column)))
        self.reachable.extend([False] * (sym + 1 - len(self.reachable)))

    def _write(self, trampoline: int, caller: int, target: int, offset: int) -> None:
        symbols = self.symbols
        imported = self.kind[target] == SymKind.SDYNIMPORT
        try:
            stub = self.rules.write(offset, imported, self.mode.dynlink, self.mode.pic)
        except ValueError as e:
            raise InputError(
                f"{e}: {symbols.name_bytes(target).decode()}{offset:+d}",
                symbol=symbols.name_bytes(caller).decode("utf-8", "replace"),
                remedy="the function that is called into is too large",
            ) from e
        symbols.set_content(trampoline, stub.code)
        symbols.set(trampoline, kind=self.kind[caller])
        symbols.add_flags(trampoline, Flag.REACHABLE)
        self.kind[trampoline], self.size[trampoline] = self.kind[caller], len(stub.code)
        self.reachable[trampoline] = True
        for r in stub.relocs:
            self.relocs.add(
                trampoline, offset=r.offset, size=r.size, type=r.type, target=target, add=r.add
            )
        self.targets[trampoline] = target


def home_packages(packages: Packages, objects: Objects, symbols: Symbols) -> list[str]:
    """The package that each symbol is laid out with, "" for what the linker made."""
    paths = np.array([package.path for package in packages.items], object)
    of_object = np.append(paths, "")[objects.package]
    of_object[0] = ""
    out: list[str] = of_object[symbols.object].tolist()
    for sym, path in symbols.packages.items():
        out[sym] = path
    return out
