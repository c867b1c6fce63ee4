"""Numbers in a table as names: of symbols, sections and relocation types."""

from __future__ import annotations

from typing import Any

import numpy as np

from linkpipe.engine.context import Link
from linkpipe.reloctype import NAMES


class Names:
    """Names of what a link's numbers stand for; a number that names nothing yet stays one."""

    def __init__(self, link: Link) -> None:
        self._facts = link.facts

    def __call__(self, what: str, numbers: list[int]) -> list[Any]:
        """The names of so many things of one kind ("symbols", "sections", "relocation types")."""
        distinct = sorted(set(numbers))
        told = dict(zip(distinct, self._names(what, distinct), strict=True))
        return [told[number] for number in numbers]

    def _names(self, what: str, numbers: list[int]) -> list[Any]:
        if what == "relocation types":
            kinds = getattr(self._facts.get("arch"), "relocs", {})
            return [kinds[n].name if n in kinds else NAMES.get(n, n) for n in numbers]
        if what == "symbols" and "symbols" in self._facts:
            found = self._facts["symbols"].names(np.array(numbers, np.int64))
            names = (name.decode("utf-8", "surrogateescape") for name in found)
            # One that has no name is known by its number.
            return [name or (f"#{n}" if n else "") for n, name in zip(numbers, names, strict=True)]
        if what == "sections" and "sections" in self._facts:
            items = self._facts["sections"].items
            return [items[n].name if 0 <= n < len(items) else "" for n in numbers]
        return list(numbers)
