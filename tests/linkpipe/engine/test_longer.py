"""The memory of a fact for the pass that sets it anew: only where nobody can see what it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkpipe.arrays import reuse
from linkpipe.engine.context import Access, Link
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.runner import Observer, run_plan
from linkpipe.errors import PassError
from tests.conformance.programs import TINY, inputs
from tests.conformance.toolchain import environment
from tests.linkpipe.synthetic import plan_of, steps

Run = Callable[..., tuple[Any, bool]]
held: list[Any] = []
"""What a pass or an observer keeps, and may look at later."""


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reuse, "_STEP", 4)
    yield
    held.clear()


def first(link: Link) -> Link:
    made = reuse.roomy(np.uint8, 8)
    made[:] = 1
    return link.evolve(image=reuse.sealed(made))


def shorter(link: Link) -> Link:
    return link.evolve(image=link.image[:5])


def longer(link: Link) -> Link:
    held.append(link.image.__array_interface__["data"][0])
    with link.longer("image", 7) as made:
        made[0] = 9
    return link.evolve(image=made)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What links: the last image, and whether it lies where the one before lay."""

    def last(link: Link) -> Link:
        image = link.image
        seen.append((image.tolist(), image.__array_interface__["data"][0] == held.pop()))
        return link

    seen: list[tuple[Any, bool]] = []

    def link(
        *between: Pass, observers: tuple[Observer, ...] = (), keep: bool = False
    ) -> tuple[Any, bool]:
        passes = (
            Pass("first", first, provides=("image",)),
            Pass("shorter", shorter, requires=("image",), provides=("image",)),
            *between,
            Pass("longer", longer, requires=("image",), provides=("image",)),
            Pass("last", last, requires=("image",)),
        )
        plan = plan_of(tmp_path, steps(*(one.name for one in passes)), *passes)
        run_plan(plan, Link(), observers, keep=keep)
        return seen.pop()

    return link


def test_it_is_used_where_nobody_looks(run: Run) -> None:
    assert run() == ([9, 1, 1, 1, 1, 0, 0], True)


@pytest.mark.parametrize(
    "look",
    [
        lambda link: link,
        lambda link: link.image,
        lambda link: link.image[2:4],
        lambda link: memoryview(link.image),
        lambda link: link.within(None),
    ],
    ids=["its Link", "the array", "a part", "a buffer", "another Link"],
)
def test_it_is_not_used_where_a_pass_keeps(look: Callable[[Link], Any], run: Run) -> None:
    """Whatever it keeps: it shows what it showed."""

    def keeping(link: Link) -> Link:
        held.append(look(link))
        return link

    made = run(Pass("keeping", keeping, requires=("image",)))
    assert made == ([9, 1, 1, 1, 1, 0, 0], False)
    seen = held[0].facts["image"] if isinstance(held[0], Link) else held[0]
    assert set(bytes(seen)) == {1}


def test_it_is_not_used_where_another_fact_is_a_part_of_it(run: Run) -> None:
    def part(link: Link) -> Link:
        return link.evolve({"acme.part": link.image[:2]})

    assert run(Pass("acme.part", part, requires=("image",), provides=("acme.part",)))[1]
    held.clear()

    def whole(link: Link) -> Link:
        held.append(link.fact("acme.part"))
        return link

    between = (
        Pass("acme.part", part, requires=("image",), provides=("acme.part",)),
        Pass("acme.whole", whole, requires=("acme.part",)),
    )
    assert not run(*between)[1]
    assert held[0].tolist() == [1, 1]


def test_it_is_not_used_where_facts_are_kept(run: Run) -> None:
    class Watching(Observer):
        def before_pass(self, planned: Any, link: Link) -> None:
            held.insert(0, link)

    assert not run(keep=True)[1]
    assert not run(observers=(Watching(),))[1]
    assert held[1].image.tolist() == [1] * 5, "what the pass before the last was given"


def test_it_is_not_used_outside_of_a_run() -> None:
    link = first(Link())
    with link.longer("image", 9) as made:
        made[0] = 3
    assert (link.image[0], made.tolist()) == (1, [3, 1, 1, 1, 1, 1, 1, 1, 0])


def test_only_who_sets_the_fact_gets_it() -> None:
    link = first(Link()).within(Access("p", frozenset({"image"}), frozenset()))
    with pytest.raises(PassError, match="sets the fact 'image'"), link.longer("image", 9):
        pass


LINK = """
import os, sys
from linkpipe.arrays import filememory, reuse
from linkpipe.engine import context
from linkpipe.engine.session import options_for, run_link
from linkpipe.output import outfile
def told(what, function):
    def told(*given):
        print(what)
        return function(*given)
    return told
def none(*given, **more):
    raise OSError("there is no such thing here")
reuse._STEP = outfile._MANY = 1 << 16  # small files, too
context.reused, outfile._write = told("reused", reuse.reused), told("written", outfile._write)
way = sys.argv[1]
if way == "no name":  # where there is no /proc, say
    filememory.os.link = none
if way == "no such files":
    outfile.FileMemory = none
run_link(options_for(sys.argv[2:], os.environ), keep=way == "keep")
"""

WAYS = {
    "keep": "written\n",
    "let go": "reused\n",
    "no name": "reused\nwritten\n",
    "no such files": "reused\nwritten\n",
}
"""What is done of facts, or is not to be had, and what happens of the file's memory."""


@pytest.mark.parametrize("flags", ["", "-w", "-s -w"])
def test_the_file_of_a_real_link_is_made_where_its_segments_are(flags: str, tmp_path: Path) -> None:
    """In the output's own memory. And it is the same as where it is not: in tests, which check
    every link, facts are kept."""
    given = inputs(TINY)
    said, made = {}, set()
    for way in WAYS:
        output = tmp_path / way
        argv = [way, *given.flags, *flags.split(), "-o", str(output), str(given.main)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", LINK, *argv],
            env=given.environment() | environment(LINKPIPE_CHECK="", LINKPIPE_THREADS="2"),
            text=True,
            capture_output=True,
            check=True,
        )
        said[way] = done.stdout
        made.add(output.read_bytes())
    assert said == WAYS
    assert len(made) == 1
    assert sorted(os.listdir(tmp_path)) == sorted(WAYS)
