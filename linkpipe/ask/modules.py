"""Whose code it is: the package that a symbol belongs to, and the module that a package is in.

Modules are those of the module information that the go command hands to the linker, which
`go version -m` prints (runtime/debug, BuildInfo).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np

from linkpipe.arrays.types import I64, Ints
from linkpipe.compare import buildinfo
from linkpipe.compare.buildinfo import BuildInfo
from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.symkind import is_text
from linkpipe.tables.symbols import Flag
from linkpipe.values import record

STANDARD = "std"
"""What the standard library is called in place of a module."""

LINKER, SHARED = "(made by the linker)", "(shared by packages)"
"""Whose symbols are that no package has to itself."""


@record
class Modules:
    """The packages and modules of a link, which has run up to ``reachability``, or further. A pass
    that asks requires ``symbols``, ``objects`` and ``packages``; for ``symbols`` of packages
    ``graph``, too."""

    link: Link

    @cached_property
    def main(self) -> str:
        """The path of the main module, "" where the program is built from files or by hand."""
        return self.info.main.path if self.info.main else ""

    @cached_property
    def program(self) -> str:
        """The import path of the main package, "main" where nobody told."""
        return self.info.path or "main"

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of all modules, the main one first."""
        return tuple(self.info.modules)

    @cached_property
    def info(self) -> BuildInfo:
        """What the go command told of the build."""
        environment = self.link.options.environment
        version = self.link.release.build_version(environment.go_version, environment.goexperiment)
        return buildinfo.of_link(version, self.link.packages.modinfo or b"")

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """The import path of each package, in load order."""
        return tuple(package.path for package in self.link.packages.items)

    @cached_property
    def main_package(self) -> str:
        """The main package as symbols have it: "main", or a plugin's path."""
        return next((each.path for each in self.link.packages.items if each.main), "main")

    @cached_property
    def _standard(self) -> frozenset[str]:
        # The assembler of some releases does not say that a package is the standard library's.
        flags = self.link.objects.flags
        compiled = flags & goobj.FLAG_FROM_ASSEMBLY == 0
        return frozenset(
            package.path
            for package in self.link.packages.items
            if (own := flags[[i for i in package.objects if compiled[i]]]).size
            and (own & goobj.FLAG_STD).all()
        )

    def module(self, package: str) -> str:
        """The module that a package is in: STANDARD, a path, or "" where nobody told."""
        if package in self._standard:
            return STANDARD
        if package == self.main_package:
            return self.main
        found = [m for m in self.paths if package == m or package.startswith(f"{m}/")]
        return max(found, key=len, default="")

    def of_module(self, module: str) -> set[str]:
        """The packages of a module, none where there is no such module."""
        if module != STANDARD and module not in self.paths:
            return set()
        return {package for package in self.packages if self.module(package) == module}

    def is_standard(self, package: str) -> bool:
        """Whether a package is of the standard library."""
        return package in self._standard

    def is_own(self, package: str) -> bool:
        """Whether it is the user's own code: of the main package or the main module."""
        own = package == self.main_package
        return own or bool(self.main and self.module(package) == self.main)

    def symbols(self, packages: Collection[str]) -> I64:
        """The symbols of these packages (see ``owners``), ascending, in the output or not."""
        rows = [row for row, each in enumerate(self.packages) if each in packages]
        ids = np.arange(1, len(self.link.graph.symbols))
        return ids[np.isin(self.owners(ids)[0], rows)]

    def owners(self, symbols: Ints) -> tuple[I64, tuple[str, ...]]:
        """The package that each symbol is of, and the names of all: int64[n], places in these.

        It is the package that defines a symbol; where many may (types, instances of generic
        functions, function literals, which some releases merge by content:
        cmd/compile/internal/ir/func.go, NewClosureFunc), the one that its name begins with. It is
        SHARED where it begins with none, and for data that is merged by content (constants), and
        LINKER for what the linker makes. C code is of the package that it was built with; of the
        compiler's library, and common variables of C, are SHARED.
        """
        table = self.link.symbols
        count = len(self.packages)
        home = table.object[symbols]
        found = np.where(home != 0, self.link.objects.package[home], count).astype(np.int64)
        hashed = table.has(symbols, Flag.CONTENT_HASHED)
        found[hashed] = count + 1
        many = np.flatnonzero(
            np.where(hashed, is_text(table.kind[symbols]), table.has(symbols, Flag.DUPOK))
        )
        ids: Ints = symbols[many]
        for row, name in zip(many.tolist(), table.names(ids), strict=True):
            at = self.named(name)
            found[row] = at if at >= 0 else count + 1
        of_c = np.flatnonzero((home == 0) & table.has(symbols, Flag.OF_C))
        outer = table.container[symbols[of_c]]
        sections: Ints = np.where(outer != 0, outer, symbols[of_c])
        for row, name in zip(of_c.tolist(), table.names(sections), strict=True):
            path = name.rpartition(b"(")[0].decode("utf-8", "surrogateescape")
            found[row] = self.link.packages.by_path.get(path, count + 1)
        return found, (*self.packages, LINKER, SHARED)

    def named(self, symbol: bytes) -> int:
        """The package that a symbol's name begins with, by its row; -1: none."""
        text = symbol.removeprefix(b"type:").lstrip(b"*").partition(b"[")[0]
        folder, slash, rest = text.rpartition(b"/")
        return self._prefixes.get(folder + slash + rest.partition(b".")[0], -1)

    def package(self, symbol: int) -> str:
        """The package that a symbol is of (see ``owners``), "" for none."""
        found, _ = self.owners(np.array([symbol]))
        return self.packages[found[0]] if found[0] < len(self.packages) else ""

    @cached_property
    def _prefixes(self) -> dict[bytes, int]:
        return {path_to_prefix(path).encode(): row for row, path in enumerate(self.packages)}

    @cached_property
    def unimported(self) -> tuple[int, ...]:
        """The packages, by row, that are there though nobody imports them: the main package, and
        what the linker adds."""
        items = self.link.packages.items
        imported = {row for package in items for row in package.imports}
        needed = {self.main_package, "runtime"}
        rows = (row for row, each in enumerate(items) if row not in imported or each.path in needed)
        return tuple(rows)

    def lost(self, packages: Collection[str]) -> set[str]:
        """The packages that would not be there if nobody imported these, these among it."""
        items = self.link.packages.items
        left = {row for row, each in enumerate(items) if each.path not in packages}
        wave = {row for row in self.unimported if row in left}
        found = set(wave)
        while wave:
            wave = {to for row in wave for to in items[row].imports if to in left} - found
            found |= wave
        return {each.path for row, each in enumerate(items) if row not in found}

    def imports(self, package: str) -> tuple[str, ...]:
        """A shortest chain of imports from the main package to that one, both included; empty when
        nobody imports it (the linker adds packages that the runtime needs)."""
        items, by_path = self.link.packages.items, self.link.packages.by_path
        goal = by_path.get(package, -1)
        start = by_path.get(self.main_package, 0)
        before = {start: start}
        wave = [start]
        while wave and goal not in before:
            found = [(to, row) for row in wave for to in sorted(items[row].imports)]
            new = {to: row for to, row in reversed(found) if to not in before}
            before |= new
            wave = list(new)
        if goal not in before:
            return ()
        chain = [goal]
        while chain[-1] != start:
            chain.append(before[chain[-1]])
        return tuple(items[row].path for row in reversed(chain))
