"""threads: whatever the number of threads, the same result and the same error."""

from __future__ import annotations

import os
from threading import Thread, get_ident

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays import threads as module
from linkpipe.arrays.threads import each, pieces, shares, threads
from linkpipe.errors import UserError

COUNTS = ("1", "2", "3", "64")


@pytest.mark.parametrize("count", COUNTS)
def test_results_stand_in_the_order_of_the_items(
    count: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKPIPE_THREADS", count)
    assert each(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert each(str, []) == []


def test_work_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two items is held until the other is taken: one thread alone would never end."""
    from threading import Barrier

    monkeypatch.setenv("LINKPIPE_THREADS", "2")
    both = Barrier(2, timeout=30)

    def work(_: int) -> int:
        both.wait()
        return get_ident()

    assert len(set(each(work, [0, 1]))) == 2


@pytest.mark.parametrize("count", COUNTS)
def test_the_error_is_that_of_the_first_item_that_has_one(
    count: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is printed by a thread."""
    monkeypatch.setenv("LINKPIPE_THREADS", count)

    def work(n: int) -> int:
        if n in (3, 7):
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match="^3$"):
        each(work, range(10))
    assert capsys.readouterr() == ("", "")


def test_a_thread_that_cannot_start_costs_time_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the user's limit of processes is reached."""

    class Refused(Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "Thread", Refused)
    monkeypatch.setenv("LINKPIPE_THREADS", "8")
    assert each(lambda n: n + 1, range(5)) == [1, 2, 3, 4, 5]


def test_the_processors_that_the_process_may_use_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of the machine: a container or taskset allows fewer."""
    monkeypatch.delenv("LINKPIPE_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 8})
    assert threads() == 3
    monkeypatch.setenv("LINKPIPE_THREADS", "7")
    assert threads() == 7


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²", "9999999", " 1"])
def test_what_is_no_number_of_threads_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKPIPE_THREADS", text)
    with pytest.raises(UserError, match="LINKPIPE_THREADS is .* no number of threads"):
        threads()


@pytest.mark.parametrize("count", COUNTS)
@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 5), st.integers(1, 3))
def test_shares_are_all_rows_in_their_order(
    count: str, work: list[int], start: int, each_has: int
) -> None:
    """And none has more than its part of the work and one row, where the work is worth threads."""
    starts = start + np.append(0, np.cumsum(np.array(work, np.int64)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("LINKPIPE_THREADS", count)
        monkeypatch.setattr("linkpipe.arrays.threads._MANY", 9)
        found = shares(starts, each_has)
    assert [row for share in found for row in range(share.start, share.stop)] == [*range(len(work))]
    most = int(count) * each_has if sum(work) >= 9 and int(count) > 1 else 1
    assert len(found) <= most
    for share in found:
        assert sum(work[share]) <= sum(work) / most + max(work)


@pytest.mark.parametrize("count", COUNTS)
@given(st.integers(0, 99))
def test_pieces_are_all_rows_in_their_order(count: str, n: int) -> None:
    """Several for each thread, or one where rows are few, or there is one thread."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("LINKPIPE_THREADS", count)
        monkeypatch.setattr("linkpipe.arrays.threads._MANY", 9)
        found = pieces(n)
    assert [row for piece in found for row in range(piece.start, piece.stop)] == [*range(n)]
    assert len(found) == (4 * int(count) if n >= 3 and int(count) > 1 else 1)
