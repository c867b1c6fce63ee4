"""What of which module is in a program."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import attrs
import numpy as np

from linkpipe.api import Link, Module, Modules

if TYPE_CHECKING:
    from linkpipe_sbom.licences import Licence

STANDARD = "std"
"""What the standard library is called, as Go's vulnerability database has it."""


@attrs.frozen
class Linked:
    """A module that something of is in the program; or a package, where nobody told its module.

    Attributes:
        path: its path, STANDARD for the standard library.
        version: its version, "" where it has none: it was built where it is worked on.
        sha256: of its source, as go.sum has it (h1), in hex; "" where there is none.
        packages: the packages of it that are in the program, sorted.
        size: bytes of their symbols.
        note: what it stands in for, or the folder that it comes from, where it was replaced.
        licences: the texts of licences that it has.
        unlicensed: why none is known, or not each of them, "" where all are.
    """

    path: str
    version: str
    sha256: str
    packages: tuple[str, ...]
    size: int
    note: str = ""
    licences: tuple[Licence, ...] = ()
    unlicensed: str = ""

    @property
    def purl(self) -> str:
        """Its package URL."""
        from packageurl import PackageURL

        namespace, _, name = self.path.rpartition("/")
        return PackageURL("golang", namespace or None, name, self.version or None).to_string()


@attrs.frozen
class Program:
    """A program and what it is made of.

    Attributes:
        name: the import path of its main package.
        main: the one of ``modules`` that the main package is in.
        modules: the modules by the path that imports have, the main one first.
        needs: module -> the modules that packages of it import, by these paths.
        settings: flags and variables of the build.
    """

    name: str
    main: str
    modules: dict[str, Linked]
    needs: dict[str, tuple[str, ...]]
    settings: dict[str, str]


def program(link: Link) -> Program:
    """What is in the program: a package of which no symbol is, is not."""
    whose = Modules(link)
    symbols = link.graph.symbols
    ids = symbols.reachable()
    owners, _ = whose.owners(ids)
    count = len(whose.packages)
    size = np.bincount(owners, symbols.size[ids], count)[:count]
    present = np.bincount(owners, minlength=count)[:count] > 0
    info = whose.info
    told = info.modules

    def home(row: int) -> str:
        package = whose.packages[row]
        module = whose.module(package)
        if module == STANDARD or module in told:
            return module
        return whose.program if package == whose.main_package else package

    of: dict[str, list[int]] = {}
    for row in np.flatnonzero(present).tolist():
        of.setdefault(home(row), []).append(row)
    linked = {}
    for path, rows in of.items():
        packages = tuple(sorted(whose.packages[row] for row in rows))
        number = int(size[rows].sum())
        if path == STANDARD:
            linked[path] = Linked(path, release(info.version), "", packages, number)
        elif path in told:
            linked[path] = _linked(told[path], packages, number)
        else:
            linked[path] = Linked(path, "", "", packages, number)
    main = home(link.packages.by_path[whose.main_package])
    order = sorted(linked, key=lambda path: (path != main, path))
    imports: dict[str, set[str]] = {path: set() for path in order}
    for path in order:
        for row in of[path]:
            items = link.packages.items
            imports[path] |= {home(to) for to in items[row].imports}
    needs = {path: tuple(sorted((found & set(linked)) - {path})) for path, found in imports.items()}
    modules = {path: linked[path] for path in order}
    return Program(whose.program, main, modules, needs, dict(info.settings))


def release(version: str) -> str:
    """The release of Go in a version, which may name experiments: 1.27.3 of go1.27.3-X:arenas."""
    return re.split("-X:| ", version.removeprefix("go"), maxsplit=1)[0]


def _linked(module: Module, packages: tuple[str, ...], size: int) -> Linked:
    used, note = module.replace or module, ""
    if module.replace and module.replace.path.startswith((".", "/")):
        used, note = Module(module.path, "", ""), f"from the folder {module.replace.path}"
    elif module.replace:
        note = f"stands in for {module.path} {module.version}"
    version = "" if used.version == "(devel)" else used.version
    return Linked(used.path, version, _hex(used.sum), packages, size, note)


def _hex(text: str) -> str:
    """The hash of go.sum in hex, "" for another kind."""
    kind, _, digest = text.partition(":")
    try:
        return base64.b64decode(digest, validate=True).hex() if kind == "h1" else ""
    except binascii.Error:
        return ""
