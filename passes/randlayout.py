"""randlayout: functions in an order drawn from a seed, for who looks for what depends on the order.

Functions of the FIPS module and others stay apart, for the layout sorts by kind.

Source: cmd/link/internal/ld/data.go:2683-2710 (textaddress).
Reads `text_order`; provides `text_order`.
"""

from __future__ import annotations

from linkpipe.arrays.columns import frozen
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.layout.gorand import shuffled


@linkpass(requires=("text_order",), provides=("text_order",))
def randlayout(link: Link) -> Link:
    """Shuffle the functions."""
    order = link.text_order
    return link.evolve(text_order=frozen(order[shuffled(len(order), link.options.randlayout)]))
