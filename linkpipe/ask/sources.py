"""Which source files functions were compiled from, by the compiler's own tables."""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, Ints
from linkpipe.engine.context import Link
from linkpipe.functab.lines import source_frames
from linkpipe.functab.sourcefiles import check_numbers, expand_file, file_counts, file_names
from linkpipe.tables.functions import read_functions


def source_files(link: Link, functions: Ints) -> tuple[tuple[str, ...], ...]:
    """For each of ``functions``, symbols, the names of the files that its code comes from: the one
    that it stands in first, then those of what was inlined. Empty for what no compiler made.

    Names are as the compiler wrote them, those of the standard library with ``$GOROOT/`` in front;
    with ``-trimpath`` they begin with a package's path. ``link`` has run up to ``reachability``, or
    further. Raises InputError for tables that are damaged.
    """
    ids: I64 = np.asarray(functions, np.int64)
    objects, symbols = link.objects, link.symbols
    of_objects = ids[symbols.object[ids] != 0]
    fns = read_functions(objects, symbols, of_objects)
    units = np.unique(fns.objects)
    counts = file_counts(objects, units)
    unit = np.repeat(np.searchsorted(units, fns.objects), fns.info.nfiles)
    check_numbers(objects, units, unit, fns.info.files.astype(np.int64))
    which, given = file_names(objects, units, counts)
    names = [expand_file(name, "").decode("utf-8", "surrogateescape") for name in given]
    first = (np.cumsum(counts) - counts)[np.searchsorted(units, fns.objects)]
    places = [(sym, 0) for sym in fns.ids.tolist()]
    frames = source_frames(objects, symbols, places, link.arch.pc_quantum, "")
    ends = np.cumsum(fns.info.nfiles).tolist()
    found: dict[int, tuple[str, ...]] = {}
    begin = 0
    for row, (sym, end) in enumerate(zip(fns.ids.tolist(), ends, strict=True)):
        at = first[row] + fns.info.files[begin:end]
        own = [frames[row][0].line.rpartition(":")[0]] if frames[row] else []
        used = [names[which[i]] for i in at.tolist()]
        found[sym] = tuple(dict.fromkeys((*own, *used)))
        begin = end
    return tuple(found.get(sym, ()) for sym in ids.tolist())
