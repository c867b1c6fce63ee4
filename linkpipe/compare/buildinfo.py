"""What a Go binary says of how it was built: `go version -m`.

Layout: debug/buildinfo (a magic number, flags, then the version and the module text, each after its
length as a varint, 32 bytes into the section .go.buildinfo); runtime/debug/mod.go for the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from linkpipe.formats.elfread import Elf
from linkpipe.formats.importcfg import unquote
from linkpipe.values import Value, evolve, record

_HEAD = 32
_GUARD = 16
"""Bytes on both sides of the module text, by which it is found in memory."""
_VARINT = 5
"""Bytes of a length at most."""


@record
class Module(Value):
    """A module: ``version`` is "(devel)" for one that is built where it is worked on, ``sum`` the
    hash of its source, "" where there is none; ``replace`` is what stands in for it, a module or
    a folder."""

    path: str
    version: str
    sum: str = ""
    replace: Module | None = None

    def __str__(self) -> str:
        name = f"{self.path} {self.version}".rstrip()
        return f"{name} => {self.replace}" if self.replace else name


@record
class BuildInfo(Value):
    """Attributes:
    version: of Go, "go1.27.3", with the experiments that were changed: "go1.27.3 X:arenas".
    path: the main package.
    main: the module of the main package, if it is in one.
    deps: the other modules.
    settings: flags and variables of the build by name ("-tags", "GOARCH"), as written.
    """

    version: str
    path: str = ""
    main: Module | None = None
    deps: tuple[Module, ...] = ()
    settings: Mapping[str, str] = MappingProxyType({})

    @property
    def modules(self) -> dict[str, Module]:
        """Every module by its path, the main one first."""
        found = (self.main, *self.deps) if self.main else self.deps
        return {module.path: module for module in found}

    def module(self, package: str) -> Module | None:
        """The module that a package belongs to; None for the standard library."""
        modules = self.modules
        while package:
            if package in modules:
                return modules[package]
            package = package.rpartition("/")[0]
        return None


def read(file: Elf) -> BuildInfo | None:
    """The build information of a file; None where there is none. What is cut off is left out."""
    version, text = _strings(file)
    return parse(version, text) if version else None


def go_version(file: Elf) -> str:
    """The version of Go alone; "" where it is not said."""
    return _strings(file)[0]


def _strings(file: Elf) -> tuple[str, str]:
    """The two texts."""
    section = file.index(".go.buildinfo")
    data = b"" if section is None else file.content(section)[_HEAD:].tobytes()
    version, data = _string(data)
    guarded, _ = _string(data)
    text = guarded[_GUARD:-_GUARD]
    return version.decode(errors="replace"), text.decode(errors="replace")


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A text after its length, and what follows."""
    size = at = 0
    for at, byte in enumerate(data[:_VARINT], 1):
        size |= (byte & 0x7F) << 7 * (at - 1)
        if byte < 0x80:
            break
    return data[at : at + size], data[at + size :]


def of_link(version: str, modinfo: bytes) -> BuildInfo:
    """What the go command tells a linker: the module text between its guards."""
    return parse(version, modinfo[_GUARD:-_GUARD].decode("utf-8", "replace"))


def parse(version: str, text: str) -> BuildInfo:
    """What a module text says, without its guards; ``version`` is Go's."""
    path, main, deps, settings = "", None, list[Module](), dict[str, str]()
    for verb, words in _lines(text):
        if verb == "path":
            path = words[0]
        elif verb == "mod":
            main = _module(words)
        elif verb == "dep":
            deps.append(_module(words))
        elif verb == "=>":
            if deps:
                deps[-1] = evolve(deps[-1], replace=_module(words))
            elif main:
                main = evolve(main, replace=_module(words))
        elif verb == "build":
            key, _, value = words[0].partition("=")
            settings[key.strip('"`')] = _unquoted(value)
    return BuildInfo(version, path, main, tuple(deps), MappingProxyType(settings))


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.split("\n"):
        verb, *words = line.split("\t")
        if words:
            yield verb, words


def _module(words: list[str]) -> Module:
    path, version, digest = (*words, "", "")[:3]
    return Module(path, version, digest)


def _unquoted(text: str) -> str:
    """The value of a setting, which is quoted where it has blanks or quotes in it."""
    if not text.startswith(('"', "`")):
        return text
    try:
        return unquote(text).decode(errors="replace")
    except ValueError:
        return text
