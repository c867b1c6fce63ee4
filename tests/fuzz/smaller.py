"""Makes a finding small: fewer edits, and smaller ones, as long as the verdict is the same; then
names the symbols, so that it stays the same when the small program changes elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from tests.fuzz.archives import OWNED, GoObject
from tests.fuzz.cases import Case, targets
from tests.fuzz.record import Edit


def smaller(case: Case, still: Callable[[Case], bool]) -> Case:
    """The smallest case of this kind that is found by trying what is smaller by a step."""
    tried: set[Case] = {case}
    while True:
        for step in _steps(case):
            if step not in tried:
                tried.add(step)
                if still(step):
                    case = step
                    break
        else:
            return case


def _steps(case: Case) -> Iterator[Case]:
    edits = case.edits
    if len(edits) > 1:
        for at in range(len(edits)):
            yield attrs.evolve(case, edits=edits[:at] + edits[at + 1 :])
    for base, mode in (("small-amd64", "w"), (case.base, "w")):
        if (case.base, case.mode) != (base, mode):
            yield attrs.evolve(case, base=base, mode=mode)
    for at, edit in enumerate(edits):
        for changed in _smaller_edits(edit):
            yield attrs.evolve(case, edits=(*edits[:at], changed, *edits[at + 1 :]))


def _smaller_edits(edit: Edit) -> Iterator[Edit]:
    if edit.how == "resize" and abs(edit.value) > 1:
        yield attrs.evolve(edit, value=1 if edit.value > 0 else -1)
    if edit.how == "set" and edit.value not in (0, 1, -1):
        for value in (0, 1, -1, edit.value // 2):
            yield attrs.evolve(edit, value=value)
    if edit.how in ("text", "directives") and edit.text:
        lines = edit.text.split("\n")
        for at in range(len(lines) if len(lines) > 1 else 0):
            yield attrs.evolve(edit, text="\n".join(lines[:at] + lines[at + 1 :]))
        if len(edit.text) > 100:
            yield attrs.evolve(edit, text=edit.text[: len(edit.text) // 2])
    if edit.how == "bytes" and len(edit.text) > 1:
        yield attrs.evolve(edit, text=edit.text[:1])


def named(case: Case) -> Case:
    """The same case, with symbols in the place of rows where a name is of one symbol alone."""
    objects = {(target.file, target.number): target.object for target in targets(case.base)}
    return attrs.evolve(
        case,
        edits=tuple(
            _named(objects[edit.file, edit.object], edit)
            if (edit.file, edit.object) in objects and not edit.symbol
            else edit
            for edit in case.edits
        ),
    )


def _named(obj: GoObject, edit: Edit) -> Edit:
    by_row = edit.how in ("set", "swap", "copy")
    for local in range(obj.defined):
        name = obj.names[local]
        if not name or obj.names.count(name) > 1:
            continue
        if by_row and edit.kind in OWNED:
            begin, end = obj.owned(edit.kind, local)
            if begin <= edit.row < end:
                return attrs.evolve(edit, row=0, symbol=name, nth=edit.row - begin)
        elif by_row and obj.where(local) == (edit.kind, edit.row):
            return attrs.evolve(edit, row=0, symbol=name)
        elif edit.how in ("resize", "bytes", "name"):
            if local == edit.row:
                return attrs.evolve(edit, row=0, symbol=name)
            found = obj.helped(local, edit.kind)
            if edit.row in found:
                return attrs.evolve(edit, row=0, symbol=name, nth=found.index(edit.row))
    return edit
