"""Check tables after each pass that changed them.

A table that has a ``verify()`` method lists its broken invariants in words. Besides, every array
in a fact must be read-only: a fact is shared by all the Links that hold it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer, changed
from linkpipe.errors import PassError


class Verify(Observer):
    """Observer "verify"; takes no options."""

    @property
    def wants_link(self) -> bool:
        """What was checked when it was linked need not be checked again."""
        return False

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Raise PassError when a fact that the pass set is broken."""
        for fact in changed(before, after):
            wrong = list(broken(after.facts[fact]))
            if wrong:
                raise PassError(
                    f"left the fact `{fact}` broken: {'; '.join(wrong)}",
                    name=planned.name,
                    fact=fact,
                    label="linkpipe",
                    remedy="this is a bug in the pass; --dump shows the tables before and after it",
                )


def broken(value: Any) -> Iterator[str]:
    """What is wrong with a fact, in words."""
    for name, array in _arrays(value):
        if array.flags.writeable:
            yield f"{name} is writable"
    verify = getattr(value, "verify", None)
    if callable(verify):
        yield from verify()


def _arrays(value: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    if isinstance(value, np.ndarray):
        yield "the array", value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            item = getattr(value, field.name)
            if isinstance(item, np.ndarray):
                yield field.name, item
