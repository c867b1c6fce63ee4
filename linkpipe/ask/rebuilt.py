"""What a binary shows of how it was built, beside what it says: flags of the linker, and what most
likely explains that building it again gives another file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property

import attrs

from linkpipe.ask.firstdifference import Difference
from linkpipe.ask.modules import Modules
from linkpipe.ask.unused_x import string_variables
from linkpipe.compare import buildinfo, moduledata
from linkpipe.compare.buildinfo import BuildInfo
from linkpipe.compare.dynamic import content
from linkpipe.compare.golang import architecture_of_file
from linkpipe.engine.context import Link
from linkpipe.formats.elfread import Elf

_VALUE = ".str"
"""What the linker calls the value that -X gives a variable, behind the variable's name."""
_VARIABLE = re.compile(r"[\w.~][\w./%~+-]*\.\w+")
_SHOWN = 3


@attrs.frozen(eq=False, slots=False)
class Clues:
    """A binary, and its build information."""

    file: Elf
    info: BuildInfo

    def stripped(self) -> tuple[str, ...]:
        """The flags of the linker that leave out what the binary has not."""
        if ".symtab" not in self.file.names:
            return ("-s",) if not _debug(self.file) else ("-s", "-w=false")
        return () if _debug(self.file) else ("-w",)

    def link_flags(self, output: Elf) -> tuple[str, ...]:
        """The flags of the linker that explain what the binary has, and what it has not, beside
        ``output``, which was linked without them."""
        alike = Clues(output, self.info).stripped() == self.stripped()
        found = [] if alike else [*self.stripped()]
        ours, theirs = _values(output), _values(self.file)
        for name, value in theirs.items():
            if name not in ours and _VARIABLE.fullmatch(name):
                found += ["-X", f"{name}={value}"]
        return tuple(found)

    def guesses(
        self, output: Elf, link: Link, difference: Difference | None
    ) -> Iterator[tuple[str, str]]:
        """What most likely explains that ``output`` is another file, the likeliest first."""
        other = buildinfo.read(output)
        found = [*self._settings(other)] if other else []
        found += self._paths(output)
        if not found and difference:
            found += self._everywhere(difference) or self._functions(output)
            found += () if found else self._place(difference, link)
        yield from found

    def _settings(self, other: BuildInfo) -> Iterator[tuple[str, str]]:
        """What the build information of the two disagrees on."""
        for name in sorted({*self.info.settings, *other.settings}):
            mine, its = self.info.settings.get(name, ""), other.settings.get(name, "")
            if mine != its:
                kind = "vcs" if name.startswith("vcs") else name
                yield kind, f"{name}: {_text(mine)} in the binary, {_text(its)} when built here"
        mine_, its_ = self.info.modules, other.modules
        for path in sorted({*mine_, *its_}):
            if mine_.get(path) != its_.get(path):
                one, two = mine_.get(path, "not there"), its_.get(path, "not there")
                yield "module", f"{one} in the binary, {two} when built here"

    def _paths(self, output: Elf) -> Iterator[tuple[str, str]]:
        """Where the source files lay."""
        mine, its = _Files(self.file), _Files(output)
        if mine.trimmed != its.trimmed:
            yield "-trimpath", "built without it" if its.trimmed else "built with it"
            return
        if mine.root != its.root:
            yield "GOROOT", f"Go was in {mine.root}, and is in {its.root} here"
        if mine.root == its.root and not its.trimmed:
            gone, new = mine.folders - its.folders, its.folders - mine.folders
            if (
                gone
                and new
                and {os.path.basename(f) for f in gone} & {os.path.basename(f) for f in new}
            ):
                yield "path", f"the source was in {min(gone)}, and is in {min(new)} here"

    def _functions(self, output: Elf) -> Iterator[tuple[str, str]]:
        """Functions that only one of the two has."""
        mine, its = _Files(self.file).functions, _Files(output).functions
        more, fewer = sorted(mine - its), sorted(its - mine)
        if not more and not fewer:
            return
        told = []
        for names, where in ((more, "in the binary only"), (fewer, "not in the binary")):
            if names:
                rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                told.append(f"{', '.join(names[:_SHOWN])}{rest} {where}")
        yield "source", f"other source, -tags or -gcflags: {'; '.join(told)}"

    def _everywhere(self, difference: Difference) -> list[tuple[str, str]]:
        """What changes the standard library."""
        package = difference.package
        known = self.info.module(package) is not None or package in ("", "main")
        if difference.section != ".text" or known:
            return []
        arch = architecture_of_file(self.file)
        level = arch.setting.variable if arch and arch.setting else ""
        if level and difference.symbol.startswith("internal/cpu.getGO"):
            return [
                (level, f"{level} is not what the binary says: {difference.symbol} is other code")
            ]
        names = ", ".join(filter(None, (level, "-gcflags=all=...", "or another build of Go")))
        return [(level or "-gcflags", f"{names}: {difference.symbol} is other code")]

    def _place(self, difference: Difference, link: Link) -> Iterator[tuple[str, str]]:
        """What the first difference is in."""
        where = difference.symbol or difference.section
        if difference.section == ".text" and not difference.relocation:
            yield "source", f"other source, or -gcflags: {where} is other code"
            return
        modules = Modules(link)
        names = string_variables(modules, modules.main_package)
        if names and "-trimpath" in self.info.settings:
            told = ", ".join(f"{modules.main_package}.{name}" for name in names[:_SHOWN])
            yield "-ldflags", f"-X, which -trimpath does not write down, perhaps of {told}"
        yield "source", f"other source: {where} is other data"


@attrs.frozen(eq=False, slots=False)
class _Files:
    """The names of source files and functions in a binary."""

    file: Elf

    @cached_property
    def _module(self) -> moduledata.ModuleData | None:
        return moduledata.find(self.file)

    @cached_property
    def names(self) -> frozenset[str]:
        """Source files."""
        return frozenset(self._module.tables.files) if self._module else frozenset()

    @cached_property
    def root(self) -> str:
        """The folder of the standard library's source; "" where names are trimmed."""
        ends = "/runtime/proc.go"
        return next((n.removesuffix(ends) for n in sorted(self.names) if n.endswith(ends)), "")

    @property
    def trimmed(self) -> bool:
        """Whether names have no folders of a machine in them."""
        return not self.root

    @property
    def folders(self) -> frozenset[str]:
        """Folders of sources outside of the standard library."""
        own = (name for name in self.names if name.startswith("/"))
        return frozenset(os.path.dirname(n) for n in own if not n.startswith(f"{self.root}/"))

    @property
    def functions(self) -> frozenset[str]:
        """Functions."""
        tables = self._module.tables if self._module else None
        if tables is None:
            return frozenset()
        return frozenset(tables.function(i) for i in range(tables.functions))


def _debug(file: Elf) -> bool:
    return any(name.startswith((".debug_", ".zdebug_")) for name in file.names)


def _values(file: Elf) -> dict[str, str]:
    """The variables that -X set, and to what, as far as there are symbols."""
    symbols = file.symbols
    found = {}
    for sym, name in enumerate(symbols.names):
        if name.endswith(_VALUE):
            text = content(file, sym, symbols).removesuffix(b"\0")
            found[name.removesuffix(_VALUE)] = text.decode("utf-8", "surrogateescape")
    return found


def _text(value: str) -> str:
    return value or "not set"
