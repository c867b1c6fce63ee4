"""sbom: what is in the program and nothing else, in forms that hold to their schemas."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from linkpipe_sbom.spdx import _ref
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
    assert needs["sbom.test/a-b"] >= {"example.com/Dep"}
    assert needs["program"] == {"sbom.test/a-b"}

    listed = {package["name"]: package for package in spdx["packages"]}
    assert set(listed) == set(parts)
    (checksum,) = listed["example.com/Dep"]["checksums"]
    assert checksum == {"algorithm": "SHA256", "checksumValue": digest}
    assert spdx["creationInfo"]["created"] == "2026-01-02T03:04:05Z"

    api.link(".", pipeline="pipeline.toml", until="sbom")
    assert first == ((tmp_path / "bom.json").read_bytes(), (tmp_path / "spdx.json").read_bytes())


@pytest.mark.parametrize(
    ("program", "name"),
    [("hello", "programs.test/hello"), ("plugin", ""), ("host", ""), ("go", "cmd/go")],
)
def test_real_programs(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str, name: str
) -> None:
    link_with(program, "sbom", 'after = "reachability"', OPTIONS, until="sbom")
    bom, spdx = valid(tmp_path)
    assert name in bom["metadata"]["component"]["name"]
    assert "std" in {part["name"] for part in bom["components"]}
    assert len(spdx["packages"]) == len(bom["components"]) + 1


def test_identifiers_of_other_paths_differ() -> None:
    assert len({_ref("a/b"), _ref("a-b"), _ref("a_b")}) == 3


@pytest.mark.parametrize(
    ("options", "wrong"),
    [("{}", "nothing to write"), ('{ spdx = "x", created = "soon" }', '"soon" is no time')],
)
def test_wrong_options(link_with: Callable[..., api.Link], options: str, wrong: str) -> None:
    with pytest.raises(api.UserError, match=f"sbom: .*{wrong}"):
        link_with("hello", "sbom", 'after = "reachability"', options, until="sbom")
