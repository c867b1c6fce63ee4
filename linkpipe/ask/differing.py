"""Why a package of one binary is not that of another, as far as the binaries show."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property

from linkpipe.arch import Architecture
from linkpipe.compare import buildinfo, moduledata
from linkpipe.compare.buildinfo import BuildInfo
from linkpipe.compare.dynamic import Dynamic, content
from linkpipe.compare.golang import architecture_of_file
from linkpipe.formats.elfread import Elf
from linkpipe.values import Shown, Value, evolve, record

_HASH = "go:link.pkghashbytes."

_EVERY = ("GOEXPERIMENT", "-trimpath", "-race", "-msan", "-asan")
"""Settings on which every package depends."""
_OWN = ("-cover", "-gcflags", "-tags", "CGO_ENABLED")
"""Settings on which some do: those that the command names, those of the main module, those with
files for a tag."""


@record
class Cause(Value):
    """A likely cause.

    Attributes:
        name: what differs: "go version", a setting ("-tags", "CGO_ENABLED"), "module", "replace",
            "path", "vcs", "source", "dependency".
        text: how.
        first, second: the values in the one who was there before, and in the one who comes, where
            there are any.
    """

    name: str
    text: str
    first: str = ""
    second: str = ""


@record
class Binary(Shown):
    """A Go binary and what it says of itself."""

    file: Elf

    @cached_property
    def info(self) -> BuildInfo | None:
        """Its build information."""
        return buildinfo.read(self.file)

    @cached_property
    def dynamic(self) -> Dynamic:
        """What it offers and wants."""
        return Dynamic(self.file)

    @cached_property
    def module(self) -> moduledata.ModuleData | None:
        """Its module data."""
        return moduledata.find(self.file)

    @property
    def machine(self) -> str:
        """The kind of machine that it runs on."""
        if self.info and "GOARCH" in self.info.settings:
            return self.info.settings["GOARCH"]
        return self.arch.name if self.arch else f"machine {self.file.header['machine']}"

    @cached_property
    def arch(self) -> Architecture | None:
        """Its architecture, if it is a known one."""
        return architecture_of_file(self.file)

    @cached_property
    def hashes(self) -> dict[str, bytes]:
        """The hash of each package that it is made of, as others see it."""
        dynamic = self.dynamic
        return {
            name.removeprefix(_HASH): content(self.file, symbol, dynamic.symbols)
            for name, symbol in dynamic.defined.items()
            if name.startswith(_HASH)
        }

    @cached_property
    def _folders(self) -> frozenset[str]:
        """The folders of its source files."""
        files = self.module.tables.files if self.module else []
        return frozenset(map(os.path.dirname, files))

    def folder(self, package: str) -> str:
        """The folder that a package was compiled in, if there is but one that can be it."""
        module = self.info.module(package) if self.info else None
        inside = package.removeprefix(module.path).lstrip("/") if module else package
        found = {
            folder
            for folder in self._folders
            if (folder.endswith(f"/{inside}") if inside else folder.endswith(f"/{package}"))
            or folder == package
        }
        return found.pop() if len(found) == 1 else ""

    def setting(self, name: str) -> str:
        """A setting, "" for what was not set."""
        return self.info.settings.get(name, "") if self.info else ""

    def above(self, host: Binary) -> Cause | None:
        """Whether it needs a newer processor than the host checks for when it starts."""
        setting = self.arch.setting if self.arch else None
        if setting is None:
            return None
        name, levels = setting.variable, setting.levels
        mine, its = (b.setting(name).partition(",")[0] for b in (self, host))
        if mine in levels and its in levels and levels.index(mine) > levels.index(its):
            values = f"{its} in the host, {mine} in the plugin"
            text = f"{name}: {values}, which crashes where only the host can run"
            return Cause(name, text, its, mine)
        return None


@record
class Differing(Shown):
    """Why packages of two binaries differ: of ``first``, who was there before and is called
    ``name``, and of ``second``, a plugin."""

    first: Binary
    second: Binary
    name: str

    def causes(self, package: str) -> tuple[Cause, ...]:
        """Why a package differs, the likeliest cause first."""
        if not (self.first.info and self.second.info):
            side = self.name if self.first.info is None else "plugin"
            return (Cause("unknown", f"the {side} has no build information"),)
        found = tuple(self._settings(package)) + tuple(self._source(package))
        return found or (self._rest(package),)

    def _settings(self, package: str) -> Iterator[Cause]:
        assert self.first.info
        assert self.second.info
        one, other = (_plain(b.version) for b in (self.first.info, self.second.info))
        if one != other:
            yield self._cause("go version", "Go version", one, other)
        for name in _EVERY:
            yield from self._setting(name)
        if self._module(package):
            for name in _OWN:
                yield from self._setting(name)
        else:
            for name in ("-gcflags", "-tags", "CGO_ENABLED"):
                yield from self._setting(name)

    def _setting(self, name: str) -> Iterator[Cause]:
        one, other = self.first.setting(name), self.second.setting(name)
        if one != other:
            yield self._cause(name, name, one, other)

    @property
    def _elsewhere(self) -> bool:
        """Whether folders differ for another reason."""
        one, other = self.first.info, self.second.info
        trimmed = self.first.setting("-trimpath") != self.second.setting("-trimpath")
        return trimmed or bool(one and other and _plain(one.version) != _plain(other.version))

    def _module(self, package: str) -> bool:
        return any(b.info and b.info.module(package) for b in (self.first, self.second))

    def _source(self, package: str) -> Iterator[Cause]:
        """Where the source comes from."""
        assert self.first.info
        assert self.second.info
        one, other = (b.info.module(package) if b.info else None for b in (self.first, self.second))
        folders = self.first.folder(package), self.second.folder(package)
        if one and other and one != other:
            kind = "replace" if one.replace or other.replace else "module"
            texts = str(one), str(other)
            if texts[0] == texts[1]:
                texts = f"{one} {one.sum}", f"{other} {other.sum}"
            yield self._cause(kind, "module", *texts)
        elif all(folders) and folders[0] != folders[1] and not self._elsewhere:
            yield self._cause("path", "compiled in", *folders)
        main = {
            b.info.main.path if b.info and b.info.main else "" for b in (self.first, self.second)
        }
        if one and one.path in main:
            for name in ("vcs.revision", "vcs.modified"):
                for cause in self._setting(name):
                    yield evolve(cause, name="vcs")

    def _rest(self, package: str) -> Cause:
        """What is left when nothing shows that differs."""
        assert self.first.info
        module = self.first.info.module(package) or (
            self.second.info.module(package) if self.second.info else None
        )
        if module is None:
            return Cause("source", "the standard library was changed, or built with other flags")
        source = module.replace or module
        if not source.sum:
            return Cause(
                "source", f"the source was changed in between: {module} is built where it is"
            )
        return Cause(
            "dependency", "a package that it imports differs, or was built with other flags"
        )

    def _cause(self, kind: str, title: str, one: str, other: str) -> Cause:
        values = f"{one or 'not set'} in the {self.name}, {other or 'not set'} in the plugin"
        return Cause(kind, f"{title}: {values}", one, other)


def _plain(version: str) -> str:
    """A version of Go without the experiments that it names, which are a setting."""
    return re.split(r"[ -]X:", version, maxsplit=1)[0]
