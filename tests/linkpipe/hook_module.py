"""A module that offers a pass by a hook, for test_plugins."""

from __future__ import annotations

from linkpipe.engine.hookspecs import Offer, hookimpl
from tests.linkpipe.synthetic import setter


@hookimpl
def linkpipe_passes() -> list[Offer]:
    return [Offer("hooked", "hook_module", lambda: setter("hooked"))]


class _Old:
    @hookimpl
    def linkpipe_stages(self) -> list[Offer]:
        return []


old = _Old()
"""A plugin for a linkpipe that had another hook."""
