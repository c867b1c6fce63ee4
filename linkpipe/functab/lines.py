"""Where in its source a place in a function comes from, by the compiler's own tables.

For messages: a function's tables of files and lines say for each range of its bytes which file
(a number in the object's list) and which line it was compiled from; for what was inlined that is
the place in the function that was inlined.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import first_seen
from linkpipe.arrays.types import I64
from linkpipe.formats.pcvalue import PcValues, decode
from linkpipe.functab.sourcefiles import expand_file, file_counts, file_names
from linkpipe.tables.faults import rows_of
from linkpipe.tables.functions import read_functions

if TYPE_CHECKING:
    from linkpipe.tables.objects import Objects
    from linkpipe.tables.symbols import Symbols


class Frame(NamedTuple):
    """A function, by its symbol, and the place "file:line" in it."""

    function: int
    line: str


def source_lines(
    objects: Objects, symbols: Symbols, places: list[tuple[int, int]], quantum: int, goroot: str
) -> list[str]:
    """For each place (symbol, offset in bytes) "file:line", or "" where nothing is known: in data,
    and in code that the linker made. ``quantum`` is the architecture's ``pc_quantum``, ``goroot``
    stands for $GOROOT in names.

    Raises InputError for tables that are damaged.
    """
    found = source_frames(objects, symbols, places, quantum, goroot)
    return [frames[-1].line if frames else "" for frames in found]


def source_frames(
    objects: Objects, symbols: Symbols, places: list[tuple[int, int]], quantum: int, goroot: str
) -> list[tuple[Frame, ...]]:
    """The same with the calls that were inlined there: first the place in the function itself, then
    in each function that was inlined, the innermost last; empty where nothing is known."""
    wanted = np.array([sym for sym, _ in places], np.int64)
    new = first_seen(wanted, len(symbols))
    fns = read_functions(objects, symbols, wanted[new])
    rows = {sym: row for row, sym in enumerate(fns.ids.tolist())}
    with rows_of(objects, symbols, fns.ids):
        files, lines, calls = (
            decode(symbols.arena.bytes, symbols.data_at[syms], symbols.data_size[syms], quantum)
            for syms in (fns.pcfile, fns.pcline, fns.pcinline)
        )
    starts = [np.cumsum(table.counts) - table.counts for table in (files, lines, calls)]
    trees = np.cumsum(fns.info.ninlined) - fns.info.ninlined

    @cache
    def name(obj: int, number: int) -> str:
        owner = np.array([obj])
        if not 0 <= number < file_counts(objects, owner)[0]:
            return ""
        which, names = file_names(objects, owner, np.array([number + 1]))
        return expand_file(names[which[-1]], goroot).decode("utf-8", "surrogateescape")

    def line(row: int, number: int, at: int) -> str:
        file = name(int(fns.objects[row]), number)
        return f"{file}:{at}" if file and at > 0 else ""

    out = []
    for sym, offset in places:
        row = rows.get(sym)
        frames = []
        if row is not None:
            place = line(
                row, _value(files, starts[0], row, offset), _value(lines, starts[1], row, offset)
            )
            call = _value(calls, starts[2], row, offset)
            # A call was inlined by one that stands before it in the tree.
            before = int(fns.info.ninlined[row])
            while place and 0 <= call < before:
                node = fns.info.inlined[trees[row] + call]
                frames.append(Frame(int(fns.inlined[trees[row] + call]), place))
                place = line(row, int(node["file"]), int(node["line"]))
                before, call = call, int(node["parent"])
            if place:
                frames.append(Frame(sym, place))
        out.append(tuple(reversed(frames)))
    return out


def _value(tables: PcValues, starts: I64, row: int, offset: int) -> int:
    """What a function's table holds for an offset, -1: nothing."""
    first, count = int(starts[row]), int(tables.counts[row])
    at = int(np.searchsorted(tables.end[first : first + count], offset, side="right"))
    return int(tables.value[first + at]) if at < count else -1
