"""What is installed, from which distribution, and whether it takes part in a link."""

from __future__ import annotations

import attrs

from linkpipe.engine.pipeline import Pipeline
from linkpipe.engine.plan import Plan
from linkpipe.engine.plugins import KINDS, Catalog
from linkpipe.engine.structure import typed
from linkpipe.flags.settings import Request, Settings
from linkpipe.observe.dump import BUILT_IN, DumpOptions
from linkpipe.values import Value


@attrs.frozen(eq=False)
class Item(Value):
    """Something that a distribution offers.

    Attributes:
        name: what pipelines and flags call it.
        kind: "passes", "arches", "releases", "observers", "dumpers" or "pipelines".
        owner: the distribution, with its version.
        target: "module:attribute" where it is written down, "" when it is computed.
        takes_part: whether it takes part in the link that was asked about.
    """

    name: str
    kind: str
    owner: str
    target: str
    takes_part: bool


@attrs.frozen(eq=False)
class Broken(Value):
    """A distribution that cannot be used.

    Attributes:
        owner: the distribution, with its version.
        why: what is wrong with it.
    """

    owner: str
    why: str


@attrs.frozen(eq=False)
class Installed(Value):
    """All that is installed.

    Attributes:
        items: what distributions offer, by kind and name.
        broken: distributions that cannot be used.
    """

    items: tuple[Item, ...]
    broken: tuple[Broken, ...]


def installed(
    catalog: Catalog, settings: Settings, pipeline: Pipeline, plan: Plan, arch: str, release: str
) -> Installed:
    """What is installed. It takes part in the link with that plan, these settings, that
    architecture and that release."""
    requests = settings.requests()
    part = {
        "passes": {planned.name for planned in plan.passes},
        "arches": {arch},
        "releases": {release},
        "observers": {request.name for request in requests},
        "dumpers": {name for request in requests for name in _formats(request)},
        "pipelines": {name for file in pipeline.files for name in file.extends},
    }
    items = [
        Item(name, kind, offer.owner, offer.target, name in part[kind])
        for kind in KINDS
        for name, offers in sorted(catalog.offers(kind).items())
        for offer in offers
    ]
    broken = [Broken(owner, error.message) for owner, error in catalog.broken.items()]
    return Installed(tuple(items), tuple(broken))


def _formats(request: Request) -> tuple[str, ...]:
    """The formats of a dump that is asked for."""
    if request.name != "dump":
        return ()
    return tuple(typed(request.values, DumpOptions).get("format", BUILT_IN))
