"""Which ``-X`` definitions set nothing, or are set anew before anybody can read them.

The linker passes over a variable that is not there, or that nothing reaches, in silence
(cmd/link/internal/ld/data.go, addstrdata).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import attrs
import numpy as np

from linkpipe.ask.modules import Modules
from linkpipe.engine.context import Link
from linkpipe.formats.goobj import AUX_GOTYPE
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.symkind import is_text
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value, record

KINDS = {
    "given-again": "a later -X sets the same variable",
    "no-package": "the program has no such package",
    "no-variable": "the package has no such variable",
    "not-a-string": "the variable is no string; the link fails",
    "not-reachable": "nothing in the program needs the variable",
    "initialised": "the variable is set again when its package is initialised",
}
"""Why a definition has no effect."""

_STRING = "type:string"
_BARRIER = re.compile(rb"(?:runtime\.)?gcWriteBarrier(\d+)")


@record
class Unused(Value):
    """A definition without effect.

    Attributes:
        name: the variable, as it was given.
        value: what it was to become.
        kind: one of KINDS.
        why: the same in words, with what else is known.
        near: variables whose names are like that, the likeliest first.
    """

    name: str
    value: str
    kind: str
    why: str
    near: tuple[str, ...] = ()


@record
class UnusedX(Value):
    """The definitions that have no effect, in order."""

    unused: tuple[Unused, ...]


def unused_x(link: Link) -> UnusedX:
    """The definitions of a link, with the fact ``graph``, that have no effect."""
    given = [text.partition("=") for text in link.options.X]
    last = {name: number for number, (name, _, _) in enumerate(given)}
    reader, found = _Reader(Modules(link)), list[Unused]()
    for number, (name, _, value) in enumerate(given):
        again = last[name] != number
        kind, more, near = ("given-again", "", ()) if again else reader.why(name)
        if kind:
            why = f"{KINDS[kind]}: {more}" if more else KINDS[kind]
            found.append(Unused(name, value, kind, why, near))
    return UnusedX(tuple(found))


@attrs.frozen(eq=False)
class _Reader:
    modules: Modules

    def why(self, name: str) -> tuple[str, str, tuple[str, ...]]:
        """The kind of reason for which a variable is not set, what else there is to say, and names
        that are near; nothing when it is set."""
        package, _, variable = name.rpartition(".")
        if package not in self.modules.packages:
            if package == self.modules.program:
                own = f"{self.modules.main_package}.{variable}"
                return "no-package", "the main package is called main", (own,)
            return "no-package", "", self._near_package(package, variable)
        symbols = self.modules.link.graph.symbols
        sym = symbols.lookup(f"{path_to_prefix(package)}.{variable}")
        gotype = _gotype(self.modules.link, sym) if sym else 0
        if not gotype:
            more = "it is a constant, or declared inside a function, or not at all"
            if self._function(f"{package}.{variable}"):
                more = "it is a function"
            return "no-variable", more, self._near_variable(package, variable)
        type_name = symbols.name(gotype)
        if type_name != _STRING:
            return "not-a-string", f"its type is {type_name.removeprefix('type:')}", ()
        if not symbols.has(sym, Flag.REACHABLE):
            return "not-reachable", "", ()
        if sym in self._initialised(package):
            return "initialised", "its value is not constant", ()
        return "", "", ()

    def _function(self, name: str) -> int:
        """A function, of whichever ABI; 0 where there is none."""
        symbols = self.modules.link.graph.symbols
        package, _, last = name.rpartition(".")
        both = [symbols.lookup(f"{path_to_prefix(package)}.{last}", abi) for abi in (1, 0)]
        kinds = is_text(symbols.kind[both])
        return next((sym for sym, text in zip(both, kinds, strict=True) if sym and text), 0)

    def _near_package(self, package: str, variable: str) -> tuple[str, ...]:
        """The same variable of a package whose path is like that, or ends alike."""
        paths = self.modules.packages
        last = package.rpartition("/")[2]
        found = difflib.get_close_matches(package, paths, 3, 0.8)
        found += [path for path in paths if path.rpartition("/")[2] == last]
        symbols = self.modules.link.graph.symbols
        names = dict.fromkeys(found)
        there = [p for p in names if symbols.lookup(f"{path_to_prefix(p)}.{variable}")]
        return tuple(f"{path}.{variable}" for path in there)

    def _near_variable(self, package: str, variable: str) -> tuple[str, ...]:
        """String variables of the package that are called alike."""
        names = string_variables(self.modules, package)
        low = {name.lower(): name for name in names}
        close = difflib.get_close_matches(variable.lower(), low, 3, 0.6)
        near = [low[name] for name in close]
        return tuple(f"{package}.{name}" for name in near)

    def _initialised(self, package: str) -> Iterator[int]:
        """The variables that a package's own initialiser stores pointers in.

        Such a store is told to the garbage collector: the compiler calls gcWriteBarrierN, and right
        after it come the old pointers of N/2 variables (cmd/compile/internal/ssa/writebarrier.go).
        Where addresses of variables stand behind the code, that cannot be seen.
        """
        graph = self.modules.link.graph
        symbols = graph.symbols
        init = self._function(f"{package}.init")
        if not init:
            return
        rows = np.array([init])
        relocs = graph.objects.relocs(symbols.object[rows], symbols.local[rows])
        order = np.argsort(relocs.offset, kind="stable")
        targets = relocs.target[order].tolist()
        for at, target in enumerate(targets):
            barrier = _BARRIER.fullmatch(symbols.names([target])[0]) if target else None
            if barrier:
                count = int(barrier[1]) // 2
                before = set(targets[max(at - 2 * count, 0) : at])
                yield from before & set(targets[at + 1 : at + 1 + count])


def string_variables(modules: Modules, package: str) -> list[str]:
    """The names of the variables of a package, of a link with the fact ``graph``, that are
    declared as strings."""
    symbols = modules.link.graph.symbols
    ids = modules.symbols({package})
    prefix = f"{path_to_prefix(package)}.".encode()
    ids = ids[symbols.starts_with(ids, prefix) & ~is_text(symbols.kind[ids])]
    found = []
    for sym, name in zip(ids.tolist(), symbols.names(ids), strict=True):
        rest = name.removeprefix(prefix).decode(errors="replace")
        if rest.isidentifier() and symbols.name(_gotype(modules.link, sym)) == _STRING:
            found.append(rest)
    return found


def _gotype(link: Link, sym: int) -> int:
    """The type descriptor of a variable, 0 when the compiler gave it none."""
    symbols, rows = link.graph.symbols, [sym]
    auxs = link.graph.objects.auxs(symbols.object[rows], symbols.local[rows], [AUX_GOTYPE])
    return int(auxs.target[0]) if len(auxs.target) else 0
