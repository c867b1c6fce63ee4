"""What would make `plugin.Open` fail, or the program crash later: from the files alone.

plugin.Open loads the file with RTLD_NOW and RTLD_GLOBAL, so all that it wants has to be in the
host, in plugins that were opened before, or in libraries; and then compares, for each package that
the plugin is made of, the hash of what the compiler exports of it with the one of those who are
loaded already (runtime/plugin.go; the linker's symbols ``go:link.pkghashbytes.PACKAGE``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from linkpipe.ask.differing import Binary, Cause, Differing
from linkpipe.compare.dynamic import Libraries, libraries
from linkpipe.compare.typedata import TypeReader
from linkpipe.formats import elfread
from linkpipe.values import Value, record

KINDS = {
    "host": "the host cannot open plugins",
    "not-a-plugin": "the file is no plugin",
    "machine": "the plugin is for another kind of machine",
    "processor": "the plugin needs a newer processor than the host asks for",
    "package": "a package is not the one that the host was built with",
    "symbol": "nobody has a symbol that the plugin wants",
    "library": "a library is missing",
    "version": "a library does not have a version of symbols that the plugin wants",
    "plugin-path": "two plugins have the same path",
    "method": "a method is dropped that the plugin keeps, of a type that the host has, too",
}
"""What can be wrong."""

_SHOWN = 3
"""Symbols that are named, of those that are wanted in a version."""


@record
class Problem(Value):
    """What is wrong with a plugin.

    Attributes:
        kind: one of KINDS.
        name: the package, symbol, library, path or method that it is about.
        beside: the file that it does not fit: the host, or a plugin that is opened before.
        causes: why, the likeliest first; of packages that differ, what else does.
    """

    kind: str
    name: str
    beside: str
    causes: tuple[Cause, ...]


@record
class Checked(Value):
    """A plugin.

    Attributes:
        file: as it was named.
        plugin_path: what plugin.Open knows it by.
        problems: what is wrong with it.
    """

    file: str
    plugin_path: str
    problems: tuple[Problem, ...]


@record
class PluginCheck(Value):
    """The answer, ``fits`` when nothing is wrong.

    Attributes:
        host: the host's file.
        problems: what is wrong with the host.
        plugins: each, as if they were opened in this order.
        unchecked: libraries that are not on this machine, but then the host's are not either: so
            nothing is said of them, nor of the symbols that may be theirs.
    """

    host: str
    problems: tuple[Problem, ...]
    plugins: tuple[Checked, ...]
    unchecked: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not any(plugin.problems for plugin in self.plugins)


def plugin_check(host: str, plugins: Sequence[str]) -> PluginCheck:
    """What would make the program ``host`` fail to open ``plugins``, which are opened in this
    order, or crash later.

    Raises OSError for a file that cannot be read, InputError for one that is damaged, or no ELF
    file.
    """
    opened = {os.path.realpath(path): path for path in plugins}  # plugin.Open opens a file once
    program = _Loaded(Binary(elfread.read(host)))
    others = [_Loaded(Binary(elfread.read(path))) for path in opened.values()]
    found = libraries([program.dynamic, *(each.dynamic for each in others)])
    here = not any(name in found.missing for name in program.dynamic.needed)
    missing = found if here else Libraries(found.found, {})
    answers, before = [], [program]
    for plugin in others:
        problems = tuple(_problems(plugin, before, missing, found))
        answers.append(Checked(plugin.path, plugin.plugin_path, problems))
        before.append(plugin)
    return PluginCheck(
        host, tuple(_host(program)), tuple(answers), () if here else tuple(sorted(found.missing))
    )


class _Loaded:
    """A file that is loaded."""

    def __init__(self, binary: Binary) -> None:
        self.binary, self.dynamic, self.path = binary, binary.dynamic, binary.file.path

    @cached_property
    def plugin_path(self) -> str:
        """What plugin.Open knows it by; "" for what is no plugin."""
        return self.binary.module.text("pluginpath") if self.binary.module else ""

    @cached_property
    def types(self) -> TypeReader | None:
        """Reads its type descriptors."""
        return TypeReader.of(self.binary.module) if self.binary.module else None


def _host(host: _Loaded) -> Iterator[Problem]:
    info = host.binary.info
    if host.binary.module is None and info is None:
        why = "there is no Go program in it"
    elif "plugin.open" in host.dynamic.defined or host.binary.hashes:
        return
    elif info and info.settings.get("CGO_ENABLED") == "0":
        why = "it was built without cgo (CGO_ENABLED=0)"
    elif not host.dynamic.is_dynamic:
        why = "it is statically linked"
    else:
        why = "it exports no Go: it does not import plugin, or hides symbols from others"
    yield Problem("host", host.path, host.path, (Cause("host", why),))


def _problems(
    plugin: _Loaded, before: Sequence[_Loaded], known: Libraries, found: Libraries
) -> Iterator[Problem]:
    host = before[0]
    mine, its = plugin.binary, host.binary
    kinds = [(b.file.header["machine"], b.file.elf_class, b.file.endian) for b in (mine, its)]
    if kinds[0] != kinds[1]:
        machines = [b.machine for b in (its, mine)]
        cause = Cause("machine", f"{machines[0]} in the host, {machines[1]} in the plugin")
        yield Problem("machine", mine.machine, host.path, (cause,))
        return
    if not plugin.plugin_path:
        mode = mine.info.settings.get("-buildmode", "") if mine.info else ""
        why = f"it was built with -buildmode={mode}" if mode else "it has no plugin path"
        yield Problem("not-a-plugin", plugin.path, host.path, (Cause("buildmode", why),))
        return
    for other in before[1:]:
        if other.plugin_path == plugin.plugin_path:
            cause = Cause("plugin-path", f"plugin.Open says that {other.path} is loaded already")
            yield Problem("plugin-path", plugin.plugin_path, other.path, (cause,))
    yield from _packages(plugin, before)
    cause_ = mine.above(its)
    if cause_:
        yield Problem("processor", cause_.name, host.path, (cause_,))
    for name in plugin.dynamic.needed:
        if name in known.missing:
            cause = Cause("library", "it is not on this machine")
            yield Problem("library", name, host.path, (cause,))
    yield from _versions(plugin, host, found)
    yield from _symbols(plugin, before, found)
    yield from _methods(plugin, host)


def _packages(plugin: _Loaded, before: Sequence[_Loaded]) -> Iterator[Problem]:
    """Packages that are not those of the first one that has them."""
    hashes = plugin.binary.hashes
    for number, other in enumerate(before):
        earlier = [each.binary.hashes for each in before[:number]]
        differ = [
            package
            for package, value in other.binary.hashes.items()
            if hashes.get(package, value) != value and not any(package in e for e in earlier)
        ]
        differing = Differing(
            other.binary, plugin.binary, f"plugin {other.path}" if number else "host"
        )
        for package in sorted(differ):
            yield Problem("package", package, other.path, differing.causes(package))


def _versions(plugin: _Loaded, host: _Loaded, found: Libraries) -> Iterator[Problem]:
    """Versions of symbols that the library has not which is here. Of one that has no versions at
    all the dynamic linker only warns, and ends the program when it comes to a symbol."""
    for wanted in plugin.dynamic.wanted_versions:
        library = found.found.get(wanted.library)
        if library is None or wanted.name in library.versions:
            continue
        family = wanted.name.rpartition("_")[0]
        alike = [name for name in library.versions if name.rpartition("_")[0] == family]
        last = max(alike, key=_numbers, default="")
        why = f"{wanted.library} here ({library.file.path}) does not have it"
        why += f", {last} at most" if last else ""
        why += f"; wanted for {', '.join(wanted.symbols[:_SHOWN])}" if wanted.symbols else ""
        why += f" and {len(wanted.symbols) - _SHOWN} more" if len(wanted.symbols) > _SHOWN else ""
        cause = Cause("version", why, last, wanted.name)
        yield Problem("version", wanted.name, host.path, (cause,))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _symbols(plugin: _Loaded, before: Sequence[_Loaded], found: Libraries) -> Iterator[Problem]:
    """Symbols that nobody has. A library that is not here may have any that is no Go symbol."""
    seen = [each.defined for each in (*(b.dynamic for b in before), *found.found.values())]
    for name in plugin.dynamic.wanted:
        if any(name in each for each in seen):
            continue
        if found.missing and not _of_go(name):
            continue
        why = (
            "the host does not have it" if _of_go(name) else "neither the host nor a library has it"
        )
        yield Problem("symbol", name, before[0].path, (Cause("symbol", why),))


def _methods(plugin: _Loaded, host: _Loaded) -> Iterator[Problem]:
    """Methods that the host has dropped: its descriptor of a type is the one that counts, and a
    call through an interface then ends the program. The linker drops none of a program that it
    knows to open plugins."""
    if not (plugin.types and host.types):
        return
    its = host.dynamic.types
    for name, two in plugin.dynamic.types.items():
        one = its.get(name)
        if one is None:
            continue
        kept = [*plugin.types.methods(two)]
        dropped = [*host.types.methods(one)]
        if len(kept) != len(dropped):
            continue  # of a package that differs
        for (method, gone), (_, missing) in zip(kept, dropped, strict=True):
            if missing and not gone:
                title = f"{plugin.types.type_name(two)}.{plugin.types.name(method)}"
                why = "the host has dropped it: to call it through an interface ends the program"
                yield Problem("method", title, host.path, (Cause("method", why),))


def _of_go(name: str) -> bool:
    """Whether a symbol is of Go's making: C has no dots and no colons in names."""
    return "." in name or ":" in name
