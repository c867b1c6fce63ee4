"""A pass that wraps another one; the example of the guide links, and its types are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from linkpipe.api import Link, Step, wrapping
from linkpipe.engine import plugins
from linkpipe.engine.entrypoints import EntryPoint
from linkpipe.engine.pass_api import Pass, Wrapping
from linkpipe.engine.runner import run_plan
from linkpipe.errors import PassError, UserError
from tests.faults.links import link
from tests.linkpipe.synthetic import Greeting, catalog, plan_of, setter, steps

ROOT = Path(__file__).parents[3]


def greet(link: Link, options: Greeting) -> Link:
    return link.evolve({"x.greeting": options.text * options.times})


GREET = Pass(
    "x.greet", greet, ("x.who",), ("x.greeting",), ("x.maybe",), Greeting, inputs=("list",)
)


def test_it_declares_what_the_wrapped_pass_does() -> None:
    """And what it says itself, once; its options and inputs are those of the other."""

    @wrapping("x.greet", name="y.greet", requires=("x.who", "y.more"), provides=("y.seen",))
    def wrapper(link: Link, step: Step) -> Link:
        """In other words."""
        return step(link).evolve({"y.seen": True})

    wrapped = catalog(GREET, wrapper).load("passes", "y.greet")
    assert wrapped.requires == ("x.who", "y.more")
    assert wrapped.provides == ("x.greeting", "y.seen")
    assert (wrapped.optional, wrapped.inputs) == (("x.maybe",), ("list",))
    assert (wrapped.name, wrapped.doc) == ("y.greet", "In other words.")
    made = wrapped(Link({"x.who": 1, "y.more": 2}), Greeting(text="a", times=2))
    assert (made.fact("x.greeting"), made.fact("y.seen")) == ("aa", True)


def test_it_changes_the_parts_that_the_wrapped_pass_does() -> None:
    """Unless it provides the fact itself: then it may be any part."""
    part = setter("x.part", ("x.t", "x.u"), ("x.t", "x.u"), changes=("x.t.a", "x.u.b"))

    @wrapping("x.part", name="y.part", provides=("x.t",))
    def wrapped(link: Link, step: Step) -> Link:
        return step(link)

    assert catalog(part, wrapped).load("passes", "y.part").changes == ("x.u.b",)


def test_it_is_held_to_what_it_declares(tmp_path: Path) -> None:
    """What goes wrong in it is its own."""

    @wrapping("x.greet", name="y.greet")
    def wrapped(link: Link, step: Step) -> Link:
        return step(link).evolve({"y.other": 1})

    first = setter("w", provides=("x.who",))
    plan = plan_of(tmp_path, steps("w", "y.greet"), first, GREET, wrapped)
    with pytest.raises(PassError, match=r"pass y\.greet: sets the fact 'y\.other'"):
        run_plan(plan, Link())


def around(wrapped: str, name: str) -> Wrapping:
    return Wrapping(name, wrapped, lambda link, step: step(link))


def test_it_wraps_what_is_not_disabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two plugins that offer a pass it wraps the one that is left, and no pass that is gone;
    also when one process makes several links (`linkpipe serve`), and imports the module once."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wrapped_of_two.py").write_text(
        "from linkpipe.api import linkpass, wrapping\n"
        "@linkpass(name='x.p', provides=('one',))\ndef one(link): return link\n"
        "@linkpass(name='x.p', provides=('two',))\ndef two(link): return link\n"
        "@wrapping('x.p', name='y.p')\ndef outer(link, step): return step(link)\n"
    )
    entries = [
        EntryPoint("linkpipe.passes", name, f"wrapped_of_two:{value}", dist, "1.0", f"/{dist}")
        for name, value, dist in (
            ("x.p", "one", "first"), ("x.p", "two", "second"), ("y.p", "outer", "own"))
    ]  # fmt: skip
    for gone, left in (("second", "one"), ("first", "two")):
        assert plugins.Catalog(entries, without=[gone]).load("passes", "y.p").provides == (left,)
    with pytest.raises(UserError, match=r'unknown pass "x\.p"'):
        plugins.Catalog(entries, without=["first", "second"]).load("passes", "y.p")
    with pytest.raises(UserError, match=r"offered twice, by first 1\.0 and second 1\.0"):
        plugins.Catalog(entries).load("passes", "y.p")


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ([around("y", "y")], "pass y: it wraps y, which wraps it"),
        ([around("z", "y"), around("y", "z")], "pass y: it wraps z, which wraps it"),
        ([around("z", "y")], 'unknown pass "z"'),
    ],
)
def test_what_there_is_not_cannot_be_wrapped(passes: list[Wrapping], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        catalog(*passes).load("passes", "y")


def example() -> tuple[str, str]:
    """The module and the pipeline of the guide."""
    page = (ROOT / "docs" / "adding-a-pass.md").read_text()
    section = page[page.index("## Wrapping and replacing") : page.index("## Where it may stand")]
    (module,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (pipeline,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    return module, pipeline


def test_the_example_links(tmp_path: Path) -> None:
    """With the bytes of the default pipeline."""
    module, pipeline = example()
    info = tmp_path / "own-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("")
    (info / "entry_points.txt").write_text("[linkpipe.passes]\nacme.stack = own_stack:stack\n")
    (tmp_path / "own_stack.py").write_text(module)
    (tmp_path / "p.toml").write_text(pipeline)
    done = link(tmp_path, "-w", "-pipeline=p.toml", "-dump=dump")
    assert done.status == 0, done.err
    (counted,) = (tmp_path / "dump").glob("*/*.acme.stack.acme.checked.jsonl")
    assert re.search(r"[0-9]{3}", counted.read_text().splitlines()[-1])
    wrapped = (tmp_path / "out").read_bytes()
    assert link(tmp_path, "-w").status == 0
    assert (tmp_path / "out").read_bytes() == wrapped


@pytest.mark.big
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("", ""), ""),
        (("step(link).evolve", "step().evolve"), "[call-arg]"),
        (("(link: Link, step: Step)", "(link: Link)"), "[arg-type]"),
        (("return step(link).evolve", "return len"), "[return-value]"),
    ],
)
def test_its_types_are_right(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    """For an author who checks strictly; and what is wrong is found."""
    module = example()[0].replace(*change) if says else example()[0]
    (tmp_path / "stack.py").write_text(module)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent",
         "--config-file=", "--cache-dir",
         str(ROOT / ".mypy_cache" / "example"), "stack.py"],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == (not says), done.stdout + done.stderr
    assert says in done.stdout
