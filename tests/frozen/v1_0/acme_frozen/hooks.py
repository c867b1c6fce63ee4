"""What is offered by hooks."""

from __future__ import annotations

from collections.abc import Iterable

from linkpipe.api import Link, Offer, Pass, hookimpl, say


def _hooked(link: Link) -> Link:
    functions = link.fact("frozen.functions")
    magic = link.image[:4].tobytes()
    done = functions > 100
    say(f"frozen: {done} {magic[1:4].decode()} {link.arch.name} {link.options.buildmode}\n")
    return link


HOOKED = Pass("frozen.hooked", _hooked, requires=("image", "frozen.functions"))


@hookimpl
def linkpipe_passes() -> Iterable[Offer]:
    """A pass."""
    return [Offer("frozen.hooked", "acme-frozen 1.0", lambda: HOOKED)]


@hookimpl
def linkpipe_observers() -> Iterable[Offer]:
    """None."""
    return ()
