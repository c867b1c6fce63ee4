"""strictdups: look whether definitions of which any will do are indeed the same.

The compiler writes some symbols into every package that needs them (DUPOK: wrappers, equality
functions, strings), and the link keeps one of each. That is right as long as they are equal. With
-strictdups=1 each definition is compared with the one that is kept so far, its content and its
size, and differences are said on standard error; with =2 they fail the link, except those of
debug information, which the oracle knows to differ (line numbers in wrappers).

The definitions of a name are gone through as `resolve` does: the larger of two that may be
dropped is kept, and one that may not be dropped ends the comparison. Symbols that are found by
their content's hash are equal by construction.

Source: cmd/link/internal/loader/loader.go (addSym, checkdup), cmd/link/internal/ld/lib.go
(exitIfErrors).
Reads `objects`, `packages`; provides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from linkpipe.arrays.room import Column
from linkpipe.arrays.types import Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.output.stdout import say
from linkpipe.tables.names import Names
from linkpipe.tables.records import DESCRIBED, NONPKG, PACKAGE, Records, describe, read_records
from linkpipe.tables.symbolcolumns import COLUMNS, STATIC, Flag

_MAY_DIFFER = ("go:info.go.interface", "go:info.go.builtin", "go:debuglines")


@linkpass(requires=("objects", "packages"))
def strictdups(link: Link) -> Link:
    """Compare duplicate definitions."""
    objects = link.objects
    records = read_records(objects, link.arch.regabi, with_dwarf=True)
    content = {name: np.empty(len(records.place), COLUMNS[name]) for name in DESCRIBED}
    describe(objects, link.arch.regabi, records.place, content)
    dupok = (records.flags & Flag.DUPOK) != 0
    found: list[tuple[int, str, str]] = []
    for rows in _definitions(link, records, dupok):
        kept = rows[0]
        for row in rows[1:]:
            if records.cls[row] == PACKAGE:
                kept = row
            elif dupok[kept] and dupok[row]:
                why = _difference(link, content, kept, row)
                if why:
                    name, told = _told(link, records, kept, row, why)
                    found.append((row, name, told))
                kept = row if records.size[row] > records.size[kept] else kept
            elif dupok[kept]:
                kept = row
    found.sort()
    wrong = [name for _, name, _ in found if not name.startswith(_MAY_DIFFER)]
    if link.options.strictdups > 1 and wrong:
        checkpoint(InputError(told, label="cmd/link", remedy=_REMEDY) for _, _, told in found)
    say("".join(f"cmd/link: {told}\n" for _, _, told in found), stream=2)
    return link


_REMEDY = "rebuild both packages with the same toolchain and flags"


def _definitions(link: Link, records: Records, dupok: Bool) -> Iterator[list[int]]:
    """The rows of each name that several definitions of which any will do are for: those of
    package symbols first, as they are loaded first."""
    objects = link.objects
    usable = (records.name_size > 0) & (records.version < STATIC)
    usable &= (records.cls == PACKAGE) | (records.cls == NONPKG)
    rows = np.flatnonzero(usable)
    at, size, version = records.name_at[rows], records.name_size[rows], records.version[rows]
    name, _ = Names(objects.arena.bytes, at, size, version).group()
    order = np.lexsort((rows, records.cls[rows], name))
    rows, name = rows[order], name[order]
    starts = np.flatnonzero(np.diff(name, prepend=-1))
    many = np.add.reduceat(dupok[rows].astype(np.int64), starts) > 1
    ends = np.append(starts[1:], len(rows))
    for start, end in zip(starts[many].tolist(), ends[many].tolist(), strict=True):
        yield rows[start:end].tolist()


def _difference(link: Link, content: Mapping[str, Column], old: int, new: int) -> str:
    """How the second of two definitions differs from the first, in the oracle's words."""
    view = link.objects.arena.view
    have, had = (
        bytes(view(int(content["data_at"][row]), int(content["data_size"][row])))
        for row in (new, old)
    )
    if len(have) != len(had):
        return f"new length {len(have)} != old length {len(had)}"
    if have != had:
        return "same length but different contents"
    size, before = int(content["size"][new]), int(content["size"][old])
    return "" if size == before else f"different sizes: new size {size} != old size {before}"


def _told(link: Link, records: Records, old: int, new: int, why: str) -> tuple[str, str]:
    """The name of a symbol, and the oracle's message about it."""
    at, length = int(records.name_at[new]), int(records.name_size[new])
    name = bytes(link.objects.arena.view(at, length)).decode("utf-8", "surrogateescape")
    owner, _ = link.objects.located(records.place[[new, old]])
    here, there = (
        link.packages.items[package].path for package in link.objects.package[owner].tolist()
    )
    return name, (
        f"while reading object for '{here}': duplicate symbol '{name}', previous def at "
        f"'{there}', with mismatched payload: {why}"
    )
