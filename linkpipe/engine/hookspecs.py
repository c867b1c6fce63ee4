"""The hooks by which a plugin offers things. Hooks declare; they never order anything.

Most plugins need no hook: an entry point is enough, and that is how the built-in passes,
architectures, observers and dump formats are offered too. In a plugin's pyproject.toml:

    [project.entry-points."linkpipe.passes"]
    "acme.count" = "acme_linkpipe.count:count"

Hooks are for a plugin that computes what it offers. It names a module in the group
``linkpipe.plugins`` and implements some of these in it:

    from linkpipe.engine.hookspecs import Offer, hookimpl

    @hookimpl
    def linkpipe_passes():
        return [Offer("acme.count", "acme", lambda: count)]

What is offered takes part only when a pipeline (or, for observers and dump formats, a flag) names
it: to install a plugin changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import pluggy

from linkpipe.values import Shown, record

hookspec = pluggy.HookspecMarker("linkpipe")
hookimpl = pluggy.HookimplMarker("linkpipe")

ARGUMENTS: Mapping[str, object] = MappingProxyType({})
"""What hooks are called with, by the argument's name; one that goes is in it until it has gone."""


def leaving(**arguments: str) -> Mapping[str, Warning]:
    """For ``@hookspec(warn_on_impl_args=leaving(target="1.4"))``: who implements the hook and takes
    an argument that goes with that version is warned, when the plugin is registered."""
    return {
        name: DeprecationWarning(f"the argument `{name}` of this hook goes in linkpipe {version}")
        for name, version in arguments.items()
    }


@record
class Offer(Shown):
    """Something a plugin has.

    Attributes:
        name: what pipelines and flags call it.
        owner: the distribution (or plugin) that offers it, with its version, for messages.
        load: imports and returns it; called only when somebody asks for it.
        target: "module:attribute" where it is written down, empty when it is computed.
    """

    name: str
    owner: str
    load: Callable[[], Any]
    target: str = ""


@hookspec
def linkpipe_passes() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer passes (linkpipe.engine.pass_api.Pass)."""


@hookspec
def linkpipe_arches() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer architectures (linkpipe.arch.Architecture), named as in GOARCH."""


@hookspec
def linkpipe_releases() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer releases of Go (linkpipe.release.Release), named as in "1.27"."""


@hookspec
def linkpipe_observers() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer observers: classes derived from linkpipe.engine.runner.Observer, which says what
    they may declare. A flag names one and its options: ``-observe NAME:key=value,…``."""


@hookspec
def linkpipe_dumpers() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer dump formats (linkpipe.observe.dump.Dumper)."""


@hookspec
def linkpipe_pipelines() -> Iterable[Offer]:  # type: ignore[empty-body]  # a declaration
    """Offer pipelines: paths of files, for others to extend by name (linkpipe.engine.pipeline)."""
