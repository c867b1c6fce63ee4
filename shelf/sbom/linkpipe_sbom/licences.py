"""Licences of modules, by the texts in the folders that they were compiled from.

A module has its licence in files LICENSE, COPYING and the like beside its go.mod; the module cache
of the go command keeps each module in a folder of its own (golang.org/ref/mod, "Module cache"). A
text is recognised by the library licenseclassifier, or named by its hash.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from linkpipe_sbom.modules import STANDARD, Linked, Program

_NAME = re.compile(r"(un)?licen[sc]e([.-].*)?|copying([.-].*)?", re.IGNORECASE)
_SOURCE = re.compile(
    r".*\.([chs]|cc|cpp|go|js|json|proto|py|rb|rs|sh|tmpl|toml|ts|ya?ml)", re.IGNORECASE
)
"""Files that are about licences, LICENSE.go; not LICENSE.MIT, COPYING.LESSER."""
_LARGEST = 1 << 18
"""Bytes; longer than any licence."""


@attrs.frozen
class Licence:
    """A text of a licence.

    Attributes:
        file: the file's name.
        sha256: of the file, in hex.
        ids: SPDX identifiers of the licences that are in it, none where it is not recognised.
        text: what it says.
    """

    file: str
    sha256: str
    ids: tuple[str, ...]
    text: str


def with_licences(program: Program, cache: Path, goroot: str) -> Program:
    """The program whose modules have their licences, or the reason why none is known; ``cache`` is
    the module cache."""
    modules = {
        path: _with_licences(module, _folder(module, cache, goroot))
        for path, module in program.modules.items()
    }
    return attrs.evolve(program, modules=modules)


def module_cache(given: Path | None, variables: Mapping[str, str]) -> Path:
    """The module cache: what was ``given``, or where the go command has it."""
    if given is not None:
        return given
    if variables.get("GOMODCACHE"):
        return Path(variables["GOMODCACHE"])
    path = variables.get("GOPATH", "").split(os.pathsep)[0]
    # Without a home this stays as it is, and is a folder that is not there.
    return Path(path or os.path.expanduser("~/go")) / "pkg/mod"


def _folder(module: Linked, cache: Path, goroot: str) -> Path | None:
    if module.path == STANDARD:
        return Path(goroot) if goroot else None
    return cache / f"{_escaped(module.path)}@{_escaped(module.version)}" if module.version else None


def _escaped(text: str) -> str:
    """As paths in the module cache are: a capital letter as ! and the small one."""
    return re.sub("[A-Z]", lambda found: f"!{found[0].lower()}", text)


def _with_licences(module: Linked, folder: Path | None) -> Linked:
    if folder is None:
        return attrs.evolve(module, unlicensed="where its source is was not told")
    try:
        files = sorted(each for each in folder.iterdir() if _is_licence(each))
        sizes = {file: file.stat().st_size for file in files}
        found = tuple(_read(file) for file in files if sizes[file] <= _LARGEST)
    except OSError as e:
        return attrs.evolve(module, unlicensed=f"its source cannot be read: {e.strerror}")
    large = [f"{file.name} has {size} bytes" for file, size in sizes.items() if size > _LARGEST]
    reason = "" if found else "it has no file with a licence"
    if large:
        reason = f"{', '.join(large)}, and what has over {_LARGEST} is not read"
    return attrs.evolve(module, licences=found, unlicensed=reason)


def _is_licence(file: Path) -> bool:
    named = _NAME.fullmatch(file.name) and not _SOURCE.fullmatch(file.name)
    return bool(named) and file.is_file()


def _read(file: Path) -> Licence:
    from licenseclassifier import identify_license

    data = file.read_bytes()
    text = data.decode("utf-8", "replace")
    ids = dict.fromkeys(match.id for match in identify_license(text))
    return Licence(file.name, hashlib.sha256(data).hexdigest(), tuple(ids), text)
