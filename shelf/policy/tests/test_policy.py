"""policy, on a program that does what policies are about."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linkpipe_policy.imports import imports
from linkpipe_policy.rules import matcher, read

from linkpipe import api
from linkpipe.errors import LinkErrors
from tests.sarif import read_sarif

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
EXAMPLE = Path(__file__).parents[1] / "policy.toml"
UNSAFE = '[[forbid]]\nunsafe = "..."\nwhy = "x"\n'
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
    found = check(policy, today="2026-02-01", sarif="{program}.sarif", junit="found.xml")
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
    log = read_sarif((tmp_path / "policy.test.sarif").read_text())
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
    (run,) = read_sarif((tmp_path / "found.sarif").read_text())["runs"]
    assert run["results"][0]["suppressions"][0]["justification"] == "until the rewrite"


def test_source_that_is_not_there_is_no_yes(check: Callable[..., list[str]]) -> None:
    found = check(UNSAFE, flags=("-trimpath",))
    told = "whether policy.test/helper/helper.go uses it cannot be told, its name says no place"
    assert told in "\n".join(found)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{folder}/main.go:3", "cannot be told, it is not in the folder of the package"),
        ("{folder}/other/helper/x.go:1", "cannot be told, it is not in the folder of the package"),
        ("gram.y:3", "cannot be told, its name is none of a source file"),
        ("<autogenerated>:3", "cannot be told, its name is none of a source file"),
        ("_cgo_gotypes.go:3", "cannot be told, No such file"),
    ],
)
def test_file_names_are_what_line_directives_say(
    check: Callable[..., list[str]], tmp_path: Path, line: str, problem: str
) -> None:
    """A name that is none of the package's files is no way around the rule, and no way to charge
    another package."""
    directive = f"//line {line.format(folder=tmp_path)}"
    text = HELPER.replace("//go:noinline", f"{directive}\n//go:noinline")
    (tmp_path / "helper/helper.go").write_text(text)
    (tmp_path / "other/helper").mkdir(parents=True)
    (tmp_path / "other/helper/x.go").write_text("package helper\n")
    found = next(text for text in check(UNSAFE) if " policy.test/helper is " in text)
    assert found.startswith("policy: unsafe policy.test/helper is in the program: whether ")
    assert problem in found


def test_the_main_package_has_two_names(check: Callable[..., list[str]], tmp_path: Path) -> None:
    """Rules by its path catch it, of each kind."""
    (tmp_path / "main.go").write_text(
        HELPER.replace("package helper", "package main") + 'func main() { Pin("x") }\n'
    )
    (tmp_path / "empty.s").touch()
    policy = "".join(
        f'[[forbid]]\n{kind} = "{pattern}"\nwhy = "x"\n'
        for kind, pattern in {"package": "policy.test", "unsafe": "policy.test"}.items()
    )
    policy += '[[forbid]]\nlinkname = "runtime.*"\nby = "policy.test"\nwhy = "x"\n'
    policy += '[[forbid]]\nsymbol = "runtime.ma*"\nwhy = "x"\n'
    heads = [text.partition("\n")[0] for text in check(policy)]
    assert heads[:3] == [
        "policy: package main is in the program",
        f"policy: unsafe main is in the program, in {tmp_path}/main.go",
        "policy: linkname runtime.procPin by main is in the program",
    ]
    assert len(heads) == 3 + 20 + 1
    assert re.fullmatch(r"policy: symbol runtime\.ma\*: \d+ more are in the program", heads[-1])


def test_without_modules_a_rule_about_them_is_not_passed(
    check: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO111MODULE", "off")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    with pytest.raises(api.UserError, match="cannot be told: the go command named no modules"):
        check('[[forbid]]\nmodule = "example.com/..."\nwhy = "x"\n')


HEADS = {
    b'package a; import "unsafe"': True,
    b'package a\nimport ("unsafe")': True,
    b'package a\nimport "fmt"; import "unsafe"': True,
    b"package a\nimport `unsafe`": True,
    b'package a\nimport"unsafe"': True,
    b'package a\nimport ("fmt"; u "unsafe")\nvar x = 1': True,
    b'// Copyright\n/* a */ package /* b */ a // c\nimport /* d\n */ _ /**/ "unsafe"': True,
    'package a\nimport größe "unsafe"'.encode(): True,
    b'\xef\xbb\xbfpackage a\r\nimport (\r\n\t. "uns\\x61fe"\r\n)\r\n': True,
    b'package a\n// import "unsafe"\nimport "fmt"\nvar x = []string{\n"unsafe",\n}': False,
    b'package a\nconst x = `\nimport "unsafe"\n`': False,
    b"package a": False,
}


@pytest.mark.parametrize("head", HEADS)
def test_imports_in_every_form(head: bytes) -> None:
    """Of the language's grammar, and nothing that only looks like one."""
    assert ("unsafe" in imports(head)) == HEADS[head]


@given(st.binary() | st.binary().map(lambda rest: b"package a\nimport (" + rest))
def test_what_is_no_go_file_is_a_value_error(text: bytes) -> None:
    with contextlib.suppress(ValueError):
        imports(text)
    for wrong in (b"", b"hello", b"package a import", b'package a\nimport ("b"', b"package a {"):
        with pytest.raises(ValueError, match="begin|should"):
            imports(wrong)


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
        (LINKNAME * 2, "forbids linkname runtime.* twice"),
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
    assert matcher(".../pprof")("net/http/pprof")
    assert matcher("net/http...")("net/httptest")
    assert matcher("a.../b/...")("ax/y/b")
    assert not matcher(".../pprof")("net/http/pprofile")


def test_the_example_is_a_policy() -> None:
    assert any(rule.kind == "cgo" for rule in read(EXAMPLE).forbid)


@pytest.mark.parametrize(
    ("program", "kind", "name"),
    [
        ("plugin", "package", "fmt"),
        ("host", "cgo", "plugin"),
        pytest.param("go", "package", "net/http", marks=pytest.mark.big),
    ],
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
