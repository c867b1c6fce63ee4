"""Edits of archives: what is changed where, as data; how one is drawn; how it is carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from random import Random

import attrs
import numpy as np

from linkpipe.formats import funcinfo
from tests.fuzz.archives import BLOCKS, OWNED, GoObject, objects
from tests.fuzz.elfs import change
from tests.fuzz.record import Edit, number

_ORDER = (
    "directives",
    "resize",
    "bytes",
    "name",
    "append",
    "swap",
    "copy",
    "set",
    "flip",
    "splice",
)
_LEADING = ("elf symbols", "elf segments", "elf sections", "elf header")
"""What leads to other places, in the order in which it is changed, after those."""


def _rank(edit: Edit) -> tuple[bool, int, int, bool]:
    kind = "elf sections" if edit.kind == "elf names" and not edit.symbol else edit.kind
    leads = _LEADING.index(kind) + 1 if kind in _LEADING else 0
    anywhere = edit.how in ("flip", "splice")
    return anywhere, leads, _ORDER.index(edit.how), edit.kind == "header"


def apply(data: bytes, edits: Sequence[Edit]) -> bytes:
    """An archive with the edits made, in an order in which each still finds its place: lists grow
    and shrink first, then what indexes lead to changes, then the records, then the header. An edit
    of an ELF file is left out where the ones before have taken away what it is of."""
    new = bytearray(data)
    for place, edit in enumerate(sorted(edits, key=_rank)):
        if edit.how == "splice":
            at = min(edit.row, len(new))
            new[at : at + edit.other] = edit.text.encode("latin-1")
        elif edit.kind.startswith("elf "):
            try:
                new = change(new, edit)
            except (IndexError, ValueError):
                if not place:
                    raise
        else:
            target = objects(new)[edit.object]
            _HOW[edit.how](target, edit)
            new = target.data
    return bytes(new)


def _row(obj: GoObject, edit: Edit) -> int:
    """The record that an edit means."""
    if not edit.symbol:
        return edit.row
    local = obj.names.index(edit.symbol)
    if edit.kind in OWNED:
        return obj.owned(edit.kind, local)[0] + edit.nth
    block, row = obj.where(local)
    return row if edit.kind == block else local


def _local(obj: GoObject, edit: Edit) -> int:
    """The symbol that an edit means, or the one of an auxiliary record of this kind."""
    if not edit.symbol:
        return edit.row
    local = obj.names.index(edit.symbol)
    if edit.kind in OWNED or edit.how == "name" or obj.contents[local] == edit.kind:
        return local
    return obj.helped(local, edit.kind)[edit.nth]


def _set(obj: GoObject, edit: Edit) -> None:
    table = obj.header if edit.kind == "header" else obj.table(edit.kind)
    row = 0 if edit.kind == "header" else _row(obj, edit)
    size = table.dtype[edit.field].itemsize
    kept = edit.value & ((1 << 8 * size) - 1)
    # Signed or not, the bytes are these.
    table[edit.field][row : row + 1] = np.frombuffer(
        kept.to_bytes(size, "little"), table.dtype[edit.field]
    )


def _swap(obj: GoObject, edit: Edit) -> None:
    table, row = obj.table(edit.kind), _row(obj, edit)
    first, second = table[row].copy(), table[edit.other].copy()
    table[row], table[edit.other] = second, first


def _copy(obj: GoObject, edit: Edit) -> None:
    table = obj.table(edit.kind)
    table[_row(obj, edit)] = table[edit.other].copy()


def _resize(obj: GoObject, edit: Edit) -> None:
    block = edit.kind if edit.kind in OWNED else "Data"
    local = _local(obj, edit)
    begin, end = obj.owned(block, local)
    row = begin + edit.other
    by = edit.value if edit.value > 0 else -min(-edit.value, end - row)
    if by:
        obj.resize(block, local, row, by)
        if edit.field == "rehash":
            _rehash(obj, local)


def _bytes(obj: GoObject, edit: Edit) -> None:
    local = _local(obj, edit)
    begin, end = obj.owned("Data", local)
    block = obj.bounds("Data")[0]
    at = min(block + begin + edit.other, block + end)
    new = edit.text.encode("latin-1")[: block + end - at]
    obj.data[at : at + len(new)] = new
    if edit.field == "rehash":
        _rehash(obj, local)


def _rehash(obj: GoObject, local: int) -> None:
    """Give a content-addressed symbol another hash."""
    block, row = obj.where(local)
    begin, end = (obj.bounds("Data")[0] + at for at in obj.owned("Data", local))
    digest = int.from_bytes(hashlib.sha256(bytes(obj.data[begin:end])).digest()[:8], "little")
    if block == "Hashed64Defs":
        obj.table("Hash64")["value"][row] = digest
    elif block == "HashedDefs":
        obj.table("Hash")["low"][row] = digest


def _name(obj: GoObject, edit: Edit) -> None:
    """The symbol's record names ``text``, which is written over a long name that is not its own."""
    block, row = obj.where(_local(obj, edit))
    new = edit.text.encode("latin-1")
    table = obj.table(block)
    names = obj.table("NonPkgRefs")
    longest = int(np.argmax(names["name_size"])) if len(names) else 0
    if len(names) and names["name_size"][longest] >= len(new):
        at = int(names["name_at"][longest])
        obj.data[obj.at + at : obj.at + at + len(new)] = new
        table["name_at"][row], table["name_size"][row] = at, len(new)


def _directives(obj: GoObject, edit: Edit) -> None:
    """A section of cgo directives, as the cgo tool has the compiler write it: at the end of the
    text, before the empty line that the marker of the binary part follows."""
    at = obj.text + bytes(obj.data[obj.text : obj.at]).rindex(b"\n!\n")
    obj.splice(at, at, b"\n$$  // cgo\n%s\n$$\n" % edit.text.encode("latin-1"))


_HOW: Mapping[str, Callable[[GoObject, Edit], None]] = {
    "set": _set,
    "swap": _swap,
    "copy": _copy,
    "resize": _resize,
    "bytes": _bytes,
    "name": _name,
    "directives": _directives,
}


@attrs.frozen(eq=False, slots=False)
class Target:
    """An object that edits are drawn for, as the compiler wrote it; ``wanted`` are the symbols that
    the program needs."""

    file: str
    number: int
    object: GoObject
    wanted: frozenset[int]

    @cached_property
    def by_content(self) -> dict[str, tuple[list[int], list[int]]]:
        """What content is -> the symbols that have some, all and the wanted."""
        out: dict[str, tuple[list[int], list[int]]] = {}
        for local, kind in enumerate(self.object.contents):
            begin, end = self.object.owned("Data", local)
            if end > begin:
                every, wanted = out.setdefault(kind, ([], []))
                every.append(local)
                if local in self.wanted:
                    wanted.append(local)
        return out

    @cached_property
    def needed(self) -> list[int]:
        """The wanted, in order."""
        return sorted(self.wanted)

    @cached_property
    def columns(self) -> dict[str, dict[str, list[int]]]:
        """The numbers that stand in the records of each block, by field."""
        tables = {block: self.object.table(block) for block in BLOCKS}
        tables["header"] = self.object.header
        return {
            block: {name: table[name].tolist() for name in table.dtype.names or ()}
            for block, table in tables.items()
        }

    @cached_property
    def kinds(self) -> list[str]:
        """What of the object can be changed."""
        blocks = [block for block in BLOCKS if len(self.object.table(block))]
        return ["header", "name", *blocks, *self.by_content]


NAMES = (
    "main.main runtime.text runtime.etext runtime.types runtime.rodata runtime.pclntab "
    "runtime.firstmoduledata type:* go:string.* go:func.* type:runtime.moduledata _rt0_amd64_linux "
    "runtime.morestack main..inittask go:main.inittasks runtime.gcdata go:buildid type:int "
    "go:itab.x,y runtime.islibrary .got go:cuinfo.packagename.main $f64.0 fuzz/lib.Count "
    "runtime.zerobase runtime.deferreturn local.moduledata _cgo_init main.Exported "
    "runtime.tlsg go:plugin.tabs go:plugin.exports type:.eqfunc.M8 runtime.end runtime.data "
    "runtime.noptrbss go:fipsinfo fuzz/lib"
).split()


def draw(chance: Random, target: Target, kind: str) -> Edit:
    """An edit of this kind."""
    make = Edit(target.file, kind, "", object=target.number)
    if kind == "header":
        return _draw_field(chance, target, make)
    if kind == "name":
        local = _draw_local(chance, range(sum(target.object.counts)), target)
        text = chance.choice([*NAMES, chance.choice(target.object.names)])
        text = chance.choice(["", text, text, text, text + "\xff", text + "\0x"])
        return attrs.evolve(make, how="name", row=local, text=text)
    if kind in BLOCKS:
        if kind in OWNED and chance.random() < 0.25:
            return _draw_resize(chance, target, make)
        if chance.random() < 0.15:
            rows = len(target.object.table(kind))
            how = chance.choice(["swap", "copy"])
            row = _draw_row(chance, target, kind)
            return attrs.evolve(make, how=how, row=row, other=chance.randrange(rows))
        return _draw_field(chance, target, make)
    return _draw_content(chance, target, make)


def _draw_local(chance: Random, every: Sequence[int], target: Target) -> int:
    if target.wanted and chance.random() < 0.75:
        return chance.choice(target.needed)
    return chance.choice(every)


def _draw_row(chance: Random, target: Target, kind: str) -> int:
    """A record, of a symbol that is needed more often than not."""
    obj = target.object
    rows = len(obj.table(kind))
    local = _draw_local(chance, range(obj.defined), target)
    if kind in ("Relocs", "Aux"):
        begin, end = obj.owned(kind, local)
        if end > begin:
            return chance.randrange(begin, end)
    elif kind in OWNED.values():
        return local + chance.randrange(2)
    elif obj.where(local)[0] == kind:
        return obj.where(local)[1]
    return chance.randrange(rows)


def _draw_field(chance: Random, target: Target, make: Edit) -> Edit:
    obj, kind = target.object, make.kind
    table = obj.header if kind == "header" else obj.table(kind)
    names = table.dtype.names or ()
    if kind == "header":
        names = names[1:] if chance.random() < 0.9 else names
    row = 0 if kind == "header" else _draw_row(chance, target, kind)
    name = chance.choice(names)
    others = target.columns[kind][name]
    old = others[row]
    value = number(chance, old, table.dtype[name].itemsize, others)
    return attrs.evolve(make, how="set", row=row, field=name, value=value)


def _draw_resize(chance: Random, target: Target, make: Edit) -> Edit:
    obj = target.object
    block = make.kind if make.kind in OWNED else "Data"
    if block == "Data":
        local = _of_content(chance, target, make.kind)
    else:
        local = _draw_local(chance, range(obj.defined), target)
    begin, end = obj.owned(block, local)
    count = end - begin
    at = chance.choice([0, count, max(count - 1, 0), chance.randrange(count + 1)])
    by = chance.choice([-1, 1, -1, 1, -count, count, -4, 4, -8, 8, 100])
    field = "rehash" if block == "Data" and chance.random() < 0.8 else ""
    return attrs.evolve(make, how="resize", row=local, other=at, value=by, field=field)


def _of_content(chance: Random, target: Target, kind: str) -> int:
    every, wanted = target.by_content[kind]
    return chance.choice(wanted if wanted and chance.random() < 0.85 else every)


# Numbers in a symbol's content: (offset, size) of each.
_FUNCINFO = [(0, 4), (4, 4), (8, 1), (9, 1), (12, 4), (16, 4)]


def _draw_content(chance: Random, target: Target, make: Edit) -> Edit:
    obj, kind = target.object, make.kind
    if chance.random() < 0.25:
        return _draw_resize(chance, target, make)
    local = _of_content(chance, target, kind)
    begin, end = obj.owned("Data", local)
    size = end - begin
    if kind == "funcinfo" and chance.random() < 0.8:
        tree = funcinfo.HEADER.itemsize
        places = [*_FUNCINFO, *((at, 4) for at in range(tree, size, 4))]
        at, width = chance.choice(places)
    else:
        width = chance.choice([1, 1, 1, 2, 4, 8])
        at = chance.randrange(size)
        if kind in ("type", "itab", "inittask", "gcbits"):
            at -= at % width
    base = obj.bounds("Data")[0] + begin
    old = bytes(obj.data[base + at : base + at + width])
    value = number(chance, int.from_bytes(old, "little"), width, [0])
    text = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little").decode("latin-1")
    field = "rehash" if chance.random() < 0.8 else ""
    return attrs.evolve(make, how="bytes", row=local, other=at, text=text, field=field)


ARCHIVE_KINDS = ("archive", "text header", "export data", "tail")


def draw_splice(chance: Random, target: Target, kind: str) -> Edit:
    """An edit of what stands around an object: member headers, the text before it, its end."""
    data, obj = target.object.data, target.object
    make = Edit(target.file, kind, "splice")
    if kind == "tail":
        size = chance.choice([0, 1, 7, 60, 100])
        if chance.random() < 0.5:
            return attrs.evolve(make, row=len(data), text=chance.choice(["\0", "\n", "x"]) * size)
        return attrs.evolve(make, row=len(data) - size, other=size)
    if kind == "archive":
        begin, end = chance.choice([(0, 8), (8, 68), (obj.text - 60, obj.text)])
    elif kind == "text header":
        begin, end = obj.text, obj.at
    else:
        begin, end = 68, max(obj.text - 60, 69)
    at = chance.randrange(begin, end)
    old = data[at]
    new = chance.choice([old ^ (1 << chance.randrange(8)), 0, 10, 32, 48, 57, 0xFF, old + 1])
    text = chance.choice([chr(new & 0xFF), chr(new & 0xFF), "", chr(old) * 2, "\n!\n", "\n$$"])
    cut = chance.choice([1, 1, 1, 1, end - at]) if len(text) <= 1 else 0
    if chance.random() < 0.05:
        cut, text = len(data) - at, ""
    return attrs.evolve(make, row=at, other=cut, text=text)
