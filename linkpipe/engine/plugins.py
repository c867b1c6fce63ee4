"""Discovery: which passes, architectures, observers, dump formats and pipelines there are.

Every distribution with entry points in linkpipe's groups becomes one pluggy plugin, the built-in
ones included; there is no other door. Discovery reads metadata only. A module is imported when a
plan asks for what is in it.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pluggy

from linkpipe.engine import hookspecs
from linkpipe.engine.entrypoints import EntryPoint, plain_name, required, scan
from linkpipe.engine.hookspecs import Offer, hookimpl
from linkpipe.errors import LinkpipeError, Terminated, UserError

_NONE: Mapping[str, object] = MappingProxyType({})
KINDS = ("passes", "arches", "releases", "observers", "dumpers", "pipelines")


class _Distribution:
    """The plugin that stands for a distribution's entry points.

    Attributes:
        hooks: those of its methods that have something to say.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._offers: dict[str, list[Offer]] = defaultdict(list)
        for entry in entries:
            kind = entry.group.rpartition(".")[2]
            offer = Offer(entry.name, entry.owner, entry.load, entry.value)
            self._offers[kind].append(offer)
        self.hooks = {f"linkpipe_{kind}" for kind in self._offers}

    @hookimpl
    def linkpipe_passes(self) -> Iterable[Offer]:
        """Its passes."""
        return self._offers["passes"]

    @hookimpl
    def linkpipe_arches(self) -> Iterable[Offer]:
        """Its architectures."""
        return self._offers["arches"]

    @hookimpl
    def linkpipe_releases(self) -> Iterable[Offer]:
        """Its releases of Go."""
        return self._offers["releases"]

    @hookimpl
    def linkpipe_observers(self) -> Iterable[Offer]:
        """Its observers."""
        return self._offers["observers"]

    @hookimpl
    def linkpipe_dumpers(self) -> Iterable[Offer]:
        """Its dump formats."""
        return self._offers["dumpers"]

    @hookimpl
    def linkpipe_pipelines(self) -> Iterable[Offer]:
        """Its pipelines."""
        return self._offers["pipelines"]


class _Manager(pluggy.PluginManager):
    """Looks for hooks where there may be one: to look at an attribute costs 0.1 ms, most of an
    object's are Python's own, and most distributions have entry points of one group."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        """What a plugin's attribute is marked with as a hook; None for what is none."""
        if name.startswith("__") or (
            isinstance(plugin, _Distribution) and name not in plugin.hooks
        ):
            return None
        return super().parse_hookimpl_opts(plugin, name)


class Catalog:
    """What is installed. ``plugins`` are registered beside the installed ones (for tests).

    ``broken`` are the installed plugins that cannot be used, each with the error that says why. A
    link that asks for nothing of theirs is none of their business; one that asks for a name that
    nobody offers is told of them.

    ``without`` are distributions that are taken for not installed. Raises UserError for one that is
    not, or that is linkpipe itself.
    """

    def __init__(
        self,
        entries: Sequence[EntryPoint] | None = None,
        plugins: Mapping[str, object] = _NONE,
        without: Sequence[str] = (),
    ) -> None:
        self.entries = scan() if entries is None else tuple(entries)
        if without:
            self.entries = _without(self.entries, without)
        self.broken: dict[str, LinkpipeError] = {}
        self.manager = _Manager("linkpipe")
        self.manager.add_hookspecs(hookspecs)
        by_dist: dict[str, list[EntryPoint]] = defaultdict(list)
        for entry in self.entries:
            by_dist[entry.owner].append(entry)
        for owner, mine in by_dist.items():
            self.manager.register(_Distribution(mine), name=owner)
            for entry in mine:
                if entry.group == "linkpipe.plugins":
                    try:
                        plugin = _load(f"the plugin {entry.name}", entry.owner, entry)
                        self._register(plugin, entry.value)
                    except LinkpipeError as e:
                        self.broken[entry.owner] = e
        for name, plugin in plugins.items():
            self._register(plugin, name)

    def _register(self, plugin: object, name: str) -> None:
        try:
            self.manager.register(plugin, name=name)
            self.manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as e:
            wrong = isinstance(e, pluggy.PluginValidationError)
            if wrong and self.manager.is_registered(plugin):
                self.manager.unregister(plugin)
            raise UserError(
                f"a plugin implements a hook that does not exist, or not with these arguments: {e}"
                if wrong
                else f"the plugin {name} is named twice: {str(e).partition(chr(10))[0]}",
                status=2,
                label="linkpipe",
                remedy="correct the hook's name or its arguments, or uninstall the plugin"
                if wrong
                else "name it once among the entry points of linkpipe.plugins",
            ) from e

    @cached_property
    def _offered(self) -> Mapping[str, Mapping[str, tuple[tuple[Offer, str], ...]]]:
        """Kind -> name -> what is offered, each with the plugin that offers it."""
        table: dict[str, dict[str, tuple[tuple[Offer, str], ...]]] = {}
        for kind in KINDS:
            named = table[kind] = {}
            for impl in getattr(self.manager.hook, f"linkpipe_{kind}").get_hookimpls():
                for offer in self._asked(impl):
                    named[offer.name] = (*named.get(offer.name, ()), (offer, impl.plugin_name))
        return table

    @cached_property
    def _offers(self) -> Mapping[str, Mapping[str, tuple[Offer, ...]]]:
        return {
            kind: {name: tuple(offer for offer, _ in found) for name, found in named.items()}
            for kind, named in self._offered.items()
        }

    def _asked(self, impl: Any) -> Sequence[Offer]:
        """What an implementation of a hook offers; nothing, when it is broken."""
        try:
            given = {name: hookspecs.ARGUMENTS[name] for name in impl.argnames}
            offers: tuple[Offer, ...] = tuple(impl.function(**given))
            if not all(isinstance(offer, Offer) for offer in offers):
                raise TypeError("its offers are no linkpipe.api.Offer")
        except Exception as e:
            self.broken[impl.plugin_name] = UserError(
                f"{impl.function.__name__} of {impl.plugin_name} fails: {type(e).__name__}: {e}",
                status=2,
                label="linkpipe",
                remedy="correct the plugin, or uninstall it",
            )
            return ()
        return offers

    def offers(self, kind: str) -> Mapping[str, tuple[Offer, ...]]:
        """All offers of a kind ("passes", …) by name; more than one where names clash."""
        return self._offers[kind]

    def load(self, kind: str, name: str) -> Any:
        """The object of that name; a pass that wraps another one, around the one that this catalog
        has. Raises UserError: unknown, offered twice, or broken."""
        found = self._named(kind, name)
        if kind != "passes":
            return found
        from linkpipe.engine.pass_api import Pass, Wrapping

        around = list[Wrapping]()
        while isinstance(found, Wrapping):
            if found.wrapped in (outer.wrapped for outer in around):
                raise _cannot_wrap(name, f"it wraps {found.wrapped}, which wraps it")
            around.append(found)
            found = self._named(kind, found.wrapped)
        if around and not isinstance(found, Pass):
            raise _cannot_wrap(name, f"{around[-1].wrapped} is not a pass")
        for outer in reversed(around):
            found = outer.over(found)
        return found

    def _named(self, kind: str, name: str) -> Any:
        offers = self._offers[kind].get(name, ())
        what = {"passes": "pass", "arches": "architecture"}.get(kind, kind.removesuffix("s"))
        if not offers:
            known = self._offers[kind]
            # Architectures' names are all alike; one is no misspelling of another.
            near = "" if kind == "arches" else suggestion(name, known)
            raise UserError(
                f'unknown {what} "{name}"',
                status=2,
                label="link" if kind == "arches" else "linkpipe",  # the oracle has architectures
                remedy=self._why_not() or near or f"there are: {', '.join(sorted(known))}",
            )
        if len(offers) > 1:
            owners = " and ".join(offer.owner for offer in offers)
            names = [offer.owner.split()[0] for offer in offers]
            other = next((name for name in names if name != "linkpipe"), names[0])
            raise UserError(
                f'the {what} "{name}" is offered twice, by {owners}',
                status=2,
                label="linkpipe",
                remedy=f"uninstall one of them, or leave it out: -disable-plugin {other}",
            )
        return _load(f"{what} {name}", offers[0].owner, offers[0])

    def _why_not(self) -> str:
        """Why a name may be missing: what is installed and cannot be used."""
        return "\n\t".join(
            f"{owner} may offer it, but is not usable: {error.message} ({error.remedy})"
            for owner, error in self.broken.items()
        )

    def identity(self, names: Iterable[str], arch: str = "", release: str = "") -> str:
        """What decides what the passes of that name do, that architecture and that release: hex
        digits that change when a distribution they come from changes, or linkpipe itself, or what
        one of these requires (a compressor, say), or that of a pass that one of them wraps.

        A distribution is identified by its RECORD (which has a hash of every file); one that is
        installed in editable mode by size and time of the files of its packages, the compiled ones
        too; what a plugin computes, by the distribution of the plugin. Where something is not to be
        identified, or one of the passes is to run always, no identity is like another. Raises
        UserError when a package cannot be imported.
        """
        import hashlib

        from linkpipe.engine.installed import lines

        kinds = {"passes": tuple(names), "arches": (arch,), "releases": (release,)}
        digest = hashlib.sha256(release.encode())
        known, foreign = self._with_wrapped(kinds["passes"])
        if self.unidentified(kinds) or any(getattr(one, "always", False) for one in foreign):
            digest.update(os.urandom(16))
        kinds["passes"] = tuple(known)
        wanted = {
            entry.owner
            for kind, some in kinds.items()
            for name in some
            for _, plugin in self._offered[kind].get(name, ())
            for entry in self._entries_of(plugin)
        }
        infos: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            if entry.owner in wanted or entry.dist == "linkpipe":
                infos[entry.info].add(entry.module)
        for info in sorted({*infos, *required(infos)}):
            for line in lines(info, infos.get(info, ())):
                digest.update(line)
        return digest.hexdigest()

    def unidentified(self, kinds: Mapping[str, Iterable[str]]) -> list[str]:
        """What of this, names by kind, has nothing that tells one version of it from another, each
        with its owner: what is in no distribution, and modules of an editable install that are not
        found as files."""
        from linkpipe.engine.installed import editable, sources

        found = []
        for kind, names in kinds.items():
            for name in self._with_wrapped(names)[0] if kind == "passes" else names:
                for offer, plugin in self._offered[kind].get(name, ()):
                    entries = self._entries_of(plugin)
                    if not entries or any(
                        editable(entry.info) and not sources(entry.module, entry.owner)
                        for entry in entries
                        if entry.name == name or entry.group == "linkpipe.plugins"
                    ):
                        found.append(f"{name} of {offer.owner}")
        return found

    def _with_wrapped(self, names: Iterable[str]) -> tuple[list[str], list[Any]]:
        """The names of passes, and of those that they wrap; and what others than linkpipe offer
        under these. Of linkpipe's own none wraps another, and none is imported."""
        known, foreign = list(dict.fromkeys(names)), list[Any]()
        for name in known:  # it grows
            for offer, plugin in self._offered["passes"].get(name, ()):
                if {entry.dist for entry in self._entries_of(plugin)} == {"linkpipe"}:
                    continue
                # The link says what is wrong; and what is printed is no answer to -V=full.
                with suppress(LinkpipeError), redirect_stdout(sys.stderr):
                    from linkpipe.engine.pass_api import Wrapping

                    foreign.append(_load(f"pass {name}", offer.owner, offer))
                    if isinstance(foreign[-1], Wrapping) and foreign[-1].wrapped not in known:
                        known.append(foreign[-1].wrapped)
        return known, foreign

    def _entries_of(self, plugin: str) -> list[EntryPoint]:
        """The entry points of a plugin: those of the distribution that it stands for, or the one
        that names it."""
        return [
            entry
            for entry in self.entries
            if entry.owner == plugin or (entry.group, entry.value) == ("linkpipe.plugins", plugin)
        ]


def _load(what: str, owner: str, source: Offer | EntryPoint) -> Any:
    try:
        return source.load()
    except (LinkpipeError, KeyboardInterrupt, Terminated):
        raise
    except BaseException as e:  # a module may say sys.exit(), too
        from linkpipe.engine.installed import cannot_load

        raise cannot_load(what, owner, e) from e


def _cannot_wrap(name: str, why: str) -> UserError:
    return UserError(
        f"pass {name}: {why}",
        status=2,
        label="linkpipe",
        remedy="name another pass in its linkpipe.api.wrapping",
    )


def suggestion(name: str, known: Iterable[str]) -> str:
    """The line "did you mean …?" when a known name is near, else nothing."""
    import difflib

    near = difflib.get_close_matches(name, list(known), 3, 0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _without(entries: Sequence[EntryPoint], names: Sequence[str]) -> tuple[EntryPoint, ...]:
    known = {plain_name(entry.dist) for entry in entries}
    for name in names:
        if plain_name(name) in known - {"linkpipe"}:
            continue
        others = ", ".join(sorted(known - {"linkpipe"})) or "none but linkpipe"
        near = suggestion(name, known) or f"there are: {others}"
        raise UserError(
            "linkpipe itself cannot be disabled"
            if plain_name(name) == "linkpipe"
            else f'-disable-plugin: no plugin "{name}" is installed',
            status=2,
            label="linkpipe",
            remedy="disable those of other distributions" if name == "linkpipe" else near,
        )
    gone = {plain_name(name) for name in names}
    return tuple(entry for entry in entries if plain_name(entry.dist) not in gone)
