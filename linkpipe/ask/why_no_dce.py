"""What switched the pruning of methods off: every true cause, with its chain and what it keeps.

Methods are kept one by one, when somebody could call them, until something comes into play that
could call any: a function that looks methods up by a name or a number that is not known when
linking, or another module, loaded at run time. From then on every exported method of every type
that can be in an interface is kept, and what those need; functions among it that look methods up,
too, are no causes, only consequences. So causes are looked for in a run in which nothing of that
happens (linkpipe.ask.rerun).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import attrs
import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask import rerun
from linkpipe.ask.reasons import Inlined, Reason, Reasons
from linkpipe.ask.why import why
from linkpipe.engine.context import Link
from linkpipe.reloctype import R_USEIFACEMETHOD
from linkpipe.symkind import is_text
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value, evolve, record


@record
class Kept(Value):
    """What leaves the output when pruning is not switched off.

    Attributes:
        methods: functions that are methods of types and would not be called.
        symbols: symbols, these methods' and others.
        size: their bytes; debug information and line tables are not counted.
    """

    methods: int
    symbols: int
    size: int


NOTHING = Kept(0, 0, 0)


@record
class Cause(Value):
    """Something that switches pruning off.

    Attributes:
        kind: "reflection", a function that looks up methods that are not known when linking;
            "modules", other modules may be loaded.
        name: the function; the package that is imported, or the build mode.
        calls: what the function calls to look them up, "" where that is not known.
        line: "file:line" of that call; of the function, where the call goes through an interface.
        inlined: where that call was inlined, the places in what was inlined, outermost first.
        chain: a shortest chain of reasons for the function, or for code of the package, from a
            root; methods come by their calls. Empty for a build mode.
        own: the number of the step in ``chain`` by which the user's own code comes to it, the last
            such; the length of the chain where the function is the user's own; None where no such
            code takes part.
        standard: whether the function is of the standard library.
        imports: a shortest chain of imports to the package that is imported.
        alone: what leaves when this cause alone goes: nothing where others keep the same.
    """

    kind: str
    name: str
    calls: str = ""
    line: str = ""
    inlined: tuple[Inlined, ...] = ()
    chain: tuple[Reason, ...] = ()
    own: int | None = None
    standard: bool = False
    imports: tuple[str, ...] = ()
    alone: Kept = NOTHING


@record
class WhyNoDce(Value):
    """All that switched pruning off: nothing when ``causes`` is empty; ``together`` is what leaves
    when all of it goes."""

    causes: tuple[Cause, ...]
    together: Kept


def why_no_dce(link: Link) -> WhyNoDce:
    """What switched the pruning of methods off in a link, which has run up to the pass that
    provides ``graph``, or further."""
    asked = _Asked(link)
    causes = [*asked.modules(), *(asked.function(sym) for sym in asked.functions.tolist())]
    if len(causes) == 1:
        causes = [evolve(causes[0], alone=asked.together)]
    causes.sort(key=lambda cause: (cause.own is None, cause.kind, cause.name))
    return WhyNoDce(tuple(causes), asked.together)


@record
class OfRelease(Value):
    """The answer for a program that a release of Go built: ``go`` is "go1.25.5"."""

    go: str
    answer: WhyNoDce


@record
class InReleases(Value):
    """A cause, and the ``releases`` in which it is one."""

    kind: str
    name: str
    releases: tuple[str, ...]


@record
class SideBySide(Value):
    """Answers for several releases, and which cause is in which."""

    releases: tuple[OfRelease, ...]
    causes: tuple[InReleases, ...]


def side_by_side(answers: Mapping[str, WhyNoDce]) -> SideBySide:
    """Answers for one program as several releases of Go built it, by release."""
    known: dict[tuple[str, str], list[str]] = {}
    for go, answer in answers.items():
        for kind, name in dict.fromkeys((each.kind, each.name) for each in answer.causes):
            known.setdefault((kind, name), []).append(go)
    causes = (InReleases(kind, name, tuple(found)) for (kind, name), found in known.items())
    return SideBySide(tuple(OfRelease(*each) for each in answers.items()), tuple(causes))


@attrs.frozen(eq=False, slots=False)
class _Asked:
    link: Link

    @cached_property
    def marked(self) -> I64:
        """Functions that look methods up."""
        return np.flatnonzero(self.link.graph.given.flags & Flag.REFLECT_METHOD)

    @cached_property
    def full(self) -> rerun.Run:
        """What there is."""
        return rerun.run(self.link)

    @cached_property
    def pruned(self) -> rerun.Run:
        """What there would be with pruning on."""
        return rerun.run(self.link, unmarked=self.marked, modules=False)

    @cached_property
    def reasons(self) -> Reasons:
        """Why that would be there."""
        return Reasons(self.link, self.pruned, by_call=True)

    @cached_property
    def functions(self) -> I64:
        """The functions that look methods up and are there for other reasons."""
        return self.marked[self.pruned.reached[self.marked]]

    @cached_property
    def together(self) -> Kept:
        """What leaves when all causes go."""
        return self._kept_by(self.pruned)

    def _kept_by(self, without: rerun.Run) -> Kept:
        """What leaves when only ``without`` is reached."""
        symbols, relocs = self.link.graph.symbols, self.link.graph.relocs
        gone: Bool = self.full.reached & ~without.reached
        ids = np.flatnonzero(gone)
        code = np.concatenate([relocs.target[self.full.methods + i] for i in (1, 2)])
        methods = np.unique(code[gone[code] & is_text(symbols.kind[code])])
        return Kept(len(methods), len(ids), int(symbols.size[ids].sum()))

    def function(self, sym: int) -> Cause:
        """The cause that a function looks methods up."""
        chain, modules = self.reasons.chain(sym), self.reasons.modules
        calls, line, inlined = self._lookup(sym)
        package = modules.package(sym)
        return Cause(
            kind="reflection",
            name=self.link.graph.label(sym),
            calls=calls,
            line=line,
            inlined=inlined,
            standard=modules.is_standard(package),
            chain=chain,
            own=len(chain) if modules.is_own(package) else _last_own(chain),
        )

    def _lookup(self, sym: int) -> tuple[str, str, tuple[Inlined, ...]]:
        """What a function calls to look methods up, "" where that is not known, and the line; of a
        call through an interface, which leaves a note without a place, the function's first."""
        reasons, relocs = self.reasons, self.pruned.inputs.relocs
        calls, place = "", 0
        for row in reasons.calls.look_ups(sym)[:1]:
            noted = relocs.type[row] == R_USEIFACEMETHOD
            target = int(relocs.target[row])
            calls = reasons.calls.name(row) if noted else self.link.graph.label(target)
            place = int(relocs.offset[row])
        ((line, inlined),) = reasons.lines([(sym, place)])
        return calls, line, inlined

    def modules(self) -> list[Cause]:
        """The causes that other modules may be loaded."""
        link = self.link
        mode, buildmode = link.mode, link.options.buildmode
        causes = []
        # Without these alone, where there are others: what the rest keeps is there.
        without = self._kept_by(rerun.run(link, modules=False)) if mode.dynlink else NOTHING
        if mode.can_use_plugins:
            (plugin,) = why(link, "plugin")
            causes.append(
                Cause(
                    kind="modules",
                    name="import of plugin",
                    chain=plugin.chain,
                    own=_last_own(plugin.chain),
                    imports=plugin.imports,
                )
            )
        if mode.dynlink and (buildmode != "exe" or not mode.can_use_plugins):
            causes.append(Cause(kind="modules", name=f"-buildmode={buildmode}"))
        if len(causes) == 1:
            causes = [evolve(causes[0], alone=without)]
        return causes


def _last_own(chain: Sequence[Reason]) -> int | None:
    """The number of the last step that the user's own code makes."""
    return max((number for number, each in enumerate(chain) if each.own), default=None)
