"""Real archives, mutated a few hundred times: a link succeeds or says what is wrong.

Never a traceback, a bug in a pass, a hang, a boundless use of memory, or an output of a failed
link. The links run in this process, for speed; address space and time are bounded.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from linkpipe.cli import link
from linkpipe.formats.goobj import NBLOCKS
from tests.conformance.damage import copy, object_at, rewrite
from tests.conformance.programs import TINY, Inputs, inputs

EXAMPLES = int(os.environ.get("LINKPIPE_MUTATIONS", "200"))
SECONDS = int(os.environ.get("LINKPIPE_MUTATION_SECONDS", "150"))
"""Time for all examples together; those left over then are not run."""

PACKAGES = ("main", "runtime", "internal/abi", "internal/runtime/atomic")


@pytest.fixture(scope="module")
def bounded() -> Iterator[None]:
    """No link may take more than 8 GiB of addresses, or write more than 1 GiB."""
    limits = {resource.RLIMIT_AS: 8 << 30, resource.RLIMIT_FSIZE: 1 << 30}
    before = {what: resource.getrlimit(what) for what in limits}
    for what, most in limits.items():
        resource.setrlimit(what, (most, before[what][1]))
    yield
    for what, limit in before.items():
        resource.setrlimit(what, limit)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, int, str, int, int]:
    """(package, block of the object, kind, position, value). Blocks below zero are the archive's
    own text: headers, export data. Small blocks are hit as often as large ones."""
    return (
        draw(st.sampled_from(PACKAGES)),
        draw(st.integers(-2, NBLOCKS)),
        draw(st.sampled_from(["flip", "byte", "word", "cut", "swap", "zero"])),
        draw(st.integers(0, 1 << 30)),
        draw(st.sampled_from([0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 24])),
    )


def region(data: bytes, block: int) -> tuple[int, int]:
    """Where a block of the object in an archive lies; block NBLOCKS is the table of offsets."""
    start = object_at(data)
    if block == -2:
        return 0, min(200, start)
    if block == -1:
        return 0, start
    table = start + 20
    if block == NBLOCKS:
        return table, table + 4 * NBLOCKS
    offsets = [
        start + int.from_bytes(data[table + 4 * i : table + 4 * i + 4], "little")
        for i in range(NBLOCKS)
    ]
    begin = offsets[block]
    end = offsets[block + 1] if block + 1 < NBLOCKS else len(data)
    return (begin, end) if end > begin else (table, table + 4 * NBLOCKS)


def mutate(data: bytes, block: int, kind: str, position: int, value: int) -> bytes:
    """One mutation of an archive."""
    begin, end = region(data, block)
    at = begin + position % (end - begin)
    new = bytearray(data)
    if kind == "flip":
        new[at] ^= 1 << value % 8
    elif kind == "byte":
        new[at] = value & 0xFF
    elif kind == "word":
        at = min(begin + (at - begin) // 4 * 4, len(data) - 4)
        new[at : at + 4] = value.to_bytes(4, "little")
    elif kind == "cut":
        del new[at:]
    elif kind == "swap":
        new[at : at + 8] = reversed(new[at : at + 8])
    else:
        new[at : at + 64] = bytes(len(new[at : at + 64]))
    return bytes(new)


class Hang(Exception):
    pass


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def alarm(*_: object) -> None:
        raise Hang(f"a link took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(
    tiny: Inputs, folder: Path, mutation: tuple[str, int, str, int, int], *, debug: bool
) -> None:
    """Link with one archive mutated, and put it back. Debug information reads more."""
    package, block, kind, position, value = mutation
    file = tiny.archives()[package]
    whole = file.read_bytes()
    rewrite(file, lambda data: mutate(data, block, kind, position, value))
    out = folder / "out"
    out.write_bytes(b"old")
    said = io.StringIO()
    try:
        with time_limit(60), contextlib.redirect_stderr(said):
            flag = "-compressdwarf=false" if debug else "-w"
            argv = ["-o", str(out), *tiny.flags, flag, str(tiny.main)]
            # Not checked: what a damaged object says is no pass's fault.
            status = link.main(argv, "", tiny.environment() | {"LINKPIPE_CHECK": "0"})
    finally:
        rewrite(file, lambda _: whole)
    text = said.getvalue()
    assert "bug in the pass" not in text, text
    assert status in (0, 1, 2), text
    if status:
        assert text.strip(), "failed in silence"
        assert out.read_bytes() == b"old", "a failed link touched the output"
    else:
        assert not text.strip(), text
        assert out.read_bytes()[:4] == b"\x7fELF"
    left = {entry.name for entry in folder.iterdir()} - {"inputs", "out"}
    assert not left, left


def test_mutated_archives(folder: Path, bounded: None) -> None:
    """The property, for a few hundred mutations within a bounded time."""
    tiny = copy(inputs(TINY), folder / "inputs")
    argv = ["-o", str(folder / "out"), *tiny.flags, "-w", str(tiny.main)]
    assert link.main(argv, "", tiny.environment()) == 0, "unchanged, it does not link"
    begin = time.monotonic()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutations(), st.booleans())
    @example(("runtime", NBLOCKS, "word", 4 * 3, 0xFFFFFFFF), True)
    @example(("runtime", 3, "zero", 0, 0), True)
    @example(("main", 14, "word", 0, 0x7FFFFFFF), True)
    @example(("runtime", 14, "word", 0x1001, 0x80000000), True)
    @example(("internal/abi", 16, "word", 0x2001, 0xFFFFFFFF), True)
    def property_(mutation: tuple[str, int, str, int, int], debug: bool) -> None:
        if time.monotonic() - begin < SECONDS:
            check(tiny, folder, mutation, debug=debug)

    property_()
