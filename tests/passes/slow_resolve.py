"""The slow, obvious symbol resolution: dictionaries and one definition at a time.

It follows the rules in the order in which the oracle states them (loader.go: preloadSyms,
addSym, loadObjRefs) and is what the vectorised pass is held to.
"""

from __future__ import annotations

from typing import NamedTuple

from attrs import frozen

from linkpipe.formats import goobj
from linkpipe.symkind import SymKind
from linkpipe.tables.objects import Objects
from linkpipe.tables.symbols import Flag


class Def(NamedTuple):
    """One symbol record."""

    obj: int
    local: int
    name: bytes
    version: int
    kind: int
    flags: int
    size: int
    align: int
    content: int


@frozen
class Resolution:
    """ids: (object, local) -> id; winners: id -> (object, local); sizes, flags, aligns by id."""

    ids: dict[tuple[int, int], int]
    winners: dict[int, tuple[int, int]]
    sizes: dict[int, int]
    sticky: dict[int, int]
    aligns: dict[int, int]
    count: int


def _records(objects: Objects, obj: int) -> list[Def]:
    whole = objects.arena.bytes
    base = int(objects.base[obj])
    blocks = objects.blocks[obj]
    total = int(objects.local_base[obj + 1] - objects.local_base[obj])
    defined = int(objects.defined[obj])
    out = []
    for local in range(total):
        at = int(blocks[goobj.SYMDEF]) + local * goobj.SYM.itemsize
        record = whole[at : at + goobj.SYM.itemsize].view(goobj.SYM)[0]
        name_at = base + int(record["name_at"])
        name = whole[name_at : name_at + int(record["name_size"])].tobytes()
        abi = int(record["abi"])
        version = int(objects.version[obj]) if abi == goobj.ABI_STATIC else abi
        content = 0
        if local < defined:
            index = int(blocks[goobj.DATAIDX]) + 4 * local
            first, last = whole[index : index + 8].view("<u4")
            content = int(last) - int(first)
        flags = int(record["flag"]) | int(objects.format.flag2[record["flag2"]]) << 8
        out.append(
            Def(
                obj,
                local,
                name,
                version,
                int(objects.format.kinds[record["type"]]),
                flags,
                int(record["size"]),
                int(record["align"]),
                content,
            )
        )
    return out


def _is_text(kind: int) -> bool:
    return SymKind.STEXT <= kind <= SymKind.STEXTEND


def _is_data(kind: int) -> bool:
    return SymKind.SNOPTRDATA <= kind <= SymKind.SNOPTRBSS


def resolve_slowly(objects: Objects) -> Resolution:
    """Resolve the symbols of all objects."""
    records = {obj: _records(objects, obj) for obj in range(1, len(objects))}
    ids: dict[tuple[int, int], int] = {}
    winner: dict[int, Def] = {}
    sizes: dict[int, int] = {}
    sticky: dict[int, int] = {}
    aligns: dict[int, int] = {}
    by_name: dict[tuple[bytes, int], int] = {}
    by_hash: dict[bytes, int] = {}
    count = 1

    def add(d: Def, found: int | None) -> int:
        nonlocal count
        sym = count if found is None else found
        if found is None:
            count += 1
            winner[sym] = d
        ids[d.obj, d.local] = sym
        sticky[sym] = sticky.get(sym, 0) | (d.flags & (Flag.LOCAL | Flag.USED_IN_IFACE))
        return sym

    def align(sym: int, d: Def) -> None:
        aligns[sym] = max(aligns.get(sym, 0), d.align)

    for obj, ds in records.items():
        for d in ds[: int(objects.ndef[obj])]:
            sym = add(d, None)
            align(sym, d)
            if d.name and d.version != int(objects.version[obj]):
                by_name[d.name, d.version] = sym
    for obj, ds in records.items():
        ndef = int(objects.ndef[obj])
        end64 = ndef + int(objects.nhashed64[obj])
        end = end64 + int(objects.nhashed[obj])
        for d in ds[ndef : int(objects.defined[obj])]:
            if d.local < end:
                if d.local < end64:
                    at = int(objects.blocks[obj, goobj.HASH64]) + 8 * (d.local - ndef)
                    key = objects.arena.bytes[at : at + 8].tobytes()
                else:
                    at = int(objects.blocks[obj, goobj.HASH]) + 16 * (d.local - end64)
                    key = objects.arena.bytes[at : at + 16].tobytes()
                sym = add(d, by_hash.get(key))
                by_hash[key] = sym
                if d.size > winner[sym].size:
                    winner[sym] = d
            elif not d.name or d.version == int(objects.version[obj]):
                sym = add(d, None)
            else:
                found = by_name.get((d.name, d.version))
                sym = add(d, found)
                by_name[d.name, d.version] = sym
                if found is not None:
                    old = winner[sym]
                    if d.flags & Flag.DUPOK:
                        if old.flags & Flag.DUPOK and old.size < d.size:
                            winner[sym] = d
                    elif old.flags & Flag.DUPOK:
                        winner[sym] = d
                    else:
                        old_bss = _is_data(old.kind) and not old.content
                        new_bss = _is_data(d.kind) and not d.content
                        if old_bss and (
                            _is_text(d.kind) or d.content or (new_bss and d.size > old.size)
                        ):
                            winner[sym] = d
                            if old.size > d.size:
                                sizes[sym] = old.size
                        elif new_bss:
                            if d.size > old.size:
                                sizes[sym] = d.size
                        else:
                            raise AssertionError(f"duplicated definition of {d.name!r}")
            align(sym, d)
    made = count
    for obj, ds in records.items():
        for d in ds[int(objects.defined[obj]) :]:
            found = by_name.get((d.name, d.version))
            by_name[d.name, d.version] = add(d, found)
    winners = {sym: (d.obj, d.local) for sym, d in winner.items() if sym < made}
    final = {sym: sizes.get(sym, winner[sym].size) for sym in winners}
    return Resolution(ids, winners, final, sticky, aligns, count)
