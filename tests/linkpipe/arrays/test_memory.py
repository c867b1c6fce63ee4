"""memory.py: what is touched ahead is what the link is given next; without it nothing changes."""

from __future__ import annotations

import subprocess
import sys

import pytest

# How many of the 10,240 pages of a new array were touched for the first time by the writer.
SCRIPT = """
import resource, sys, threading
import numpy as np
from linkpipe.arrays import memory
kept, ahead, beside = map(int, sys.argv[1:])
memory._MOST_AHEAD = 80 << 20
if kept:
    memory.keep_freed_memory()
memory.touch_ahead(ahead)
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
writer = threading.Thread(target=np.ones, args=(40 << 20, np.uint8))
if beside:
    writer.start()
    writer.join()
else:
    writer.run()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept: bool, ahead: int, threads: int = 2, *, beside: bool = False) -> int:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(int(kept)), str(ahead), str(int(beside))],
        # numpy would ask for huge pages, of which a few are enough.
        env={"LINKPIPE_THREADS": str(threads), "NUMPY_MADVISE_HUGEPAGE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return int(done.stdout)


@pytest.mark.parametrize("beside", [False, True], ids=["main", "beside"])
def test_what_was_touched_ahead_costs_nothing_later(beside: bool) -> None:
    """Nor does it in another thread."""
    assert faults(kept=True, ahead=80 << 20, beside=beside) < 2000


@pytest.mark.parametrize(
    ("kept", "ahead", "threads"),
    [(False, 80 << 20, 2), (True, 80 << 20, 1), (True, 0, 2), (True, 1 << 62, 1)],
    ids=["not kept", "one processor", "nothing", "too much"],
)
def test_otherwise_each_page_costs_its_fault(kept: bool, ahead: int, threads: int) -> None:
    assert faults(kept, ahead, threads) > 8000


def test_a_size_that_a_file_lies_about_is_bounded() -> None:
    """A sparse archive of 4 EiB takes no such memory, and the link goes on."""
    assert faults(kept=True, ahead=1 << 62) < 2000
