"""sbom: what is in the program and nothing else, in forms that hold to their schemas."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from linkpipe_sbom.cyclone import cyclonedx
from linkpipe_sbom.licences import module_cache, with_licences
from linkpipe_sbom.modules import Linked, Program, release
from linkpipe_sbom.spdx import _ref
from linkpipe_sbom.spdx import spdx as spdx_text
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from linkpipe import api

MAIN = {
    "go.mod": "module sbom.test/a-b\n\ngo 1.24\n\n"
    "require (\n\texample.com/Dep v1.2.3\n\texample.com/idle v0.1.0\n)\n",
    "main.go": 'package main\n\nimport (\n\t"example.com/Dep/used"\n\t_ "example.com/idle"\n)\n\n'
    "func main() { used.Say() }\n",
}
MIT = """MIT License

Copyright (c) 2026 Some One

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
OWN = "Nobody but my friends may use this, and they know why.\n"
MODULES = {
    "example.com/!dep v1.2.3": (
        "example.com/Dep",
        "used/used.go",
        'package used\n\n//go:noinline\nfunc Say() { println("used") }\n',
    ),
    "example.com/idle v0.1.0": ("example.com/idle", "idle.go", "package idle\n\nfunc Idle() {}\n"),
}
OPTIONS = '{ cyclonedx = "bom.json", spdx = "spdx.json", created = "2026-01-02T03:04:05Z" }'


def valid(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both bills, which their validators have no word against: the schemas of both, and the rules
    of SPDX, which say more."""
    text = (folder / "bom.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    spdx = folder / "spdx.json"
    # The parser tells kinds of files by their names.
    spdx = spdx.rename(folder / "bom.spdx.json")
    assert validate_full_spdx_document(parse_file(str(spdx))) == []
    schema = files("lib4sbom").joinpath("schemas/spdx/2.3-schema.json").read_text("utf-8")
    document = json.loads(spdx.read_text())
    jsonschema.validate(document, json.loads(schema), format_checker=jsonschema.FormatChecker())
    return json.loads(text), document


def proxy(folder: Path) -> str:
    """A proxy of MODULES, as the go command reads one from a folder."""
    for key, (path, name, text) in MODULES.items():
        place, version = key.split()
        base = folder / place / "@v"
        base.mkdir(parents=True)
        mod = f"module {path}\n"
        (base / f"{version}.info").write_text(json.dumps({"Version": version}))
        (base / f"{version}.mod").write_text(mod)
        with zipfile.ZipFile(base / f"{version}.zip", "w") as file:
            file.writestr(f"{path}@{version}/go.mod", mod)
            file.writestr(f"{path}@{version}/{name}", text)
            file.writestr(f"{path}@{version}/LICENSE", MIT)
            file.writestr(f"{path}@{version}/COPYING.friends", OWN)
            file.writestr(f"{path}@{version}/licenses.go", f"package {Path(name).stem}\n")
    return f"file://{folder}"


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_what_is_linked_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any], goarch: str
) -> None:
    """Versions and hashes as the go command told them; a module that left nothing is left out;
    twice the same."""
    build_env(
        GOARCH=goarch,
        CGO_ENABLED="0",
        GOFLAGS="-mod=mod -modcacherw",
        GOPROXY=proxy(tmp_path / "proxy"),
        GOSUMDB="off",
        GOMODCACHE=str(tmp_path / "modules"),
    )
    for name, text in MAIN.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "pipeline.toml").write_text(
        'extends = "default"\n[[insert]]\nname = "sbom"\nafter = "reachability"\n'
        f"options = {OPTIONS}\n"
    )
    monkeypatch.chdir(tmp_path)
    api.link(".", pipeline="pipeline.toml", until="sbom")
    first = (tmp_path / "bom.json").read_bytes(), (tmp_path / "spdx.json").read_bytes()
    bom, spdx = valid(tmp_path)

    assert bom["metadata"]["component"]["name"] == "sbom.test/a-b"
    assert bom["metadata"]["timestamp"].startswith("2026-01-02T03:04:05")
    parts = {part["name"]: part for part in bom["components"]}
    assert set(parts) == {"sbom.test/a-b", "example.com/Dep", "std"}
    dep = parts["example.com/Dep"]
    assert dep["purl"].lower() == "pkg:golang/example.com/dep@v1.2.3"
    (line,) = re.findall(
        r"^example.com/Dep v1.2.3 h1:(.*)$", (tmp_path / "go.sum").read_text(), re.MULTILINE
    )
    digest = base64.b64decode(line).hex()
    assert dep["hashes"] == [{"alg": "SHA-256", "content": digest}]
    packages = [p["value"] for p in dep["properties"] if p["name"] == "linkpipe:package"]
    assert packages == ["example.com/Dep/used"]
    assert parts["std"]["version"].startswith("1.")
    own = f"COPYING.friends, sha256:{hashlib.sha256(OWN.encode()).hexdigest()}"
    assert {each["license"].get("id", each["license"].get("name")) for each in dep["licenses"]} == {
        "MIT",
        own,
    }
    mine = {p["name"]: p["value"] for p in parts["sbom.test/a-b"]["properties"]}
    assert mine["linkpipe:licence"] == "unknown: where its source is was not told"
    assert "licenses" not in parts["sbom.test/a-b"]
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bom["dependencies"]}
    assert needs["module:sbom.test/a-b"] >= {"module:example.com/Dep"}
    assert needs["program"] == {"module:sbom.test/a-b"}

    listed = {package["name"]: package for package in spdx["packages"]}
    assert set(listed) == set(parts)
    (checksum,) = listed["example.com/Dep"]["checksums"]
    assert checksum == {"algorithm": "SHA256", "checksumValue": digest}
    (unknown,) = spdx["hasExtractedLicensingInfos"]
    assert (unknown["name"], unknown["extractedText"]) == (own, OWN)
    concluded = f"{unknown['licenseId']} AND MIT"
    assert listed["example.com/Dep"]["licenseConcluded"] == concluded
    assert listed["sbom.test/a-b"]["licenseConcluded"] == "NOASSERTION"
    assert spdx["creationInfo"]["created"] == "2026-01-02T03:04:05Z"

    api.link(".", pipeline="pipeline.toml", until="sbom")
    assert first == ((tmp_path / "bom.json").read_bytes(), (tmp_path / "spdx.json").read_bytes())


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("hello", "programs.test/hello"),
        ("plugin", "example.test/linkpipe/plugin"),
        ("host", "example.test/linkpipe/host"),
        pytest.param("go", "cmd/go", marks=pytest.mark.big),
    ],
)
def test_real_programs(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str, name: str
) -> None:
    link_with(program, "sbom", 'after = "reachability"', OPTIONS, until="sbom")
    bom, spdx = valid(tmp_path)
    assert bom["metadata"]["component"]["name"] == name
    assert "std" in {part["name"] for part in bom["components"]}
    assert len(spdx["packages"]) == len(bom["components"]) + 1


def test_packages_of_no_module_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any]
) -> None:
    """By themselves, with who needs them."""
    build_env(CGO_ENABLED="0", GO111MODULE="off", GOPATH=str(tmp_path))
    folder = tmp_path / "src/old.test/prog"
    (folder / "lib").mkdir(parents=True)
    (folder / "main.go").write_text(
        'package main\n\nimport "old.test/prog/lib"\n\nfunc main() { lib.Say() }\n'
    )
    (folder / "lib/lib.go").write_text(
        'package lib\n\n//go:noinline\nfunc Say() { println("lib") }\n'
    )
    (folder / "pipeline.toml").write_text(
        'extends = "default"\n[[insert]]\nname = "sbom"\nafter = "reachability"\n'
        f"options = {OPTIONS}\n"
    )
    monkeypatch.chdir(folder)
    api.link(".", pipeline="pipeline.toml", until="sbom")
    bom, spdx = valid(folder)
    assert {part["name"] for part in bom["components"]} == {
        "old.test/prog",
        "old.test/prog/lib",
        "std",
    }
    assert len(spdx["packages"]) == 4
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bom["dependencies"]}
    assert needs["program"] == {"module:old.test/prog"}
    assert "module:old.test/prog/lib" in needs["module:old.test/prog"]


def test_a_module_may_have_any_name() -> None:
    """Also that of an identifier that the bill itself uses."""
    parts = {name: Linked(name, "", "", (name,), 1) for name in ("Program", "program", "DOCUMENT")}
    needs = {"Program": ("program",), "program": ("DOCUMENT",), "DOCUMENT": ()}
    program = Program("program", "program", parts, needs, {})
    now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    refs = [each["bom-ref"] for each in json.loads(cyclonedx(program, now, "1"))["components"]]
    assert sorted(refs) == ["module:DOCUMENT", "module:Program", "module:program"]
    packages = json.loads(spdx_text(program, now, "1"))["packages"]
    assert len({each["SPDXID"] for each in packages}) == 4


def test_licences_of_any_text(tmp_path: Path) -> None:
    """Two in one file, one in two files, and bytes that are no text; a folder that is not there."""
    folder = tmp_path / "example.com/!dep@v1.0.0-!r!c"
    folder.mkdir(parents=True)
    (folder / "LICENSE").write_text(MIT)
    (folder / "LICENSE-MIT").write_text(MIT)
    (folder / "UNLICENSE.bin").write_bytes(b"\xff\0\x01")
    (folder / "licensing.md").write_text(MIT)
    parts = {
        "example.com/Dep": Linked("example.com/Dep", "v1.0.0-RC", "", (), 1),
        "example.com/gone": Linked("example.com/gone", "v1.0.0", "", (), 1),
        "std": Linked("std", "1.27", "", (), 1),
    }
    bare = Program("main", "example.com/Dep", parts, {}, {})
    found = with_licences(bare, tmp_path, str(tmp_path)).modules
    names = [(each.file, each.ids) for each in found["example.com/Dep"].licences]
    assert names == [("LICENSE", ("MIT",)), ("LICENSE-MIT", ("MIT",)), ("UNLICENSE.bin", ())]
    assert found["example.com/gone"].unlicensed.startswith("its source cannot be read: No such")
    assert found["std"].unlicensed == "it has no file with a licence"
    now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    program = Program("main", "example.com/Dep", found, {}, {})
    (tmp_path / "bom.json").write_text(cyclonedx(program, now, "1"))
    (tmp_path / "spdx.json").write_text(spdx_text(program, now, "1"))
    valid(tmp_path)


def test_what_is_called_a_licence_and_is_none(tmp_path: Path) -> None:
    """A folder and sources, which leave the licence beside them; one that is too large says so."""
    parts = {}
    for name, large in (("some", "LICENSE.AGPL"), ("none", "LICENSE"), ("sources", "")):
        folder = tmp_path / f"{name}@v1.0.0"
        (folder / "license").mkdir(parents=True)
        for source in ("license.go", "LICENCE-check.sh", "license.test.JS"):
            (folder / source).write_text(MIT)
        if name == "some":
            (folder / "LICENSE.MIT").write_text(MIT)
        if large:
            (folder / large).write_bytes(b"x" * (1 << 18) + b"x")
        parts[name] = Linked(name, "v1.0.0", "", (), 1)
    found = with_licences(Program("main", "some", parts, {}, {}), tmp_path, "").modules
    assert [each.file for each in found["some"].licences] == ["LICENSE.MIT"]
    said = "has 262145 bytes, and what has over 262144 is not read"
    assert found["some"].unlicensed == f"LICENSE.AGPL {said}"
    assert found["none"].licences == ()
    assert found["none"].unlicensed == f"LICENSE {said}"
    assert found["sources"].unlicensed == "it has no file with a licence"


def test_where_the_module_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the go command has it, unless it is said."""
    assert module_cache(Path("x"), {"GOMODCACHE": "y"}) == Path("x")
    assert module_cache(None, {"GOMODCACHE": "y", "GOPATH": "z"}) == Path("y")
    assert module_cache(None, {"GOPATH": "z:w"}) == Path("z/pkg/mod")
    assert module_cache(None, {}) == Path.home() / "go/pkg/mod"
    with monkeypatch.context() as patch:
        # As for a user without a home.
        patch.setattr("os.path.expanduser", lambda path: path)
        assert module_cache(None, {}) == Path("~/go/pkg/mod")


@pytest.mark.parametrize("version", ["go1.27.3", "go1.27.3-X:arenas", "go1.27.3 X:arenas"])
def test_experiments_are_no_part_of_the_version(version: str) -> None:
    assert release(version) == "1.27.3"


def test_identifiers_of_other_paths_differ() -> None:
    assert len({_ref("a/b"), _ref("a-b"), _ref("a_b")}) == 3


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{}", "nothing to write"),
        ('{ spdx = "x", created = "soon" }', '"soon" is no time'),
        ('{ spdx = "x", created = "0001-01-01T00:00:00+05:00" }', "is no time"),
    ],
)
def test_wrong_options(link_with: Callable[..., api.Link], options: str, wrong: str) -> None:
    with pytest.raises(api.UserError, match=f"sbom: .*{wrong}"):
        link_with("hello", "sbom", 'after = "reachability"', options, until="sbom")
