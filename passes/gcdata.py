"""gcdata: tell the garbage collector where pointers lie in static data.

The collector scans .data and .bss, of which the program's types know the layout: for each of the
two sections a GC program (linkpipe.kernels.gcprog) is made from the types of the variables in
it, and laid out with read-only data as ``runtime.gcdata`` and ``runtime.gcbss``. Data without
pointers is in sections of its own, which are not scanned.

The order of symbols is settled by now, and so their offsets in the two sections; no address is
needed.

Source: cmd/link/internal/ld/data.go:1344-1450 (GCProg), 2026-2045.
Reads `symbols`, `objects`, `sections`, `shlibs` if it is there; provides `symbols`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import distinct, owners
from linkpipe.arrays.types import I64
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, LinkpipeError, PipelineError, checkpoint
from linkpipe.formats import goobj
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.imported import ImportedTypes
from linkpipe.gotypes.pointers import PointerWords
from linkpipe.kernels import gcprog
from linkpipe.layout.assign import Placed, place_sections
from linkpipe.symkind import SymKind

_PROGRAMS = (("runtime.gcdata", ".data", SymKind.SDATA), ("runtime.gcbss", ".bss", SymKind.SBSS))


class _Variables(NamedTuple):
    """The variables of a section, by address: symbol ids, offsets, types (0: none)."""

    ids: I64
    offsets: I64
    types: I64
    size: int


@linkpass(requires=("symbols", "objects", "sections"), optional=("shlibs",), provides=("symbols",))
def gcdata(link: Link) -> Link:
    """Write the GC programs of .data and .bss."""
    edit = link.symbols.edit()
    rows = [
        row
        for row, section in enumerate(link.sections.items)
        if section.segment == "data" and section.name != ".tbss"
    ]
    placed = place_sections([link.sections[row] for row in rows], link.symbols, link.arch)
    by_name = {link.sections[row].name: (row, at) for row, at in zip(rows, placed, strict=True)}
    for _, section, _ in _PROGRAMS:
        if section not in by_name:
            raise PipelineError(
                f"the pass gcdata found no section {section}",
                file=link.options.settings.pipeline,
                remedy="let it run behind datalayout, which sorts data into sections",
            )
    found = {name: _variables(link, *by_name[section], kind) for name, section, kind in _PROGRAMS}
    types = TypeData(link.symbols, link.objects, link.arch.ptrsize, link.arch.byteorder)
    used = np.zeros(len(link.symbols), np.bool_)
    for some in found.values():
        used[some.types] = True
    used[0] = False  # no type
    shlibs = link.shlibs.items if link.has("shlibs") else ()
    imported = ImportedTypes(link.symbols, shlibs, types.layout) if shlibs else None
    words = PointerWords(types, np.flatnonzero(used).tolist(), imported)
    errors: list[LinkpipeError] = []
    for name, some in found.items():
        program = edit.lookup(name)
        edit.set_content(program, _program(link, words, some, errors))
    checkpoint(errors)
    return link.evolve(symbols=edit.freeze())


def _variables(link: Link, row: int, placed: Placed, kind: SymKind) -> _Variables:
    """The variables of a section that have pointers; what belongs to the FIPS module is left
    out, as the oracle does."""
    symbols, ids = link.symbols, link.sections[row].symbols.astype(np.int64)
    keep = np.flatnonzero(symbols.kind[ids] == kind)
    ids = ids[keep]
    aux = link.objects.auxs(symbols.object[ids], symbols.local[ids], {goobj.AUX_GOTYPE})
    types = np.zeros(len(ids), np.int64)
    types[owners(aux.counts)[::-1]] = aux.target[::-1]
    return _Variables(ids, placed.offsets[keep], types, placed.size)


def _program(
    link: Link, words: PointerWords, some: _Variables, errors: list[LinkpipeError]
) -> bytes:
    typed = np.flatnonzero(some.types)
    types = distinct(some.types[typed])
    rows = np.searchsorted(types, some.types[typed])
    ptrsize = link.arch.ptrsize
    out, overlaps = gcprog.program(
        some.offsets[typed] // ptrsize, rows, *words.table(types.tolist()), some.size // ptrsize
    )
    lacking = np.array([words.lacks_pointers(type_) for type_ in types.tolist()], np.bool_)
    wrong = np.zeros((3, len(some.ids)), np.bool_)
    wrong[0] = some.types == 0
    wrong[1, typed] = lacking[rows]
    wrong[2, typed] = overlaps
    for row, which in np.argwhere(wrong.T).tolist():
        errors.append(_bad(link, int(some.ids[row]), which))
    return out.tobytes()


def _bad(link: Link, sym: int, which: int) -> InputError:
    name = link.symbols.name(sym)
    if which == 0:
        return InputError(
            f"missing Go type information for global symbol {name}: size {link.symbols.size[sym]}",
            symbol=name,
            remedy="declare it in Go, or mark it NOPTR in assembly",
            status=2,
        )
    return InputError(
        ("has no pointers but in data section", "pointers overlap those of the symbol before")[
            which - 1
        ],
        symbol=name,
        remedy="rebuild the package that defines it",
        status=2,
    )
