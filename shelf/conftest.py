"""What the tests of the shelf share: programs linked in this process, through a pipeline file, and
the settings of all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from linkpipe import api
from tests.conformance.programs import Program, inputs, table
from tests.conformance.toolchain import environment, goroot
from tests.conftest import CHECKED

os.environ |= CHECKED

INSERT = """extends = "default"
[[insert]]
name = "{name}"
{place}
options = {options}
"""


@pytest.fixture
def link_with(tmp_path: Path) -> Callable[..., api.Link]:
    """``link_with(program, name, place, options="{}", flags=(), until="")``: the link of a program
    of the conformance suite with one more pass, ``place`` being 'after = "…"'. The output is
    ``tmp_path / "out"``."""

    def of(
        program: str | Program,
        name: str,
        place: str,
        options: str = "{}",
        flags: tuple[str, ...] = (),
        until: str = "",
    ) -> api.Link:
        pipeline = tmp_path / "pipeline.toml"
        pipeline.write_text(INSERT.format(name=name, place=place, options=options))
        given = inputs(table()[program] if isinstance(program, str) else program)
        variables = {**given.environment(), "GOROOT": str(goroot())}
        arguments = [*given.flags, *flags, str(given.main)]
        output = str(tmp_path / "out")
        return api.link(
            arguments, pipeline=str(pipeline), output=output, variables=variables, until=until
        )

    return of


@pytest.fixture
def build_env(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Mapping[str, str]]:
    """``build_env(GOARCH="arm64")``: the go command of the tests, and these variables."""

    def of(**variables: str) -> Mapping[str, str]:
        found = {**environment(), **variables}
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        return found

    return of
