"""Definitions that have no effect are those that the program does not show."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from linkpipe import api
from linkpipe.ask.unused_x import KINDS, unused_x
from linkpipe.errors import LinkErrors
from tests.conformance.programs import Program, inputs
from tests.conformance.targets import Target, targets
from tests.conformance.toolchain import goroot
from tests.linkpipe.ask.links import PROGRAMS

STAMPED = Program("stamped", PROGRAMS, "./stamped")


def kinds(*definitions: str, program: Program = STAMPED) -> dict[str, str]:
    return {each.name: each.kind for each in unused_x(link(*definitions, program=program)).unused}


def link(
    *definitions: str, program: Program = STAMPED, until: str = "graph", output: str = ""
) -> api.Link:
    given = inputs(program)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    flags = [word for each in definitions for word in ("-X", each)]
    arguments = [*given.flags, *flags, str(given.main)]
    return api.link(arguments, until=until, variables=variables, output=output)


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("main.Version", ""),
        ("main.Commit", ""),
        ("main.Built", "initialised"),
        ("main.Banner", "initialised"),
        ("main.Idle", "not-reachable"),
        ("main.Name", "no-variable"),
        ("main.main", "no-variable"),
        ("main.version", "no-variable"),
        ("looking.test/stamped.Version", "no-package"),
        ("loking.test/words.Version", "no-package"),
    ],
)
def test_what_is_said_to_have_no_effect_has_none(variable: str, kind: str, tmp_path: Path) -> None:
    """The program prints the value that was given if, and only if, nothing is said."""
    definition = f"{variable}=given-value"
    assert kinds(definition) == ({variable: kind} if kind else {})
    program = str(tmp_path / "out")
    link(definition, until="", output=program)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stderr
    assert ("given-value" in printed) == (not kind)


def test_a_variable_that_is_no_string() -> None:
    """The link fails; the question is answered."""
    (found,) = unused_x(link("main.Level=3")).unused
    assert (found.kind, found.why) == ("not-a-string", f"{KINDS['not-a-string']}: its type is int")
    with pytest.raises(LinkErrors) as caught:
        link("main.Level=3", until="strdata")
    assert "not a var of type string" in caught.value.render()


def test_the_last_definition_counts() -> None:
    found = unused_x(link("main.Version=1", "main.Version=2"))
    assert [(each.value, each.kind) for each in found.unused] == [("1", "given-again")]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("main.version", "main.Version"),
        ("main.Comit", "main.Commit"),
        ("looking.test/stamped.Version", "main.Version"),
        ("runtim.buildVersion", "runtime.buildVersion"),
        ("lib/runtime.buildVersion", "runtime.buildVersion"),
    ],
)
def test_the_name_that_was_meant(wrong: str, right: str) -> None:
    (found,) = unused_x(link(f"{wrong}=1")).unused
    assert found.near[0] == right


@pytest.mark.parametrize("target", [*targets().values()], ids=lambda target: target.goarch)
def test_other_architectures(target: Target) -> None:
    """Where addresses stand behind the code it cannot be seen that a variable is set again."""
    found = kinds("main.Version=1", "main.Built=2", "main.Idle=3", program=STAMPED.on(target))
    seen = {} if target.goarch == "arm" else {"main.Built": "initialised"}
    assert found == {**seen, "main.Idle": "not-reachable"}
