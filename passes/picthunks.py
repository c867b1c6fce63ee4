"""picthunks: what position-independent code calls that only the linker can give it.

Where instructions cannot address relative to themselves, such code calls a small function that
tells it where it is. The compiler calls it by name and the linker writes it; the architecture says
how (`Architecture.thunks`), and most have none. Thunks are laid out before all other functions. One
that something defines already is left to it.

Source: cmd/link/internal/ARCH/asm.go (gentext).
Reads `symbols`, `text_order`; provides `symbols`, `text_order`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

_UNDEFINED = (SymKind.Sxxx, SymKind.SXREF, SymKind.SDYNIMPORT, SymKind.SUNDEFEXT)


@linkpass(requires=("symbols", "text_order"), provides=("symbols", "text_order"))
def picthunks(link: Link) -> Link:
    """Define the architecture's thunks."""
    edit = link.symbols.edit()
    made = []
    for name, code in link.arch.thunks:
        sym = edit.lookup_or_create(name)
        if int(edit.kind[sym]) in _UNDEFINED:
            edit.set_content(sym, code)
            edit.set(sym, kind=SymKind.STEXT)
            edit.add_flags(sym, Flag.REACHABLE | Flag.LOCAL)
            made.append(sym)
    order = np.concatenate((np.array(made, np.int32), link.text_order))
    return link.evolve(symbols=edit.freeze(), text_order=frozen(order))
