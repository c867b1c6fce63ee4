"""randlayout: functions in an order drawn from a seed, for who looks for what depends on the order.

Functions of the FIPS module and others stay apart, for the layout sorts by kind. Those in front
that are, or have, parts of a section of a C object stay where they are: it is laid out whole. A
section without parts ends them; other parts behind it would be torn from their sections, which the
oracle does, and then has no table of functions for them.

Source: cmd/link/internal/ld/data.go:2683-2710 (textaddress).
Reads `symbols`, `text_order`; provides `text_order`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.gorand import shuffled
from linkpipe.tables.symbols import Flag, Symbols


@linkpass(requires=("symbols", "text_order"), provides=("text_order",))
def randlayout(link: Link) -> Link:
    """Shuffle the functions."""
    order, symbols = link.text_order, link.symbols
    outer = symbols.container[order][symbols.has(order, Flag.INTERIOR)]
    ours = ~symbols.has(order, Flag.INTERIOR) & ~np.isin(order, outer)
    first = int(np.argmax(ours)) if ours.any() else len(order)
    if not ours[first:].all():
        raise _torn(symbols, int(order[first]), int(order[first + np.argmin(ours[first:])]))
    moved = order[first:][shuffled(len(order) - first, link.options.randlayout)]
    return link.evolve(text_order=frozen(np.concatenate((order[:first], moved))))


def _torn(symbols: Symbols, before: int, sym: int) -> InputError:
    """What is said of the section of a C object that ``sym`` is, or is a part of."""
    section = int(symbols.container[sym]) or sym
    bare = symbols.has(before, Flag.OF_C)
    return InputError(
        "-randlayout would tear this section of a C object apart, for it is not in front",
        symbol=symbols.name(section),
        found=f"{symbols.name(before)} before it" + (", a section without symbols" if bare else ""),
        remedy=f"{'give its code a symbol' if bare else 'put that behind it'}, "
        "or link without -randlayout",
    )
