"""resolve: give every symbol of every object its id, and settle which definition wins.

Objects define and refer to symbols in five classes. Package symbols are addressed by
package and index and never clash. Content-addressable symbols, short (8-byte) and long
(16-byte hash), are the same symbol when their content is. Non-package symbols are found
by name and version; several objects may define one, and rules say which wins. References
by name come last and create what nobody defines.

Ids must come out in the order in which the oracle meets new symbols: package definitions
of all objects, then object by object the hashed and the named ones, then references. So
every record is a row, in that order. A row whose content, or whose name and version, an
earlier one has is led by that one; the others are new symbols, and the count of them up to
a row is its id. One kernel finds equal names and equal content, compared in full.
Duplicates that may be dropped (DUPOK) are settled in arrays too; only names defined twice
for real go through the rules one by one.

Source: cmd/link/internal/loader/loader.go (preloadSyms, addSym, loadObjRefs, resolve).
Reads `packages`, `objects`; provides `symbols`, `objects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.room import Memory
from linkpipe.arrays.threads import each, pieces
from linkpipe.arrays.types import I32, I64, U8, U32
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels import records as codes
from linkpipe.kernels.contents import LEFT_OUT, share
from linkpipe.symkind import SymKind, is_data, is_text
from linkpipe.tables.contents import Contents, check_contents, group_contents
from linkpipe.tables.names import Names, Slots
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import Packages
from linkpipe.tables.records import (
    DESCRIBED,
    NONPKG,
    PACKAGE,
    REF,
    Records,
    describe,
    read_records,
)
from linkpipe.tables.symbolcolumns import COLUMNS, DEFAULTS, STATIC
from linkpipe.tables.symbols import Flag, Symbols
from linkpipe.values import evolve

# Flags that a symbol has when any of its records has them, not just the winner's.
_STICKY = Flag.LOCAL | Flag.USED_IN_IFACE
# When symbols of each class get their ids.
_STAGES = np.array([0, 1, 1, 1, 2], np.uint8)


@linkpass(requires=("packages", "objects"), provides=("symbols", "objects"))
def resolve(link: Link) -> Link:
    """Give every symbol its id and settle which definition wins."""
    objects = link.objects
    # What nobody reads without debug information is still named when dependencies are printed.
    with_dwarf = link.options.dumpdep or not link.options.w
    contents = group_contents(objects, _STICKY, with_dwarf=with_dwarf)
    settled = _settle(link, contents, with_dwarf=with_dwarf)
    symbols = _table(objects, link.arch.regabi, settled)
    places = int(objects.local_base[-1])
    memory = Memory.begin(np.int32, places)
    memory[settled.place] = settled.ids
    ids = memory[:places]
    each(lambda part: share(contents.first, ids, part.start, part.stop), pieces(places, 1))
    builtins = _builtins(symbols, link.release.builtins, link.arch.regabi)
    objects = evolve(objects, local_to_id=memory.table(places), builtins=builtins)
    check_contents(objects, contents)
    return link.evolve(objects=objects, symbols=_apply_ref_flags(objects, symbols))


class _Settled(NamedTuple):
    """Which symbol each record is of, and whose definition wins; all that is kept of the records,
    for their names take as much memory as the table of symbols.

    ``place``, ``flags`` and ``align`` are as in Records, a row each; ``reference`` uint8: whether
    it only refers to the symbol; ``ids`` int32: which one. ``winner`` int32, by id: the row.
    ``fixups``: sizes to correct, by id. ``names``: ids by name.
    """

    place: I32
    reference: U8
    flags: U32
    align: I32
    ids: I32
    winner: I32
    fixups: dict[int, int]
    names: Slots


def _settle(link: Link, contents: Contents, *, with_dwarf: bool) -> _Settled:
    """Read the records, and tell them apart."""
    objects = link.objects
    left_out = contents.noted & np.uint8(LEFT_OUT)
    records = read_records(objects, link.arch.regabi, with_dwarf=with_dwarf, left_out=left_out)

    # leader[row]: the row whose symbol it is. Rows that lead themselves are new symbols.
    leader = np.arange(len(records.place), dtype=np.int32)
    named, slots = _lead_equal_names(objects, records, leader)
    alike = contents.first[records.place]
    hashed = np.flatnonzero(alike != records.place)
    row_at = np.empty(len(contents.first), np.int32)
    row_at[records.place] = np.arange(len(records.place), dtype=np.int32)
    leader[hashed] = row_at[alike[hashed]]
    ids, order = codes.numbered(leader, _STAGES[records.cls])

    winner = np.concatenate(([0], order), dtype=np.int32)
    _larger_wins(hashed, ids, records.size, winner)
    fixups = _settle_names(
        link.packages, objects, records, leader, ids, winner, plain_wins=link.release.plain_wins
    )
    return _Settled(
        place=records.place,
        reference=(records.cls == REF).view(np.uint8),
        flags=records.flags,
        align=records.align,
        ids=ids,
        winner=winner,
        fixups=fixups,
        names=slots.renumbered(named, ids),
    )


def _lead_equal_names(objects: Objects, records: Records, leader: I32) -> tuple[I32, Slots]:
    """Let one row of each name and version lead the others: the last package definition, else the
    first definition, else the first reference. Package definitions stay symbols of their own.

    Returns the rows that have a name to be found by, and where each is found by its place there.
    """
    usable = (records.name_size > 0) & (records.version < STATIC)
    in_package = np.flatnonzero((records.cls == PACKAGE) & usable)[::-1]
    others = np.flatnonzero((records.cls == NONPKG) & usable)
    references = np.flatnonzero(records.cls == REF)
    rows = np.concatenate((in_package, others, references), dtype=np.int32, casting="same_kind")
    names = Names(objects.arena.bytes, records.name_at, records.name_size, records.version)
    return rows, names.lead(rows, len(in_package), leader)


def _larger_wins(rows: I64, ids: I32, size: U32, winner: I32) -> None:
    """Among rows of one symbol the largest wins, the first of them when equal.

    ``for row in rows: if size[row] > size[winner[ids[row]]]: winner[ids[row]] = row``
    """
    better = rows[size[rows] > size[winner[ids[rows]]]]
    if len(better):
        order = np.lexsort((better, -size[better].astype(np.int64), ids[better]))
        better = better[order]
        first = np.concatenate(([True], np.diff(ids[better]) != 0))
        winner[ids[better[first]]] = better[first]


def _settle_names(
    packages: Packages,
    objects: Objects,
    records: Records,
    leader: I32,
    ids: I32,
    winner: I32,
    *,
    plain_wins: bool,
) -> dict[int, int]:
    """Choose the winner of each name with several definitions; sizes to correct, by id.
    ``plain_wins``: a definition that may be repeated yields to one that may not, else to a larger
    one."""
    # Those that define what another one defines, too, and has led.
    again = np.flatnonzero(records.cls == NONPKG)
    again = again[leader[again] != again]
    led_by = leader[again]
    hard = np.zeros(len(leader), np.bool_)
    hard[led_by] = (records.flags[led_by] & np.uint32(Flag.DUPOK)) == 0
    hard[led_by[(records.flags[again] & np.uint32(Flag.DUPOK)) == 0]] = True
    is_hard = hard[led_by]
    _larger_wins(again[~is_hard], ids, records.size, winner)
    fixups: dict[int, int] = {}
    for row in again[is_hard].tolist():
        sym = int(ids[row])
        old = int(winner[sym])
        if plain_wins or not (records.flags[[old, row]] & Flag.DUPOK).any():
            winner[sym] = _overwrite(packages, objects, records, old, row, sym, fixups)
        elif records.flags[row] & Flag.DUPOK and records.size[old] < records.size[row]:
            winner[sym] = row
    return fixups


def _overwrite(
    packages: Packages,
    objects: Objects,
    records: Records,
    old: int,
    new: int,
    sym: int,
    fixups: dict[int, int],
) -> int:
    """Which of two definitions of a name wins (loader.go:445-520): DUPOK gives way, code and
    data win over bss, the larger bss wins; anything else is a duplicate definition."""
    old_size, new_size = int(records.size[old]), int(records.size[new])
    old_dupok = bool(records.flags[old] & Flag.DUPOK)
    if records.flags[new] & Flag.DUPOK:
        return new if old_dupok and old_size < new_size else old
    if old_dupok:
        return new
    place = records.place[[old, new]]
    both = {name: np.empty(2, COLUMNS[name]) for name in DESCRIBED}
    describe(objects, True, place, both)
    # Of a content that is damaged the oracle knows no more than that there is one.
    content = (both["data_size"] != 0) | objects.has_fault(codes.DATA, *objects.located(place))
    bss = is_data(both["kind"]) & ~content
    new_text = bool(is_text(both["kind"])[1])
    if bss[0] and (new_text or content[1] or (bss[1] and new_size > old_size)):
        if old_size > new_size:
            fixups[sym] = old_size
        return new
    if bss[1]:
        if new_size > old_size:
            fixups[sym] = new_size
        return old
    at, length = int(records.name_at[new]), int(records.name_size[new])
    name = objects.arena.view(at, length).tobytes().decode("utf-8", "replace")
    path = [packages.items[int(objects.package[obj])].path for obj in both["object"]]
    kind = [SymKind(int(kind)).name for kind in both["kind"]]
    raise InputError(
        f"duplicated definition of symbol {name}, from {path[1]} (type {kind[1]} size {new_size}) "
        f"and {path[0]} (type {kind[0]} size {old_size})",
        file=objects.names[int(both["object"][1])],
        status=1,
        remedy="rename one of them, or make one a declaration without a body or value",
    )


def _table(objects: Objects, regabi: bool, settled: _Settled) -> Symbols:
    winner = settled.winner
    n = len(winner)
    memory = {
        name: Memory.begin(dtype, n, DEFAULTS.get(name, 0), n if name in DESCRIBED else 0)
        for name, dtype in COLUMNS.items()
    }
    columns: dict[str, npt.NDArray[Any]] = {name: column[:n] for name, column in memory.items()}
    for name in DESCRIBED:
        columns[name][0] = DEFAULTS.get(name, 0)
    described = {name: columns[name][1:] for name in DESCRIBED}
    describe(objects, regabi, settled.place[winner[1:]], described)
    for sym, size in settled.fixups.items():
        columns["size"][sym] = size
    # What the table does not have from the winner alone.
    codes.shared(
        settled.ids,
        winner,
        settled.reference,
        settled.flags,
        settled.align,
        _STICKY,
        columns["flags"],
        columns["align"],
    )
    return Symbols(
        arena=objects.arena,
        made=n - int(np.count_nonzero(settled.reference[winner[1:]])),
        contents=MappingProxyType({}),
        extnames=MappingProxyType({}),
        packages=MappingProxyType({}),
        by_name=settled.names,
        created=MappingProxyType({}),
        created_names=(b"",),
        **{name: column.table(n) for name, column in memory.items()},
    )


def _builtins(symbols: Symbols, builtins: Sequence[tuple[bytes, int]], regabi: bool) -> I32:
    """The id of each builtin symbol, 0 where nobody defines it."""
    abis = [abi if regabi else 0 for _, abi in builtins]
    ids = symbols.lookup_many([name for name, _ in builtins], abis)
    return frozen(np.where(ids < symbols.made, ids, 0).astype(np.int32))


def _apply_ref_flags(objects: Objects, symbols: Symbols) -> Symbols:
    """Mark symbols that an importing object says are used in interfaces."""
    size = goobj.REFFLAGS_RECORD.itemsize
    start = objects.blocks[:, goobj.REFFLAGS]
    counts = (objects.blocks[:, goobj.REFFLAGS + 1] - start) // size
    owner = np.repeat(np.arange(len(objects)), counts)
    at = start[owner] + expand(np.zeros(len(counts), np.int64), counts) * size
    refs = objects.arena.records(at, goobj.REFFLAGS_RECORD)
    used = np.flatnonzero((refs["flag2"].astype(np.uint32) << 8) & Flag.USED_IN_IFACE)
    edit = symbols.edit()
    edit.add_flags(
        objects.resolve(owner[used], refs["pkg"][used], refs["sym"][used]), Flag.USED_IN_IFACE
    )
    return edit.freeze()
