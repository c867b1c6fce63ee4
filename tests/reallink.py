"""The stages of the link of a real program, for tests of what needs real objects."""

from __future__ import annotations

from functools import cache

import attrs

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer
from linkpipe.engine.session import run_link
from linkpipe.flags import environ
from linkpipe.flags.options import Options, read_options
from linkpipe.observe.check import Check
from tests.conformance.programs import TINY, Program, inputs, scratch
from tests.conformance.toolchain import link_tool

NODWARF5 = TINY.under("nodwarf5")
"""The program with debug information of version 4."""


@attrs.define(eq=False)
class _Recorder(Observer):
    """Keeps what each pass was given and what it returned."""

    before: dict[str, Link] = attrs.field(factory=dict)
    after: dict[str, Link] = attrs.field(factory=dict)

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        self.before[planned.name], self.after[planned.name] = before, after


@attrs.frozen(eq=False)
class Stages:
    """``before`` and ``after``: pass -> Link."""

    before: dict[str, Link]
    after: dict[str, Link]


@cache
def stages(program: Program = TINY, *flags: str) -> Stages:
    """Link a program in this process; what every pass saw and made. Kept for the whole run."""
    given = inputs(program)
    argv = [*given.flags, *flags, "-o", str(scratch() / "out"), str(given.main)]
    options = read_options(argv, environ.capture(given.environment(), str(link_tool())))
    assert isinstance(options, Options), "no -V was given"
    recorder = _Recorder()
    run_link(options, lambda _: [Check(), recorder])
    return Stages(recorder.before, recorder.after)
