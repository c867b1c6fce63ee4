"""What phases cost, over runs of made-up passes."""

from __future__ import annotations

import os
import pstats
import re
import sys
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.runner import Observer, run_plan
from linkpipe.errors import UserError
from linkpipe.flags.options import Options
from linkpipe.observe.benchmark import Benchmark, BenchmarkOptions, benchmark_name
from linkpipe.observe.profile import Profile, ProfileOptions
from tests.linkpipe.synthetic import plan_of

MIB = 1 << 20


def fill(link: Link) -> Link:
    """Hold a MiB, and two more for a while."""
    np.ones(2 * MIB, np.uint8)
    return link.evolve({"t": np.ones(MIB, np.uint8)})


def nothing(link: Link) -> Link:
    return link


def fail(link: Link) -> Link:
    raise UserError("no", remedy="none")


def benchmark(
    folder: Path,
    last: Callable[[Link], Link] = nothing,
    observer: Observer | None = None,
    **options: str,
) -> None:
    """Run three passes in the phases "one thing", "other", "other"."""
    written = (
        'pass = [{ name = "a", phase = "one thing" }, { name = "b", phase = "other" },'
        ' { name = "c" }]\n'
    )
    passes = [Pass("a", fill, (), ["t"]), Pass("b", nothing), Pass("c", last)]
    link = Link({"options": Options(o="out", main="m.a")})
    watching = observer or Benchmark(BenchmarkOptions(**options))
    run_plan(plan_of(folder, written, *passes), link, [watching])


def read(text: str, units: str) -> dict[str, tuple[int, ...]]:
    lines = text.splitlines()
    found = [re.fullmatch(rf"(\w+) 1 (\d+) ns/op{units}", line) for line in lines[:-1]]
    assert re.fullmatch(r"BenchmarkTotalTime(_GC)? 1 \d+ ns/op", lines[-1])
    return {one[1]: tuple(map(int, one.groups()[1:])) for one in found if one}


def test_a_line_for_each_phase(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Passes that name no phase belong to that of the pass before them."""
    benchmark(tmp_path, mode="cpu")
    told = read(capfd.readouterr().out, r"\t(\d+) peak-RSS-bytes")
    assert list(told) == ["BenchmarkLibinit", "BenchmarkOneThing", "BenchmarkOther"]


def test_memory_is_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    benchmark(tmp_path, mode="mem")
    told = read(capfd.readouterr().out, r"\t(\d+) live-B\t(\d+) peak-B")
    _, live, peak = told["BenchmarkOneThing_GC"]
    assert MIB <= live < 2 * MIB
    assert peak >= 2 * MIB
    _, live, peak = told["BenchmarkOther_GC"]
    assert MIB <= live <= peak < 2 * MIB


def test_profiles_are_pythons(tmp_path: Path) -> None:
    """One of time for each phase, which pstats reads; one of memory, which tracemalloc reads."""
    benchmark(tmp_path, mode="mem", profiles=f"{tmp_path}/x")
    calls = pstats.Stats(f"{tmp_path}/x_BenchmarkOther.cpuprof").get_stats_profile().func_profiles
    assert calls["nothing"].ncalls == "2"
    assert "fill" not in calls
    held = tracemalloc.Snapshot.load(f"{tmp_path}/x_BenchmarkOther.memprof")
    assert sum(each.size for each in held.statistics("filename")) >= MIB


def test_a_profile_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="^open .*: no such file or directory$"):
        benchmark(tmp_path, profiles=f"{tmp_path}/none/x")


@pytest.mark.parametrize("last", [nothing, fail])
def test_nothing_is_counted_afterwards(
    tmp_path: Path, last: Callable[[Link], Link], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor is there half a benchmark of a link that fails; profiles are written all the same."""
    observers: list[Observer] = [
        Benchmark(BenchmarkOptions(mode="mem", profiles=f"{tmp_path}/x")),
        Profile(ProfileOptions(cpu=f"{tmp_path}/y", memory=f"{tmp_path}/z")),
    ]
    for observer in observers:
        with pytest.raises(UserError, match="no") if last is fail else nullcontext():
            benchmark(tmp_path, last, observer)
        assert not tracemalloc.is_tracing()
        assert sys.getprofile() is None
    assert bool(capfd.readouterr().out) == (last is nothing)
    for name in ("x_BenchmarkOther.cpuprof", "y"):
        pstats.Stats(f"{tmp_path}/{name}")
    tracemalloc.Snapshot.load(f"{tmp_path}/z")


@pytest.mark.parametrize("kind", ["cpu", "memory"])
def test_a_pipe_is_opened_once(tmp_path: Path, kind: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    link = threading.Thread(
        target=benchmark,
        args=(tmp_path, nothing, Profile(ProfileOptions(**{kind: str(pipe)}))),
        daemon=True,
    )
    link.start()
    link.join(20)
    assert not link.is_alive()
    reader.join(20)
    assert found[0]


@pytest.mark.parametrize("kind", ["cpu", "memory"])
def test_the_file_that_takes_no_profile_is_named(tmp_path: Path, kind: str) -> None:
    full = Profile(ProfileOptions(**{kind: "/dev/full"}))
    with pytest.raises(UserError, match="^write /dev/full: no space left on device$"):
        benchmark(tmp_path, nothing, full)
    assert not tracemalloc.is_tracing()
    with pytest.raises(UserError, match="^no\\n") as caught:
        benchmark(tmp_path, fail, full)
    assert caught.value.__notes__ == ["write /dev/full: no space left on device"]


@pytest.mark.parametrize(
    ("words", "name"), [("total time", "TotalTime"), ("doelf_GC", "Doelf_GC"), ("äb c", "ÄbC")]
)
def test_names(words: str, name: str) -> None:
    assert benchmark_name(words) == f"Benchmark{name}"
