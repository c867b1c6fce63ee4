"""What a question is about: a symbol, a package, a module, or a pattern of names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.ask.modules import Modules
from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.graphs.graph import Graph
from linkpipe.tables.symbols import Flag, Symbols
from linkpipe.values import Shown, record

SYMBOL, PACKAGE, MODULE = "symbol", "package", "module"


@record
class Subject(Shown):
    """What a question is about.

    Attributes:
        kind: SYMBOL, PACKAGE or MODULE.
        name: its name: a symbol's as `go tool nm` prints it, a path.
        symbols: int64[k], its symbols, in the output or not; a function may have one for each
            ABI.
        packages: the import paths of its packages, where it is no symbol.
    """

    kind: str
    name: str
    symbols: I64
    packages: frozenset[str] = frozenset()


ARROW = "->"
"""Between the two ends of an edge: "main.main -> fmt.Println"."""


@record
class Edge(Shown):
    """All by which one thing refers to another: any symbols of these."""

    sources: tuple[Subject, ...]
    targets: tuple[Subject, ...]

    @property
    def name(self) -> str:
        """Its name, in full."""
        ends = (", ".join(each.name for each in end) for end in (self.sources, self.targets))
        return f" {ARROW} ".join(ends)


def graph_of(link: Link) -> Graph:
    """The graph that a question about a link is asked of. Raises UserError when the link has not
    come that far."""
    if not link.has("graph"):
        raise UserError(
            "at that pass nothing is known yet of what is needed",
            status=2,
            label="linkpipe",
            remedy="name a later pass: `linkpipe passes` lists them",
        )
    return link.graph


def find_edge(modules: Modules, what: str) -> Edge:
    """What "A -> B" names; each is what ``find`` takes. Raises UserError as that does."""
    source, _, target = what.partition(ARROW)
    return Edge(tuple(find(modules, source.strip())), tuple(find(modules, target.strip())))


def find(modules: Modules, what: str) -> list[Subject]:
    """What ``what`` names: a symbol, else a package by its import path, else a module, else all
    symbols that it matches as a pattern, in which * stands for any text and ? for one character.

    Raises UserError, with names that are near, when there is nothing of that name.
    """
    symbols = modules.link.graph.symbols
    whole = _named(symbols, _as_in_symbols(modules, what))
    # The host linker's entry point is called main, too.
    if len(whole) and (what not in modules.packages or symbols.has(whole, Flag.REACHABLE).any()):
        return [Subject(SYMBOL, _name(symbols, whole), whole)]
    path = modules.main_package if what == modules.program else what
    for kind, packages in ((PACKAGE, {path}), (MODULE, modules.of_module(what))):
        if not packages.isdisjoint(modules.packages):
            name = path if kind == PACKAGE else what
            return [Subject(kind, name, modules.symbols(packages), frozenset(packages))]
    found = _matching(symbols, what) if re.search(r"[*?]", what) else {}
    if not found:
        raise UserError(
            f"no symbol, package or module is named {what!r}",
            status=2,
            label="linkpipe",
            remedy=_near(modules, what)
            or "`go tool nm` lists a program's symbols; patterns have *",
        )
    return [Subject(SYMBOL, name, np.array(ids, np.int64)) for name, ids in found.items()]


def _as_in_symbols(modules: Modules, what: str) -> str:
    """A symbol's name as objects spell it: dots in the last part of a path are written %2e."""
    fitting = [each for each in modules.packages if what.startswith(f"{each}.")]
    if not fitting:
        return what
    package = max(fitting, key=len)
    return path_to_prefix(package) + what[len(package) :]


def _named(symbols: Symbols, name: str) -> I64:
    """All symbols of that name: int64[k]."""
    wanted = name.encode("utf-8", "surrogateescape")
    sizes = symbols.name_size == len(wanted)
    ids = np.flatnonzero(sizes | (symbols.name_at < 0))
    ids = ids[ids > 0]
    if not wanted or not len(ids):
        return ids[:0]
    rows = zip(ids.tolist(), symbols.names(ids), strict=True)
    return np.array([sym for sym, found in rows if found == wanted], np.int64)


def _name(symbols: Symbols, ids: I64) -> str:
    return symbols.name(int(ids[0]))


def _matching(symbols: Symbols, pattern: str) -> dict[str, list[int]]:
    """The symbols that a pattern matches, by name, sorted."""
    text = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    match = re.compile(text.encode("utf-8", "surrogateescape"), re.DOTALL).fullmatch
    ids = np.arange(1, len(symbols))
    found: dict[str, list[int]] = {}
    for sym, name in zip(ids.tolist(), symbols.names(ids), strict=True):
        if name and match(name):
            found.setdefault(name.decode("utf-8", "surrogateescape"), []).append(sym)
    return dict(sorted(found.items()))


def _near(modules: Modules, what: str) -> str:
    """The line "did you mean …?" when there are names like that."""
    symbols = modules.link.graph.symbols
    kept = symbols.reachable()
    names = {name.decode("utf-8", "surrogateescape") for name in symbols.names(kept)}
    low, ends = what.lower(), (f"/{what}", f".{what}", f").{what.rpartition('.')[2]}")
    sure = [name for name in names if name.lower() == low or name.endswith(ends)]
    sure += [each for each in (*modules.packages, *modules.paths) if each.endswith(f"/{what}")]
    if not sure:
        sure = _like(what, (*modules.packages, *modules.paths, *names))
    common = {name: difflib.SequenceMatcher(None, what, name).ratio() for name in sure}
    best = max(common.values(), default=0)
    sure = [name for name in sure if common[name] > best - 0.2]
    sure.sort(key=lambda name: (-common[name], name))
    return f"did you mean {' or '.join(sure[:3])}?" if sure else ""


def _like(what: str, names: Iterable[str]) -> list[str]:
    size = len(what)
    near = [name for name in names if abs(len(name) - size) <= 2 and name[:1] == what[:1]]
    return difflib.get_close_matches(what, near, 3, 0.75)
