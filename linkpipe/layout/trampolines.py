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
from typing import NamedTuple

import numpy as np

from linkpipe.arch import Architecture, Trampolines
from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import Packages
from linkpipe.tables.relocs import Relocs, RelocsEdit
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

_ELSEWHERE = (SymKind.SDYNIMPORT, SymKind.SUNDEFEXT)


class Reached(NamedTuple):
    """Code laid out: ``order`` int64[n], functions and trampolines by address; ``addresses``
    int64[n]; ``end``, behind the last one; ``targets``, trampoline -> the function it leads to."""

    order: I64
    addresses: I64
    end: int
    targets: dict[int, int]


class _Call(NamedTuple):
    row: int
    offset: int
    target: int
    add: int
    type: int


def lay_out(
    arch: Architecture,
    mode: Mode,
    homes: Sequence[str],
    table: Relocs,
    symbols: SymbolsEdit,
    relocs: RelocsEdit,
    order: I64,
    start: int,
    align: int,
    least: int,
    *,
    is_runtime: Callable[[str], bool],
    debug: bool = False,
    shuffled: bool = False,
) -> Reached:
    """Lay out the functions ``order`` from address ``start`` on, each at a multiple of ``align``
    and ``least`` bytes or more after the one before; calls that are too far are led to trampolines.

    ``homes`` is the package that each symbol is laid out with (see ``home_packages``), ``table``
    has the calls as they were; ``symbols`` and ``relocs`` are edited. With ``debug``, every call
    into another package that was laid out before is led to a trampoline. ``is_runtime`` tells the
    packages that the runtime is made of, which are laid out together; where functions are
    ``shuffled``, nothing is.
    """
    rules = arch.trampolines
    assert rules is not None, "the architecture has no trampolines"
    work = _Work(
        arch,
        rules,
        mode,
        homes,
        table,
        symbols,
        relocs,
        start,
        align,
        least,
        is_runtime,
        debug,
        shuffled,
    )
    for place, sym in enumerate(order.tolist()):
        work.begin_package(order, place)
        work.add(sym)
    made = np.array(work.order, np.int64)
    addresses = np.array([work.value[sym] for sym in work.order], np.int64)
    return Reached(made, addresses, work.at, work.targets)


class _Work:
    """The state of one layout: ``at`` is where the next function may start, ``value`` the addresses
    given so far, provisional ones included."""

    def __init__(
        self,
        arch: Architecture,
        rules: Trampolines,
        mode: Mode,
        homes: Sequence[str],
        table: Relocs,
        symbols: SymbolsEdit,
        relocs: RelocsEdit,
        start: int,
        align: int,
        least: int,
        is_runtime: Callable[[str], bool],
        debug: bool,
        shuffled: bool,
    ) -> None:
        self.shuffled = shuffled
        self.is_runtime = is_runtime
        self.rules, self.mode, self.homes, self.debug = rules, mode, homes, debug
        self.table, self.symbols, self.relocs = table, symbols, relocs
        self.call_types = list(arch.calls)
        self.led_types = arch.calls if rules.calls is None else rules.calls
        self.at, self.align, self.least = start, align, least
        self.value: dict[int, int] = {}
        self.order: list[int] = []
        self.targets: dict[int, int] = {}
        self.package = ""

    def begin_package(self, order: I64, place: int) -> None:
        """Give all functions of a package that begins here provisional addresses."""
        package = self._package(int(order[place]))
        if not package or package == self.package:
            return
        self.package, at = package, self.at
        for sym in order[place:].tolist():
            if self._package(sym) != package:
                break
            at = self._put(sym, at) + len(self._calls(sym)) * self.rules.size

    def add(self, sym: int) -> None:
        """Lay out one function, and the trampolines that it needs."""
        self.at = self._put(sym, self.at)
        self.order.append(sym)
        new: list[int] = []
        for call in self._calls(sym):
            if call.type in self.led_types and self._needs(sym, call):
                new += self._lead(sym, call)
        for trampoline in new:
            self.at = self._put(trampoline, self.at)
            self.order.append(trampoline)

    def _put(self, sym: int, at: int) -> int:
        self.value[sym] = at = round_up(at, max(int(self.symbols.align[sym]), self.align))
        return at + max(int(self.symbols.size[sym]), self.least)

    def _package(self, sym: int) -> str:
        return self.homes[sym] if sym < len(self.homes) else ""

    def _calls(self, sym: int) -> list[_Call]:
        table = self.table
        rows = table.rows_of(sym)
        calls = np.flatnonzero(np.isin(table.type[rows], self.call_types)) + rows.start
        columns = (table.offset, table.target, table.add, table.type)
        return [
            _Call(*row)
            for row in zip(calls.tolist(), *(c[calls].tolist() for c in columns), strict=True)
        ]

    def _needs(self, sym: int, call: _Call) -> bool:
        """Whether a call cannot reach its target, or may not."""
        symbols, target = self.symbols, call.target
        kind = int(symbols.kind[target])
        if kind == SymKind.Sxxx or not int(symbols.flags[target]) & Flag.REACHABLE:
            return False  # an error, which is found when relocations are applied
        mine, its = self._package(sym), self._package(target)
        address = self.value.get(target, 0)
        if not address:
            if kind not in _ELSEWHERE and not self.shuffled:
                together = mine and mine == its and kind == int(symbols.kind[sym])
                if together and self.rules.unsure is None:
                    return False  # laid out with this one
                if self.is_runtime(mine) and self.is_runtime(its):
                    return False  # as these are
            return True
        if self.debug and (not mine or mine != its):
            return True
        place = self.value[sym] + call.offset
        return self.rules.far(address - place, call.add, self.mode.external)

    def _lead(self, sym: int, call: _Call) -> list[int]:
        """Lead a call to a trampoline: one that is there, else a new one, which is returned."""
        symbols, rules = self.symbols, self.rules
        offset = rules.offset(call.add)
        name, version = symbols.name_bytes(call.target), int(symbols.version[call.target])
        number = 0
        while True:
            label = f"{rules.label(offset)}-tramp{number}".encode()
            trampoline = symbols.lookup_or_create(name + label, version)
            number += 1
            if int(symbols.kind[trampoline]) == SymKind.SDYNIMPORT:
                continue  # another module's
            known = self.value.get(trampoline)
            if known is None or rules.near(known - self.value[sym] - call.offset):
                break
        self.relocs.set(call.row, target=trampoline, add=rules.call(call.add))
        if rules.unsure is not None and not self.value.get(call.target, 0):
            self.relocs.set(call.row, type=rules.unsure)
        if int(symbols.kind[trampoline]) != SymKind.Sxxx:
            return []
        self._write(trampoline, sym, call.target, offset)
        return [trampoline]

    def _write(self, trampoline: int, caller: int, target: int, offset: int) -> None:
        symbols = self.symbols
        imported = int(symbols.kind[target]) == SymKind.SDYNIMPORT
        try:
            stub = self.rules.write(offset, imported, self.mode.dynlink, self.mode.pic)
        except ValueError as e:
            raise InputError(
                f"{e}: {symbols.name_bytes(target).decode()}{offset:+d}",
                symbol=symbols.name_bytes(caller).decode("utf-8", "replace"),
                remedy="the function that is called into is too large",
            ) from e
        symbols.set_content(trampoline, stub.code)
        symbols.set(trampoline, kind=int(symbols.kind[caller]))
        symbols.add_flags(trampoline, Flag.REACHABLE)
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
