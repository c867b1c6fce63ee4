"""dwarfunits: the order of compilation units, and the section of abbreviations.

Now that functions have addresses, units are sorted: those with functions come first, the others
by the path of their package. The oracle compares where units start, but counts that from each
unit's own first function; so units with functions are all but equal to its sort, and their order
is what that algorithm leaves behind.

`dwarf` has the order and the final text now; the passes that follow add their sections.
Source: cmd/link/internal/ld/dwarf.go:2506 (compilationUnitByStartPCCmp), writeabbrev.
Reads `dwarf`, `packages`, `objects`, `symbols`, `text_order`; provides `dwarf`, `debug_sections`,
`symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.debuginfo.mentions import auxs_by_kind
from linkpipe.debuginfo.sections import unit_ranges
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.dwarf import abbrev_section
from linkpipe.kernels import gosort
from linkpipe.tables.dwarf import DebugSection, DescribedText
from linkpipe.values import evolve


@linkpass(
    requires=("dwarf", "packages", "objects", "symbols", "text_order"),
    provides=("dwarf", "debug_sections", "symbols"),
)
def dwarfunits(link: Link) -> Link:
    """Sort compilation units, write the abbreviations."""
    edit = link.symbols.edit()
    abbrev = link.dwarf.section["abbrev"]
    edit.set_content(abbrev, abbrev_section(link.dwarf.form.abbrevs))
    text = _text(link)
    order = gosort.order(_keys(link, text))
    return link.evolve(
        symbols=edit.freeze(),
        dwarf=evolve(link.dwarf, order=order, text=text),
        debug_sections=(DebugSection(".debug_abbrev", np.array([abbrev])),),
    )


def _text(link: Link) -> DescribedText:
    """Functions at their final places."""
    dwarf, symbols = link.dwarf, link.symbols
    functions = link.text_order[symbols.object[link.text_order] != 0].astype(np.int64)
    auxs = auxs_by_kind(link.objects, symbols, functions, (goobj.AUX_FUNCINFO, goobj.AUX_PCSP))
    unit = np.zeros(len(link.objects), np.int64)
    unit[dwarf.objects] = np.arange(len(dwarf))
    some = np.flatnonzero(auxs[goobj.AUX_FUNCINFO])
    units = unit[symbols.object[functions[some]]]
    unknown = functions[some][np.diff(dwarf.first)[units] == 0]
    for sym in unknown[:1].tolist():
        raise InputError(
            "no debug information for the functions of this object",
            file=link.objects.names[int(symbols.object[sym])],
            symbol=symbols.name(sym),
            remedy="rebuild the package, or link without debug information (-w)",
        )
    return DescribedText(
        functions[some],
        units,
        auxs[goobj.AUX_FUNCINFO][some].astype(np.int64),
        auxs[goobj.AUX_PCSP][some].astype(np.int64),
    )


def _keys(link: Link, text: DescribedText) -> I64:
    """Numbers that compare as the units do."""
    dwarf, ranges = link.dwarf, unit_ranges(link.dwarf, text, link.symbols)
    start = np.zeros(len(dwarf), np.int64)
    start[ranges.unit[::-1]] = ranges.start[::-1]  # backwards: the first one is written last
    has_text = np.diff(dwarf.first) > 0
    paths = [
        link.packages.items[row].path.encode("utf-8", "surrogateescape")
        for row in dwarf.packages.tolist()
    ]
    rank = {path: i for i, path in enumerate(sorted(set(paths)), 1)}
    last = int(start.max(initial=0))
    return np.where(has_text, start, last + np.array([rank[path] for path in paths], np.int64))
