"""funcsymbols: leave data of functions where other read-only data is.

Releases before go:func.* became a block of its own lay out data of functions as symbols among
read-only data, carried by go:func.* (the pass symtab), and the records of functions say how far
from that each one is, once addresses are known (funcoffsets). Trees of inlined calls are such
symbols too, and get their content here.

Source: cmd/link/internal/ld/pcln.go (Go 1.25: makeInlSyms, writeFuncData).
Reads `symbols`, `function_data`; provides `symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind


@linkpass(requires=("symbols", "function_data"), provides=("symbols",))
def funcsymbols(link: Link) -> Link:
    """Give trees of inlined calls their content."""
    edit, data = link.symbols.edit(), link.function_data
    trees = data.trees[data.trees != 0]
    edit.set(trees, kind=SymKind.SGOFUNC)
    ends = np.cumsum(edit.size[trees])
    edit.set_contents(trees, data.inlined, np.append(0, ends))
    return link.evolve(symbols=edit.freeze())
