"""A pytest plugin: the fixtures ``linked`` and ``run_pass``. pytest finds it by its entry point.

The fixtures import what they need when a test asks for them; that linkpipe is installed costs the
test runs of others nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from linkpipe.engine.context import Link
    from linkpipe.engine.pass_api import Pass

_MAIN = """package main

import "fmt"

func main() { fmt.Println("hello, linker") }
"""


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Link]:
    """``linked(until="", flags=(), package="", pipeline="")``: the link of a program that says
    hello, or of ``package``, up to and with a pass. Each is made once in a test run; needs the go
    command."""
    from linkpipe.api import link

    made: dict[tuple[Any, ...], Link] = {}
    folder = tmp_path_factory.mktemp("hello")
    main = folder / "main.go"
    main.write_text(_MAIN)

    def of(
        until: str = "", flags: Sequence[str] = (), package: str = "", pipeline: str = ""
    ) -> Link:
        key = (until, tuple(flags), package, pipeline)
        if key not in made:
            made[key] = link(package or str(main), until=until, flags=flags, pipeline=pipeline)
        return made[key]

    return of


@pytest.fixture
def run_pass() -> Callable[..., Link]:
    """``run_pass(step, link, options=None)``: the link after one pass, run and checked as a link
    does (``linkpipe.testing.run_pass``)."""
    from linkpipe.testing import run_pass as run

    def of(step: Pass, link: Link, options: Any = None) -> Link:
        return run(step, link, options)

    return of
