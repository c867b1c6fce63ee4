"""Entry points of installed distributions, read from ``*.dist-info/entry_points.txt``.

importlib.metadata does the same and more. It is not used because importing it costs a fifth of a
small link; tests hold the two together. Known difference: only directories on ``sys.path`` are
looked at (no zip files, no legacy ``.egg-info``).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence

from linkpipe.values import Value, record

PREFIX = "linkpipe."


@record
class EntryPoint(Value):
    """One declared entry point.

    Attributes:
        group: "linkpipe.passes".
        name: its name in the group.
        value: "module:attribute", or "module".
        dist, version: of the distribution that declares it.
        info: its ``.dist-info`` directory.
    """

    group: str
    name: str
    value: str
    dist: str
    version: str
    info: str

    @property
    def owner(self) -> str:
        """The distribution, for messages."""
        return f"{self.dist} {self.version}"

    @property
    def module(self) -> str:
        """The module that it names."""
        return self.value.partition(":")[0].strip()

    def load(self) -> object:
        """Import what it names. Whatever the import raises comes through."""
        from importlib import import_module

        value: object = import_module(self.module)
        for part in filter(None, self.value.partition(":")[2].strip().split(".")):
            value = getattr(value, part)
        return value


def scan(path: Sequence[str] | None = None) -> tuple[EntryPoint, ...]:
    """All entry points of linkpipe's groups, sorted by group, name and distribution.

    A distribution that is found twice counts where it comes first on the path, as for Python.
    """
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for folder in sys.path if path is None else path:
        for info in _infos(folder or "."):
            dist, _, version = os.path.basename(info)[: -len(".dist-info")].partition("-")
            if dist.lower() in seen:
                continue
            seen.add(dist.lower())
            try:
                with open(os.path.join(info, "entry_points.txt"), encoding="utf-8") as file:
                    text = file.read()
            except (OSError, UnicodeError):
                continue
            if PREFIX in text:
                found.extend(
                    EntryPoint(group, name, value, dist.replace("_", "-"), version, info)
                    for group, name, value in _read(text.splitlines())
                    if group.startswith(PREFIX)
                )
    return tuple(sorted(found, key=lambda e: (e.group, e.name, e.dist)))


def required(infos: Iterable[str], path: Sequence[str] | None = None) -> set[str]:
    """The ``.dist-info`` directories of what distributions require as they are installed, and of
    what these require in turn, extras apart. ``infos``: their ``.dist-info`` directories. What is
    not installed, or found otherwise than by such a directory, is left out."""
    there: dict[str, str] = {}
    for folder in sys.path if path is None else path:
        for info in _infos(folder or "."):
            there.setdefault(plain_name(os.path.basename(info).partition("-")[0]), info)
    found, left = set[str](), list(infos)
    while left:
        new = {there[name] for name in _requires(left.pop()) if name in there} - found
        found |= new
        left += new
    return found


def _requires(info: str) -> set[str]:
    """The names of what a distribution requires itself."""
    wanted = set()
    try:
        with open(os.path.join(info, "METADATA"), encoding="utf-8") as file:
            for line in file.read().partition("\n\n")[0].splitlines():
                field, _, value = line.partition(":")
                if field == "Requires-Dist" and "extra ==" not in value:
                    name = re.match(r"\s*([\w.-]+)", value)
                    wanted.add(plain_name(name[1]) if name else "")
    except (OSError, UnicodeError):
        return set()
    return wanted


def plain_name(dist: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub("[-_.]+", "-", dist).lower()


def _infos(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(".dist-info")]


def _read(lines: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    group = ""
    for raw in lines:
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            if equals:
                # Extras after the value ("mod:attr [extra]") are history; Python ignores them too.
                yield group, name.strip(), value.partition("[")[0].strip()
