"""What is promised to authors of passes for their tests: linkpipe.testing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linkpipe import testing
from linkpipe.api import Flag, Link, SymKind, linkpass
from linkpipe.errors import PassError
from tests.conformance.toolchain import environment

ROOT = Path(__file__).parents[3]


@linkpass(name="acme.count", requires=("symbols",), provides=("acme.functions",))
def count(link: Link) -> Link:
    return link.evolve({"acme.functions": len(link.symbols.of_kind(SymKind.STEXT))})


@linkpass(name="acme.peek", requires=("symbols",))
def peek(link: Link) -> Link:
    _ = link.sections
    return link


@linkpass(name="acme.open", requires=("symbols",), provides=("acme.ids",))
def leave_open(link: Link) -> Link:
    return link.evolve({"acme.ids": np.arange(3)})


def tiny() -> Link:
    made = testing.Tiny()
    f = made.symbol("main.f", kind=SymKind.STEXT, content=b"\xc3")
    made.symbol("main.g", kind=SymKind.STEXT, content=b"\xc3", reachable=False)
    made.section(".text", 0x401000, [f])
    return made.link()


def test_a_pass_runs_on_a_link_made_by_hand(run_pass: Callable[..., Link]) -> None:
    """`main.g` is not reachable."""
    assert run_pass(count, tiny()).fact("acme.functions") == 1


def test_a_pass_is_held_to_what_it_declared(run_pass: Callable[..., Link]) -> None:
    with pytest.raises(PassError, match="sections"):
        run_pass(peek, tiny())


def test_what_a_pass_returns_is_checked(run_pass: Callable[..., Link]) -> None:
    with pytest.raises(PassError, match="writable"):
        run_pass(leave_open, tiny())


def test_a_real_program_is_linked_for_tests(
    linked: Callable[..., Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    link = linked(until="reachability")
    assert link.symbols.lookup("fmt.Println", 1)
    assert linked(until="reachability") is link


def test_objects_made_by_hand_are_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of described objects loads, with the header that the go command's have."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    from linkpipe.api import link

    testing.write_archive(tmp_path / "runtime.a", testing.Obj("runtime"))
    main = testing.write_archive(
        tmp_path / "main.a",
        testing.Obj("main", defs=(testing.Sym("main.x", type=3, size=8, flag=int(Flag.DUPOK)),)),
        main=True,
    )
    config = tmp_path / "importcfg"
    config.write_text(f"packagefile runtime={tmp_path}/runtime.a\n")
    found = link(
        ["-importcfg", str(config), "-o", str(tmp_path / "out"), main],
        until="load",
        variables=environment(),
    )
    assert {package.path for package in found.packages.items} == {"main", "runtime"}


def test_every_name_is_there_for_python_and_for_type_checkers() -> None:
    tree = ast.parse((ROOT / "linkpipe/testing/__init__.py").read_text())
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.asname
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == set(testing.__all__)
    for name in testing.__all__:
        assert getattr(testing, name) is not None


def test_the_plugin_of_pytest_costs_other_peoples_test_runs_nothing() -> None:
    """pytest loads it in every run of whoever has linkpipe installed."""
    code = (
        "import sys, pytest; before = set(sys.modules); import linkpipe.testing.fixtures; "
        "print(*(m for m in set(sys.modules) - before if m.startswith(('linkpipe', 'numpy'))))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"linkpipe", "linkpipe.testing", "linkpipe.testing.fixtures"}
