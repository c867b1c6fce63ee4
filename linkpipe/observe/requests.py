"""From what was asked for to observers, and to what that means for the go command."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from linkpipe.engine.contract import place
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.runner import Observer
from linkpipe.engine.structure import make_options, typed
from linkpipe.errors import LinkpipeError, ObserverError, UserError
from linkpipe.flags.settings import Request


def make(requests: Iterable[Request], catalog: Catalog) -> list[Observer]:
    """The observers, ready to watch. Raises UserError: an unknown observer, an option that it has
    not or that is no value of the option's type."""
    return [_make(request, catalog) for request in requests]


def _make(request: Request, catalog: Catalog) -> Observer:
    name = request.name
    found = catalog.load("observers", name)
    if not (isinstance(found, type) and issubclass(found, Observer)):
        offer = catalog.offers("observers")[name][0]
        raise UserError(
            f"{offer.target or name} of {offer.owner} is no class of observers",
            status=2,
            label="linkpipe",
            remedy="its author must derive it from linkpipe.engine.runner.Observer",
        )
    values = typed(request.values, found.options)
    made = make_options(f"the observer {name}", found.options, values)
    try:
        return found() if made is None else found(made)  # type: ignore[call-arg]  # declares options
    except LinkpipeError:
        raise
    except Exception as e:
        offer = catalog.offers("observers")[name][0]
        raise ObserverError(
            f"the observer {name} of {offer.owner} cannot start: {type(e).__name__}: {e}",
            label="linkpipe",
            remedy=f"it failed at {place(e)}; link without it, or report it to its author",
        ) from e


def identity(requests: Sequence[Request], catalog: Catalog) -> str:
    """What observers add to the identity of the linker, by which the go command knows a link that
    it has: empty for none.

    A link that is watched is another one than a link that is not, so what one printed is not
    repeated for the other. For an observer that wants a link in any case the identity is new each
    time.
    """
    told = [f"{request.name}:{sorted(request.values.items())}" for request in requests]
    if any(observer.wants_link for observer in make(requests, catalog)):
        told.append(os.urandom(16).hex())
    return "\n".join(told)
