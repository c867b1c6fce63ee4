"""Passes: one that looks, and one that wraps a built-in one."""

from __future__ import annotations

from pathlib import Path

import attrs

from linkpipe.api import Link, SymKind, UserError, linkpass, rows


@attrs.frozen
class CountOptions:
    """Options of every type."""

    words: tuple[str, ...] = ()
    limit: int = 0
    loud: bool = False
    text: str = ""
    names: Path | None = None


@linkpass(
    name="frozen.count",
    requires=("symbols", "graph"),
    provides=("frozen.functions",),
    optional=("inittasks",),
    options=CountOptions,
    inputs=("names",),
)
def count(link: Link, options: CountOptions) -> Link:
    """Count the functions that are reachable."""
    if options.words != ("one", "two"):
        raise UserError(f"words: {options.words}")
    functions = link.symbols.of_kind(SymKind.STEXT)
    (main,) = rows(link, "symbols", match=r"^main\.main$")
    assert main["kind"] == "STEXT"
    assert link.graph.why("main.main")
    return link.evolve({"frozen.functions": len(functions)})
