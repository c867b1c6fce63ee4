"""Work on arrays by as many threads as there are processors.

It pays for what runs without Python's lock: kernels, compression, reading and writing. The result
never depends on the number of threads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from threading import Thread
from typing import TypeVar

import numpy as np

from linkpipe import server
from linkpipe.arrays.types import I64
from linkpipe.errors import UserError

VARIABLE = "LINKPIPE_THREADS"
_MANY = 250_000
"""Rows from which on threads are worth it: they take longer than to start one, and than the
interrupts by which processors that share memory tell each other what becomes of it."""
A = TypeVar("A")
B = TypeVar("B")


def threads() -> int:
    """How many threads a link may use: what LINKPIPE_THREADS says, else one for each processor that
    the process may run on, which links that a server does at once share. Raises UserError for what
    is no number from 1 on."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return max(1, len(os.sched_getaffinity(0)) // server.at_once)
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text):
        raise UserError(
            f"{VARIABLE} is {text!r}, which is no number of threads",
            status=2,
            label="linkpipe",
            remedy=f"set {VARIABLE} to 1 or more, or leave it out",
        )
    return int(text)


def worth(rows: int) -> int:
    """How many threads are worth their start for work on so many rows."""
    return threads() if rows >= _MANY else 1


def each(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """``[work(item) for item in items]``, by several threads, which take the items in their order:
    the longest work should stand first. An error is that of the first item that has one."""
    done: dict[int, B] = {}
    todo = iter(range(len(items)))  # next() on it is atomic

    def run() -> None:
        with suppress(Exception):  # what fails is done again below, where its error is raised
            for i in todo:
                done[i] = work(items[i])

    helpers: list[Thread] = []
    with suppress(RuntimeError):  # no more threads for this user: then with fewer
        while len(helpers) < min(threads(), len(items)) - 1:
            helper = Thread(target=run)
            helper.start()
            helpers.append(helper)
    try:
        run()
    finally:
        for helper in helpers:
            helper.join()
    return [done[i] if i in done else work(item) for i, item in enumerate(items)]


def shares(starts: I64, each_has: int = 1) -> list[slice]:
    """Ranges of rows with about as much work each, at most ``each_has`` for each thread; together
    they are all rows, in their order; one range where the work is little. ``starts`` int64[n+1]:
    where each row's part of the work begins, and where the last one's ends."""
    count = worth(starts[-1] - starts[0])
    cuts = np.linspace(starts[0], starts[-1], count * each_has + 1 if count > 1 else 2)[1:-1]
    bounds = [0, *np.searchsorted(starts, cuts).tolist(), len(starts) - 1]
    return [slice(a, b) for a, b in pairwise(bounds) if a < b]


def pieces(n: int, work: int = 4) -> list[slice]:
    """Ranges of n rows, each of which may be the ``work`` of several, nobody knows of how many: a
    few ranges for each thread, or one of all where rows are few."""
    count = 4 * worth(work * n) if worth(work * n) > 1 else 1
    return [slice(n * i // count, n * (i + 1) // count) for i in range(count)]
