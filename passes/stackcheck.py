"""stackcheck: no chain of nosplit functions may outgrow the stack.

A Go function starts with a check that enough stack is left. Functions marked nosplit do
without; instead every checked function guarantees that a fixed number of bytes below its
frame is left, and chains of nosplit calls have to fit into that. The compiler sees one
package; that the chains fit is for the linker to find out.

How deep the stack is at each call is in the function's table of stack depths (pcsp). A
nosplit function needs the most of: its own depth, and at each call the depth there, the
return address, and what the callee needs. A function with a check needs the call of
runtime.morestack; so does whatever an indirect call may reach. What has no function
information (C code) runs on the system stack and needs nothing.

The tables and calls of all nosplit functions are read as columns, and needs are raised
along all calls at once until nothing changes (chains are short) or a need exceeds the
limit. Only then, to name the chains, and for -debugnosplit, which prints all these calls,
functions are walked one by one.

Source: cmd/link/internal/ld/stackcheck.go, cmd/internal/objabi/stack.go.
Reads `symbols`, `objects`, `relocs`, `text_order`; provides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import offsets
from linkpipe.arrays.types import I64, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.formats import goobj
from linkpipe.formats.pcvalue import decode
from linkpipe.output.stdout import say
from linkpipe.reloctype import R_CALLIND
from linkpipe.tables.faults import rows_of
from linkpipe.tables.symbols import Flag
from linkpipe.values import Shown, record

_NOSPLIT_STACK = 800
"""What a checked function leaves (internal/abi/stack.go, StackNosplitBase); with the race detector
it is twice as much (cmd/internal/objabi/stack.go)."""
_ENDLESS = 2**15 - 1
"""What a cycle needs."""
_LEAF = 0
_INDIRECT = -1
_MOST_CHAINS = 100


class _Calls(NamedTuple):
    """Calls of nosplit functions, caller by caller: ``caller`` (row in ``_Nosplit.ids``),
    ``target`` (symbol, _INDIRECT) and ``growth`` (bytes of stack at the call), int64 each."""

    caller: I64
    target: I64
    growth: I64


@record
class _Nosplit(Shown):
    """The nosplit functions: ``ids`` int64[k]; ``depth`` int64[k], the deepest point of each;
    ``calls``; ``known`` bool[n], symbols that have function information; ``call_size``, bytes
    that a call itself takes; ``morestack``, the symbol."""

    link: Link
    ids: I64
    depth: I64
    calls: _Calls
    known: Bool
    call_size: int
    morestack: int


@linkpass(requires=("symbols", "objects", "relocs", "text_order"), checks=True)
def stackcheck(link: Link) -> Link:
    """Check that chains of nosplit functions fit on the stack."""
    arch = link.arch
    call_size = 0 if arch.has_lr else arch.ptrsize
    limit = _NOSPLIT_STACK * (1 + link.options.race) - call_size - arch.stack_reserved
    nosplit = _read(link, call_size)
    if link.options.debugnosplit:
        _Walk(nosplit, link.text_order.tolist()).say()
    if (_needs(nosplit, limit) > limit).any():
        _explain(nosplit, limit)
    return link


def _read(link: Link, call_size: int) -> _Nosplit:
    symbols, arena = link.symbols, link.objects.arena
    text = link.text_order.astype(np.int64)
    text = text[symbols.object[text] != 0]
    auxs = link.objects.auxs(
        symbols.object[text], symbols.local[text], (goobj.AUX_FUNCINFO, goobj.AUX_PCSP)
    )
    owner = np.repeat(text, auxs.counts)
    known = np.zeros(len(symbols), np.bool_)
    known[owner[auxs.type == goobj.AUX_FUNCINFO]] = True
    pcsp = np.zeros(len(symbols), np.int32)
    is_pcsp = auxs.type == goobj.AUX_PCSP
    pcsp[owner[is_pcsp]] = auxs.target[is_pcsp]

    morestack = symbols.lookup("runtime.morestack")
    ids = text[symbols.has(text, Flag.NOSPLIT) & known[text] & (text != morestack)]
    tables = pcsp[ids]
    at, size = np.maximum(symbols.data_at[tables], 0), symbols.data_size[tables]
    with rows_of(link.objects, symbols, ids):
        ranges = decode(arena.bytes, at, size, link.arch.pc_quantum)
    depth = np.zeros(len(ids), np.int64)
    row = np.repeat(np.arange(len(ids)), ranges.counts)
    np.maximum.at(depth, row, ranges.value)

    rows, counts = link.relocs.rows_of_many(ids)
    caller = np.repeat(np.arange(len(ids)), counts)
    kind = link.relocs.type[rows]
    indirect = kind == R_CALLIND
    call = np.flatnonzero(indirect | np.isin(kind, list(link.arch.calls)))
    rows, caller, indirect = rows[call], caller[call], indirect[call]
    # Ranges and calls are both in order, so a call lies in the first range that ends after it,
    # and never before the range of the call that precedes it.
    keys = (row << 32) | ranges.end
    at = np.searchsorted(keys, (caller << 32) | link.relocs.offset[rows], side="right")
    at = np.maximum.accumulate(at)
    inside = np.flatnonzero(at < offsets(ranges.counts)[1:][caller])
    calls = _Calls(
        caller[inside],
        np.where(indirect[inside], _INDIRECT, link.relocs.target[rows[inside]]),
        ranges.value[at[inside]] + np.int64(call_size),
    )
    return _Nosplit(link, ids, depth, calls, known, call_size, morestack)


def _needs(nosplit: _Nosplit, limit: int) -> I64:
    """What each nosplit function needs, bytes: int64[k]. Exact when all are within the limit;
    else at least one exceeds it."""
    calls, known = nosplit.calls, nosplit.known
    place = np.full(len(known), -1, np.int64)
    place[nosplit.ids] = np.arange(len(nosplit.ids))
    fixed = np.where(known, nosplit.call_size, 0)
    fixed[[nosplit.morestack, _LEAF]] = 0
    direct = np.maximum(calls.target, 0)
    least = calls.growth + np.where(calls.target == _INDIRECT, nosplit.call_size, fixed[direct])
    needs = nosplit.depth.copy()
    np.maximum.at(needs, calls.caller, least)
    chained = np.flatnonzero((place[direct] >= 0) & (calls.target > 0))
    caller, callee = calls.caller[chained], place[direct[chained]]
    growth = calls.growth[chained]
    # No chain is longer than there are functions, unless it runs in a cycle.
    for _ in range(len(nosplit.ids) + 1):
        before = needs.copy()
        np.maximum.at(needs, caller, growth + before[callee])
        if (needs == before).all() or (needs > limit).any():
            return needs
    return np.full(len(needs), _ENDLESS, np.int64)


class _Walk:
    """The calls of some functions and of all that they call, and what each needs; ``done`` in the
    order in which that was known."""

    def __init__(self, nosplit: _Nosplit, functions: list[int]) -> None:
        self.nosplit = nosplit
        self.edges: dict[int, list[tuple[int, int]]] = {}
        self.height: dict[int, int] = {}
        self.done: list[int] = []
        self._row = {sym: i for i, sym in enumerate(nosplit.ids.tolist())}
        self._first = np.searchsorted(nosplit.calls.caller, np.arange(len(nosplit.ids) + 1))
        for sym in functions:
            if sym not in self.height:
                self._check(sym)

    def calls(self, sym: int) -> list[tuple[int, int]]:
        """(growth, target) of each call of a function."""
        nosplit = self.nosplit
        row = self._row.get(sym)
        if sym == nosplit.morestack:
            return []
        if row is None:
            checked = sym == _INDIRECT or bool(nosplit.known[sym])
            return [(nosplit.call_size, nosplit.morestack)] if checked else []
        span = slice(int(self._first[row]), int(self._first[row + 1]))
        growth, target = nosplit.calls.growth[span], nosplit.calls.target[span]
        return list(zip(growth.tolist(), target.tolist(), strict=True))

    def _check(self, root: int) -> None:
        stack: list[tuple[int, Iterator[tuple[int, int]]]] = []
        self._enter(root, stack)
        while stack:
            sym, rest = stack[-1]
            for _, target in rest:
                if target != _LEAF and target not in self.height:
                    self._enter(target, stack)
                    break
            else:
                stack.pop()
                self._leave(sym)

    def _enter(self, sym: int, stack: list[tuple[int, Iterator[tuple[int, int]]]]) -> None:
        self.height[sym] = _ENDLESS  # what it needs if it is met again below itself
        self.edges[sym] = self.calls(sym)
        stack.append((sym, iter(self.edges[sym])))

    def _leave(self, sym: int) -> None:
        needs = [
            growth + (self.height[target] if target != _LEAF else 0)
            for growth, target in self.edges[sym]
        ]
        row = self._row.get(sym)
        own = 0 if row is None else int(self.nosplit.depth[row])
        if own > max(needs, default=0):
            self.edges[sym].append((own, _LEAF))
            needs.append(own)
        self.height[sym] = min(max(needs, default=0), _ENDLESS)
        self.done.append(sym)

    def say(self) -> None:
        """Print each call with the stack that it is made at (-debugnosplit)."""
        say(
            "".join(
                f"nosplit: {self.name(sym)} +{growth}"
                + (f" -> {self.name(target)}\n" if target != _LEAF else "\n")
                for sym in self.done
                for growth, target in self.edges[sym]
            )
        )

    def roots(self) -> list[int]:
        """Functions that nobody else calls, one for each cycle that nobody calls; the neediest
        first."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.edges)
        graph.add_edges_from(
            (sym, target) for sym, out in self.edges.items() for _, target in out if target != _LEAF
        )
        groups = nx.condensation(graph)
        members = groups.nodes(data="members")
        found = [min(group) for node, group in members if not groups.in_degree(node)]
        return sorted(found, key=lambda sym: (-self.height[sym], sym))

    def name(self, sym: int) -> str:
        """A function as messages name it."""
        if sym == _INDIRECT:
            return "indirect"
        symbols = self.nosplit.link.symbols
        return f"{symbols.name(sym)}<{int(symbols.version[sym])}>"

    def chains(self, root: int, limit: int) -> list[str]:
        """The chains from a function that exceed the limit, as indented lines."""
        lines: list[str] = []
        shown = 0  # so many entries of the chain have been printed already
        chain = [(0, root)]
        todo = [iter(self.edges[root])]
        chains = 0
        while todo and chains < _MOST_CHAINS:
            step = next(todo[-1], None)
            if step is None:
                todo.pop()
                chain.pop()
                shown = min(shown, len(chain))
                continue
            target = step[1]
            cycle = any(target == sym for _, sym in chain) and target != _LEAF
            chain.append(step)
            if not cycle and target != _LEAF and self.edges[target]:
                todo.append(iter(self.edges[target]))
                continue
            over = sum(growth for growth, _ in chain) - limit
            if over > 0 or cycle:
                lines += self._lines(chain, shown)
                last = "infinite cycle" if cycle else f"{over} bytes over limit"
                lines.append(f"{'    ' * (len(chain) - 1)}{last}")
                shown, chains = len(chain), chains + 1
            chain.pop()
            shown = min(shown, len(chain))
        return lines

    def _lines(self, chain: list[tuple[int, int]], shown: int) -> Iterator[str]:
        for i, (growth, target) in enumerate(chain[shown:], shown):
            if i == 0:
                yield self.name(target)
                continue
            call = "" if target == _LEAF else f", calls {self.name(target)}"
            yield f"{'    ' * i}grows {growth} bytes{call}"


def _explain(nosplit: _Nosplit, limit: int) -> None:
    """Raise the errors: for each outermost function the chains that are too deep."""
    functions = nosplit.ids.tolist()
    height = _Walk(nosplit, functions).height
    walk = _Walk(nosplit, [sym for sym in functions if height[sym] > limit])
    if nosplit.link.options.debugnosplit:
        walk.say()
    checkpoint(
        InputError(
            "\n".join((f"nosplit stack over {limit} byte limit", *walk.chains(root, limit))),
            symbol=nosplit.link.symbols.name(root),
            remedy="take go:nosplit from one of these functions, or make their frames smaller",
        )
        for root in walk.roots()
    )
