"""Why symbols are in the output: chains of reasons from the roots, in which each step holds without
those that come after it.

The graph alone does not say that: it has an edge from each type to each of its methods that is
kept, and what keeps the method may itself be kept by it alone. A run knows in which turn it came to
each symbol, so a chain takes edges from an earlier turn to a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I32, I64, Bool, Ints
from linkpipe.ask import rerun
from linkpipe.ask.calls import Calls
from linkpipe.ask.linknames import is_pulled, pulled
from linkpipe.ask.modules import Modules
from linkpipe.deadcode.inputs import STAND_IN
from linkpipe.engine.context import Link
from linkpipe.functab.lines import source_frames
from linkpipe.graphs.csr import Csr, breadth_first, build_csr
from linkpipe.graphs.graph import AUX, FROM_ROOT, MAPINIT, METHOD, ROOT, Arcs
from linkpipe.reloctype import R_HOST, R_KEEP
from linkpipe.symkind import is_text
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value, evolve, record

_WAYS = ("", "linkname", "assembly")


@record
class Inlined(Value):
    """A place "file:line" in a function that was inlined."""

    function: str
    line: str


@record
class Reason(Value):
    """One symbol keeps another.

    Attributes:
        source: what keeps it; "" for a root.
        target: what is kept.
        kind: "root", "call", "method", "type" … (see docs/looking-inside.md).
        relocation: the type of the relocation that says so, "" where it is none.
        offset: bytes from the start of ``source`` to what refers, None where nothing does.
        line: "file:line" in ``source`` of what refers, "" where the tables of lines give none.
        inlined: where a call was inlined there the places in what was inlined, outermost first.
        because: what else it takes, in words.
        package: the package that ``source`` is defined in, "" for what the linker makes.
        standard: whether that is of the standard library.
        own: whether it is the user's own: of the main module.
    """

    source: str
    target: str
    kind: str
    relocation: str = ""
    offset: int | None = None
    line: str = ""
    inlined: tuple[Inlined, ...] = ()
    because: str = ""
    package: str = ""
    standard: bool = False
    own: bool = False


class _Note(NamedTuple):
    """A note of the compiler's in a function that keeps a method: relocation, function, method."""

    row: int
    caller: int
    method: int


@record
class Reasons:
    """The reasons of what a run reached.

    Attributes:
        link: the link that it is about.
        run: what was reached.
        by_call: whether chains come to a method by the call that keeps it; by its type if not.
    """

    link: Link
    run: rerun.Run
    by_call: bool = False

    @cached_property
    def calls(self) -> Calls:
        """What calls methods."""
        return Calls(self.run)

    @cached_property
    def modules(self) -> Modules:
        """Whose code it is."""
        return Modules(self.link)

    @cached_property
    def arcs(self) -> Arcs:
        """What keeps what in this run."""
        arcs, run, relocs = self.link.graph.arcs, self.run, self.link.graph.relocs
        source, target, reason, row = arcs
        kept = np.zeros(len(relocs), np.bool_)
        kept[expand(run.methods, np.full(len(run.methods), 3))] = True
        valid = run.reached[target] & (run.reached[source] | (source == ROOT))
        valid &= (reason != METHOD) | kept[row]
        if not run.inputs.mode.can_use_plugins:
            valid &= (row < 0) | ~relocs.weak[row] | (reason >= METHOD)
        return Arcs(*(column[valid] for column in arcs))

    @cached_property
    def _steps(self) -> tuple[I32, I32, I64]:
        """Arcs to go along: source, target, number of the arc. Numbers beyond the arcs are of a
        call, and of a method that some call keeps."""
        turn, (source, target, reason, _) = self.run.turn, self.arcs
        forward: Bool = (source == ROOT) | (turn[source] < turn[target])
        if not self.by_call:
            rows = np.flatnonzero(forward)
            return source[rows], target[rows], rows
        rows = np.flatnonzero(forward & (reason != METHOD))
        calls, (_, callers, groups) = self.calls, self.calls.calls
        n, m = len(turn), len(source)
        # A group is reached by its first call, and reaches methods after that.
        first = np.full(calls.count, np.iinfo(np.int32).max, np.int32)
        np.minimum.at(first, groups, turn[callers])
        begins = np.flatnonzero(turn[callers] == first[groups])
        arcs = np.flatnonzero(reason == METHOD)
        method = np.searchsorted(calls.methods.row, self.arcs.row[arcs], side="right") - 1
        sources, targets, numbers = [source[rows]], [target[rows]], [rows]
        sources.append(callers[begins])
        targets.append((n + groups[begins]).astype(np.int32))
        numbers.append(m + begins)
        for group in (each[method] for each in calls.method_groups):
            late = first[group] < turn[target[arcs]]
            sources.append((n + group[late]).astype(np.int32))
            targets.append(target[arcs[late]])
            numbers.append(arcs[late])
        return np.concatenate(sources), np.concatenate(targets), np.concatenate(numbers)

    @cached_property
    def _search(self) -> tuple[Csr, I32, I32]:
        """Edges to go along, and shortest chains: what comes before each symbol, and how far it is
        from the roots (-1: not in the output)."""
        source, target, number = self._steps
        n = len(self.run.turn) + (self.calls.count if self.by_call else 0)
        # What stands in for dropped methods is a poor explanation of anything else.
        stands_in = [sym for sym, told in self.link.graph.roots if told == STAND_IN]
        few = np.flatnonzero(~np.isin(source, stands_in))
        csr = build_csr(n, source[few], target[few], number[few].astype(np.int32))
        parent, distance = breadth_first(csr, ROOT)
        if (distance[: len(self.run.turn)][self.run.reached] < 0).any():
            csr = build_csr(n, source, target, number.astype(np.int32))
            parent, distance = breadth_first(csr, ROOT)
        return csr, parent, distance

    @property
    def tree(self) -> tuple[I32, I32]:
        """Shortest chains: what comes before each symbol, and how far it is from the roots (-1: not
        in the output), int32[n] both."""
        return self._search[1:]

    def chain(self, symbol: int) -> tuple[Reason, ...]:
        """A shortest chain of reasons for a symbol that was reached, from the root on."""
        parent, distance = self.tree
        if distance[symbol] < 0:
            return ()
        path = [symbol]
        while path[-1] != ROOT:
            path.append(int(parent[path[-1]]))
        path.reverse()
        found: list[int | _Note] = []
        call = 0
        numbers = self.numbers(np.array(path[:-1], np.int64), np.array(path[1:], np.int64))
        for (before, after), number in zip(pairwise(path), numbers.tolist(), strict=True):
            if number >= len(self.arcs.row):
                call = number - len(self.arcs.row)
            elif before >= len(self.run.turn):
                rows, callers, _ = self.calls.calls
                found.append(_Note(int(rows[call]), int(callers[call]), after))
            else:
                found.append(number)
        return self.reasons(found)

    def numbers(self, before: Ints, after: Ints) -> I64:
        """The numbers of the arcs by which chains go from each symbol to the next, int64[k]; see
        ``tree``."""
        keys = before.astype(np.int64) * len(self._search[1]) + after
        return self._search[0].reasons[np.searchsorted(self._keys, keys)].astype(np.int64)

    @cached_property
    def _keys(self) -> I64:
        """The edges to go along as numbers, which ascend."""
        csr = self._search[0]
        source = np.repeat(np.arange(len(csr.starts) - 1), np.diff(csr.starts))
        return source * len(self._search[1]) + csr.targets

    def immediate(self, symbols: I64) -> tuple[Reason, ...]:
        """Every reason, from elsewhere, for any of these symbols."""
        among = np.zeros(len(self.run.turn), np.bool_)
        among[symbols] = True
        rows = np.flatnonzero(among[self.arcs.target] & ~among[self.arcs.source])
        return self.reasons(rows.tolist())

    def reasons(self, found: Sequence[int | _Note]) -> tuple[Reason, ...]:
        """Arcs, by number, and notes as values."""
        relocs = self.run.inputs.relocs
        places = []
        for each in found:
            row = each.row if isinstance(each, _Note) else int(self.arcs.row[each])
            source = each.caller if isinstance(each, _Note) else int(self.arcs.source[each])
            places.append((source, int(relocs.offset[row]) if row >= 0 else -1))
        return tuple(
            evolve(
                self._of_note(each) if isinstance(each, _Note) else self._of_arc(each),
                line=line,
                inlined=inlined,
            )
            for each, (line, inlined) in zip(found, self.lines(places), strict=True)
        )

    def lines(self, places: Sequence[tuple[int, int]]) -> list[tuple[str, tuple[Inlined, ...]]]:
        """Each place, (symbol, offset), in the source: "file:line" in the function itself, "" where
        nothing is known, and the places in what was inlined there."""
        graph = self.link.graph
        quantum, goroot = self.link.arch.pc_quantum, self.link.options.environment.goroot
        code = np.array([sym for sym, _ in places], np.int64)
        inside = is_text(graph.symbols.kind[code]) & (graph.symbols.object[code] != 0)
        inside &= np.array([offset >= 0 for _, offset in places], np.bool_)
        rows = np.flatnonzero(inside).tolist()
        wanted = [places[row] for row in rows]
        found = source_frames(graph.objects, graph.symbols, wanted, quantum, goroot)
        out: list[tuple[str, tuple[Inlined, ...]]] = [("", ())] * len(places)
        for row, frames in zip(rows, found, strict=True):
            if frames:
                inner = (Inlined(graph.label(each.function), each.line) for each in frames[1:])
                out[row] = frames[0].line, tuple(inner)
        return out

    def _of_note(self, note: _Note) -> Reason:
        relocs = self.run.inputs.relocs
        name = self.calls.name(note.row)
        by_name = "." not in name
        return self._by(
            note.caller,
            target=self.link.graph.label(note.method),
            kind="method by name" if by_name else "method by interface",
            relocation=self._relocation(int(relocs.type[note.row])),
            offset=int(relocs.offset[note.row]),
            because=f"looks up the method {name}" if by_name else f"calls {name}",
        )

    def _of_arc(self, arc: int) -> Reason:
        source, target, code, row = (int(column[arc]) for column in self.arcs)
        graph, relocs, one = self.link.graph, self.link.graph.relocs, np.array([arc])
        kind, because = self.kinds(one)[0], self.conditions(one)[0]
        if code >= FROM_ROOT:
            return Reason("", graph.label(target), kind, because=because)
        return self._by(
            source,
            target=graph.label(target),
            kind=kind,
            relocation=self._relocation(int(relocs.type[row])) if row >= 0 else "",
            offset=int(relocs.offset[row]) if row >= 0 else None,
            because=because,
        )

    def _by(self, source: int, **told: Any) -> Reason:
        """A reason with what is known of its source."""
        package = self.modules.package(source)
        return Reason(
            source=self.link.graph.label(source),
            package=package,
            standard=self.modules.is_standard(package),
            own=self.modules.is_own(package),
            **told,
        )

    def _relocation(self, code: int) -> str:
        return self.link.graph.reason(code)

    def _condition(self, target: int, row: int) -> str:
        """What keeps a method besides its type."""
        calls, label = self.calls, self.link.graph.label
        before = int(self.run.turn[target])
        call = calls.first_call(calls.of_method(row), before)
        if call:
            name, caller = calls.name(call[0]), label(call[1])
            verb = f"calls {name}" if "." in name else f"looks up the method {name}"
            return f"{caller} {verb}"
        function = calls.first_reflecting(before)
        if function:
            return f"{label(function)} may call any exported method by reflection"
        return "other modules may call any method"

    def offsets(self, arcs: I64) -> I64:
        """Bytes from the start of each arc's source to what refers, -1 where nothing does."""
        row = self.arcs.row[arcs]
        return np.where(row >= 0, self.run.inputs.relocs.offset[row], -1)

    def conditions(self, arcs: I64) -> list[str]:
        """What each arc takes besides its source, "" for nothing, and why a root is one."""
        _, target, code, row = (column[arcs] for column in self.arcs)
        found = [""] * len(arcs)
        for at in np.flatnonzero(code >= METHOD).tolist():
            if code[at] >= FROM_ROOT:
                found[at] = self.link.graph.roots[code[at] - FROM_ROOT][1]
            elif code[at] < MAPINIT:
                found[at] = self._condition(int(target[at]), int(row[at]))
        return found

    def kinds(self, arcs: I64) -> list[str]:
        """Which kind of reason each arc is, by number (see Reason)."""
        graph = self.link.graph
        symbols = graph.symbols
        source, target, code, _ = (column[arcs] for column in self.arcs)
        starts = symbols.ends_with(source, b"..inittask")
        linkage = self.link.arch.linkage
        hosts = linkage.host.items() if linkage is not None else ()
        calls = [*self.link.arch.calls, *(R_HOST + number for number, r in hosts if r.call)]
        cases = {
            "root": code >= FROM_ROOT,
            "map initialiser": code >= MAPINIT,
            "method": code >= METHOD,
            "auxiliary": code >= AUX,
            "kept with it": np.isin(code, (R_KEEP, R_HOST)),
            "call": np.isin(code, calls),
            "type": symbols.has(target, Flag.GO_TYPE),
            "interface table": symbols.has(target, Flag.ITAB),
            "initialiser": is_text(symbols.kind[target]) & starts,
            "function": is_text(symbols.kind[target]),
            "package initialiser": symbols.ends_with(target, b"..inittask"),
        }
        words, way = (*cases, "data"), self._ways(source, target)
        found = np.select(list(cases.values()), np.arange(len(cases)), len(cases))
        kinds = [words[at] for at in found.tolist()]
        for at in np.flatnonzero(found == words.index("auxiliary")).tolist():
            kinds[at] = graph.reason(int(code[at]))
        for at in np.flatnonzero((way > 0) & (found > words.index("kept with it"))).tolist():
            kinds[at] = f"{_WAYS[way[at]]} {kinds[at]}"
        return kinds

    def _ways(self, source: Ints, target: Ints) -> I64:
        """By which way around the language, if any, each symbol is referred to: a place in
        _WAYS."""
        symbols, package = self.link.graph.symbols, self.link.objects.package
        at, home = symbols.object[source], symbols.object[target]
        found = np.zeros(len(source), np.int64)
        other = (at != 0) & (home != 0) & (package[at] != package[home])
        found[other & is_pulled(self._pulled, at, target)] = _WAYS.index("linkname")
        found[symbols.has(source, Flag.FROM_ASSEMBLY)] = _WAYS.index("assembly")
        return found

    @cached_property
    def _pulled(self) -> I64:
        return pulled(self.link.objects)
