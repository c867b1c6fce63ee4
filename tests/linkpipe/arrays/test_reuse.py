"""An array that takes the place of a shorter one, in the same memory and in its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from linkpipe.arrays import reuse
from linkpipe.arrays.columns import read_only


@pytest.mark.parametrize("count", ["1", "3"])
@pytest.mark.parametrize("way", [reuse.copied, reuse.reused])
def test_it_begins_as_the_shorter_one_and_ends_with_zeros(
    count: str, way: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever thread copies what, and whatever lay behind."""
    monkeypatch.setattr(reuse, "_STEP", 4)
    monkeypatch.setenv("LINKPIPE_THREADS", count)
    assert callable(way)
    for length in range(12):
        for size in range(length, 15):
            memory = np.arange(1, 16).astype(np.uint8)
            memory.setflags(write=False)
            with way(memory[:length], size) as longer:
                assert longer.tobytes() == memory[:length].tobytes().ljust(size, b"\0")
                longer[size - 1 :] = 7
            assert longer[size - 1 :].tolist() == [7][:size]
            assert read_only(longer)
            with pytest.raises(ValueError, match="cannot set WRITEABLE"):
                longer.setflags(write=True)
            assert np.shares_memory(longer, memory) == (way is reuse.reused and size > 0)


def test_room_is_behind_what_is_large() -> None:
    many, few = reuse.roomy(np.uint8, reuse._STEP), reuse.roomy(np.uint8, 9)
    assert (len(many), len(few)) == (reuse._STEP, 9)
    assert not many.any()
    assert reuse.has_room(many, 2 * len(many))
    assert not reuse.has_room(many, 2 * len(many) + 1)
    assert not reuse.has_room(few, 10)
    assert read_only(reuse.sealed(many))


def test_there_is_no_room_in_what_belongs_to_others() -> None:
    """Nor in the middle of an array, nor in one of another type, nor in a file."""
    memory = reuse.roomy(np.uint8, reuse._STEP)
    alien = np.frombuffer(bytearray(9), np.uint8)
    for array in (memory[1:], memory[::2], memory[:8].view("<u4"), alien[:4], np.zeros(9)):
        assert not reuse.has_room(array, 2)


def test_who_has_an_array_is_counted() -> None:
    array = np.zeros(9, np.uint8)[:5]
    one, two = {"x": array}, {"x": array}
    del array
    assert reuse.unseen(one, "x", 2)
    assert not reuse.unseen(one, "x", 1), "the other one"
    for look in (lambda a: a, lambda a: a[1:3], memoryview, lambda a: a.base):
        seen = look(one["x"])
        assert not reuse.unseen(one, "x", 2)
        del seen
        assert reuse.unseen(two, "x", 2)


ROOM = """
from linkpipe.arrays.memory import keep_freed_memory
from linkpipe.arrays.reuse import roomy
import subprocess
import sys

import numpy as np
def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
keep_freed_memory()
np.empty(1 << 16, np.uint8)  # the heap has room for what follows now
before = held()
array = roomy(np.uint8, 5 << 20)
print(held() - before)
"""


def test_room_takes_no_memory() -> None:
    """Also where the allocator keeps some to hand out, as it does in a link."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", ROOM], text=True, capture_output=True, check=True
    )
    assert 5 << 10 <= int(done.stdout) < 9 << 10, "kB"
