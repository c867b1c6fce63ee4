"""sbom: what is in the program and nothing else, in forms that hold to their schemas."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from linkpipe_sbom.cyclone import cyclonedx
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
    """Both bills, which their validators have no word against: the schema of CycloneDX, and the
    rules of SPDX."""
    text = (folder / "bom.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    spdx = folder / "spdx.json"
    # The parser tells kinds of files by their names.
    spdx = spdx.rename(folder / "bom.spdx.json")
    assert validate_full_spdx_document(parse_file(str(spdx))) == []
    return json.loads(text), json.loads(spdx.read_text())


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
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bom["dependencies"]}
    assert needs["module:sbom.test/a-b"] >= {"module:example.com/Dep"}
    assert needs["program"] == {"module:sbom.test/a-b"}

    listed = {package["name"]: package for package in spdx["packages"]}
    assert set(listed) == set(parts)
    (checksum,) = listed["example.com/Dep"]["checksums"]
    assert checksum == {"algorithm": "SHA256", "checksumValue": digest}
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
