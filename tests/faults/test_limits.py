"""Limits that a shell sets, and standard streams that are closed or take nothing."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.links import OLD, files, link


def limit(what: int, number: int) -> None:
    resource.setrlimit(what, (number, number))


def close(*numbers: int) -> None:
    for number in numbers:
        os.close(number)


def fill(*numbers: int) -> None:
    """Let standard streams be files that have no room."""
    full = os.open("/dev/full", os.O_RDWR)
    for number in numbers:
        os.dup2(full, number)
    os.close(full)


STREAMS = {
    "stdin closed": partial(close, 0),
    "stdout closed": partial(close, 1),
    "stderr closed": partial(close, 2),
    "all closed": partial(close, 0, 1, 2),
    "stdout full": partial(fill, 1),
    "stderr full": partial(fill, 2),
    "both full": partial(fill, 1, 2),
}


@pytest.mark.parametrize("conditions", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("flags", [("-v",), ("-log", "-time")], ids=" ".join)
def test_what_cannot_be_printed_fails_no_link(
    folder: Path, conditions: Callable[[], None], flags: tuple[str, ...]
) -> None:
    done = link(folder, "-w", *flags, conditions=conditions)
    assert done.status == 0, done.err
    assert (folder / "out").read_bytes().startswith(b"\x7fELF")
    assert files(folder) == {"out"}


@pytest.mark.parametrize("conditions", STREAMS.values(), ids=STREAMS)
def test_an_error_has_its_status_though_nobody_can_read_it(
    folder: Path, conditions: Callable[[], None]
) -> None:
    for flags in (("-nosuch",), ("-importcfg", "/dev/null")):
        done = link(folder, "-w", *flags, conditions=conditions)
        assert done.status == 2
        assert "Traceback" not in done.out + done.err
    assert files(folder) == {"out"}
    assert (folder / "out").read_text() == OLD


def test_a_stream_that_was_closed_is_no_other_file(folder: Path) -> None:
    """The next file that is opened would be it, and take what is printed."""
    (folder / "out").unlink()
    assert link(folder, "-w", "-v", conditions=partial(close, 1, 2)).status == 0
    with_v = (folder / "out").read_bytes()
    assert link(folder, "-w").status == 0
    assert (folder / "out").read_bytes() == with_v


@pytest.mark.parametrize(
    ("what", "number"),
    [
        (resource.RLIMIT_AS, 300 << 20),
        (resource.RLIMIT_AS, 600 << 20),
        (resource.RLIMIT_NOFILE, 10),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CPU, 1),
    ],
)
def test_a_limit(folder: Path, what: int, number: int) -> None:
    """A link, or one paragraph and the old output."""
    done = link(folder, "-w", conditions=partial(limit, what, number))
    assert "Traceback" not in done.err
    if done.status == 0:
        assert done.err == ""
        assert (folder / "out").read_bytes().startswith(b"\x7fELF")
    else:
        first, *more = done.err.splitlines()
        assert not first.startswith("\t")
        assert all(line.startswith("\t") for line in more)
        assert (folder / "out").read_text() == OLD
    assert files(folder) == {"out"}
