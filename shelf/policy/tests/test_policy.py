"""policy, on a program that does what policies are about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from linkpipe_policy.rules import matcher, read

from linkpipe import api
from linkpipe.errors import LinkErrors

HELPER = """package helper

import (
	"net/url"
	"unsafe"
)

//go:linkname procPin runtime.procPin
func procPin() int

//go:noinline
func Pin(s string) int {
	u, _ := url.Parse(s)
	return procPin() + len(u.Host) + int(*(*byte)(unsafe.Pointer(&s)))
}

func Unused() { println("nobody calls this") }
"""
FILES = {
    "go.mod": "module policy.test\n\ngo 1.24\n",
    "main.go": 'package main\n\nimport "policy.test/helper"\n\nfunc main() { helper.Pin("x") }\n',
    "helper/helper.go": HELPER,
    "helper/empty.s": "",
}
LET_PASS = "linkname runtime.procPin by policy.test/helper is in the program"
LINKNAME = '[[forbid]]\nlinkname = "runtime.*"\nwhy = "it changes"\n'


@pytest.fixture(params=["amd64", "arm64"])
def check(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build_env: Callable[..., Any],
) -> Callable[..., list[str]]:
    """``check(policy, **options)``: what is refused under that policy, on two architectures."""
    build_env(GOARCH=str(request.param), CGO_ENABLED="0")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def of(policy: str, flags: tuple[str, ...] = (), **options: str) -> list[str]:
        (tmp_path / "policy.toml").write_text(policy)
        given = ", ".join(f'{k} = "{v}"' for k, v in {"file": "policy.toml", **options}.items())
        (tmp_path / "pipeline.toml").write_text(
            'extends = "default"\n[[insert]]\nname = "policy"\nafter = "reachability"\n'
            f"options = {{ {given} }}\n"
        )
        try:
            api.link(".", pipeline="pipeline.toml", until="policy", flags=flags)
        except LinkErrors as e:
            return [each.render() for each in e.errors]
        return []

    return of


def test_each_kind_is_found_with_its_chain(check: Callable[..., list[str]], tmp_path: Path) -> None:
    """All that is forbidden and in the program, and nothing that is not in it; in one link, for
    the program is compiled for it."""
    policy = LINKNAME + "".join(
        f'[[forbid]]\n{kind} = "{pattern}"\nwhy = "we say so"\n'
        for kind, pattern in {
            "package": "net/url",
            "module": "policy.test@*",
            "symbol": "policy.test/helper.Pi?",
            "unsafe": "...",
            "cgo": "...",
        }.items()
    )
    policy += '[[forbid]]\npackage = "net/http"\nwhy = "too large"\n'
    policy += '[[allow]]\nlinkname = "runtime.procPin"\nby = "policy.test/..."\n'
    policy += 'until = 2026-01-31\nwhy = "until the rewrite"\n'
    found = check(policy, today="2026-02-01", sarif="found.sarif", junit="found.xml")
    heads = [text.partition("\n")[0] for text in found]
    assert heads == [
        f"policy: {LET_PASS} (it was allowed until 2026-01-31)",
        "policy: package net/url is in the program",
        "policy: module policy.test is in the program",
        "policy: symbol policy.test/helper.Pin is in the program",
        f"policy: unsafe policy.test/helper is in the program, in {tmp_path}/helper/helper.go",
    ]
    assert "main.main" in found[0]
    assert "net/url.Parse" in found[1]
    assert f"{tmp_path}/helper/helper.go:13" in found[1]
    assert "we say so" in found[1]
    log = json.loads((tmp_path / "found.sarif").read_text())
    (run,) = log["runs"]
    assert len(run["results"]) == len(found)
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{tmp_path}/helper/helper.go"
    assert place["region"]["startLine"] == 13
    suite = ET.parse(tmp_path / "found.xml").getroot()
    cases = {case.get("name"): case.find("failure") is not None for case in suite.iter("testcase")}
    assert [name for name, failed in cases.items() if not failed] == ["cgo ...", "package net/http"]
    assert suite.get("tests") == "7"

    allowed = policy.replace("2026-01-31", "2026-02-01")
    found = check(allowed, today="2026-02-01", sarif="found.sarif")
    assert [text.partition("\n")[0] for text in found] == heads[1:]
    (run,) = json.loads((tmp_path / "found.sarif").read_text())["runs"]
    assert run["results"][0]["suppressions"][0]["justification"] == "until the rewrite"


def test_source_that_is_not_there_is_no_yes(check: Callable[..., list[str]]) -> None:
    found = check('[[forbid]]\nunsafe = "..."\nwhy = "x"\n', flags=("-trimpath",))
    assert "whether policy.test/helper/helper.go uses it cannot be told" in "\n".join(found)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[forbid]", "cannot read"),
        ("[[forbidden]]", "unknown `forbidden`"),
        ("", "forbids nothing"),
        ('[[forbid]]\npackage = "a"\n', "`why` is no text"),
        ('[[forbid]]\npackage = "a"\nsymbol = "b"\nwhy = "c"', "needs one of"),
        ('[[forbid]]\npackage = "a"\nby = "b"\nwhy = "c"', "`by` is for linkname"),
        ('[[forbid]]\npackage = "a"\nuntil = 2027-01-01\nwhy = "c"', "unknown key `until`"),
        (LINKNAME + '[[allow]]\nlinkname = "a"\nwhy = "b"\nuntil = "soon"', "`until` is no day"),
    ],
)
def test_a_policy_that_is_none_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(api.UserError, match="policy: ") as caught:
        read(file)
    assert wrong in caught.value.message
    assert caught.value.remedy


def test_patterns() -> None:
    """Those of the go command, and * and ?."""
    assert matcher("net/...")("net")
    assert matcher("net/...")("net/http")
    assert not matcher("net/...")("network")
    assert matcher("...")("any")
    assert matcher("runtime.*")("runtime.procPin")
    assert not matcher("a.b")("axb")
    assert matcher("a?c")("abc")


def test_the_example_is_a_policy() -> None:
    assert read(Path(__file__).parents[1] / "policy.toml").of("cgo")


@pytest.mark.parametrize(
    ("program", "kind", "name"),
    [("plugin", "package", "fmt"), ("host", "cgo", "plugin"), ("go", "package", "net/http")],
)
def test_real_programs(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str, kind: str, name: str
) -> None:
    """Where other modules may join, and cgo had its part; an exception without an end."""
    forbid = f'[[forbid]]\n{kind} = "{name}"\nwhy = "no"\n'
    (tmp_path / "policy.toml").write_text(forbid)
    options, place = '{ file = "policy.toml" }', 'after = "reachability"'
    with pytest.raises(LinkErrors) as caught:
        link_with(program, "policy", place, options, until="policy")
    assert f"policy: {kind} {name} is in the program" in caught.value.render()
    (tmp_path / "policy.toml").write_text(f'{forbid}[[allow]]\n{kind} = "..."\nwhy = "yes"\n')
    assert link_with(program, "policy", place, options, until="policy").has("graph")
