"""The runtime's function tables by the sequential rules of cmd/link/internal/ld/pcln.go: maps of
what was seen, one function after the other. Little-endian, 8-byte pointers."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np

from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.reloctype import R_CALL
from linkpipe.tables.symbols import Flag

NONE = 0xFFFFFFFF


@attrs.define
class Info:
    """One FuncInfo record, and the auxiliary symbols beside it."""

    args: int
    func_id: int
    flag: int
    line: int
    files: list[int]
    inlined: list[tuple[int, int, int]]  # (file, function, parent pc)
    auxs: list[tuple[int, int]]

    def one(self, kind: int) -> int:
        return next((s for k, s in self.auxs if k == kind), 0)

    def many(self, kind: int) -> list[int]:
        return [s for k, s in self.auxs if k == kind]


def read_info(link: Link, sym: int) -> Info | None:
    symbols = link.symbols
    rows = [sym]
    aux = link.objects.auxs(symbols.object[rows], symbols.local[rows])
    auxs = list(zip(aux.type.tolist(), aux.target.tolist(), strict=True))
    record = next((s for k, s in auxs if k == goobj.AUX_FUNCINFO), 0)
    if not record:
        return None
    data = bytes(symbols.data(record))
    args, _, func_id, flag, line, nfiles = struct.unpack_from("<IIBBxxiI", data)
    files = list(struct.unpack_from(f"<{nfiles}I", data, 20))
    at = 20 + 4 * nfiles
    (ninlined,) = struct.unpack_from("<I", data, at)
    inlined = []
    for i in range(ninlined):
        _, file, _, pkg, idx, pc = struct.unpack_from("<iIiIIi", data, at + 4 + 24 * i)
        target = link.objects.resolve(
            symbols.object[rows].astype(np.int64), np.array([pkg], "u4"), np.array([idx], "u4")
        )
        inlined.append((file, int(target[0]), pc))
    return Info(args, func_id, flag, line, files, inlined, auxs)


def file_name(link: Link, obj: int, number: int) -> bytes:
    objects = link.objects
    at = int(objects.blocks[obj, goobj.FILE]) + 8 * number
    size, start = struct.unpack("<II", objects.arena.view(at, 8))
    return objects.arena.view(int(objects.base[obj]) + start, size).tobytes()


class Interner:
    """Offsets of things in the order in which they are first seen."""

    def __init__(self, start: int = 0) -> None:
        self.at: dict[Any, int] = {}
        self.out = bytearray(start)

    def add(self, key: Any, content: bytes) -> None:
        if key not in self.at:
            self.at[key] = len(self.out)
            self.out += content


def tables_slowly(link: Link, functions: Iterable[int]) -> dict[str, bytes]:
    """Table name -> content. ``link`` has addresses; ids of inline trees are not needed."""
    symbols, objects = link.symbols, link.objects
    order = list(functions)
    infos = {s: read_info(link, s) for s in order}
    names, files, pcs = Interner(), Interner(), Interner(1)
    pcs.at[0] = 0
    units: dict[int, int] = {}
    for s in order:
        names.add(s, symbols.name_bytes(s) + b"\0")
        obj = int(symbols.object[s])
        if obj:
            units.setdefault(obj, 0)
        info = infos[s]
        if info is None:
            continue
        for _, callee, _ in info.inlined:
            names.add(callee, symbols.name_bytes(callee) + b"\0")
        for number in [*info.files, *(f for f, _, _ in info.inlined)]:
            name = file_name(link, obj, number)
            files.add(name, name.removeprefix(b"gofile..") + b"\0")
            units[obj] = max(units[obj], number + 1)
        tables = [info.one(k) for k in (goobj.AUX_PCSP, goobj.AUX_PCFILE, goobj.AUX_PCLINE)]
        tables += info.many(goobj.AUX_PCDATA)
        if info.inlined:
            tables.append(info.one(goobj.AUX_PCINLINE))
        for sym in tables:
            content = bytes(symbols.data(sym))
            if not content:
                pcs.at[sym] = 0
            pcs.add(sym, content)
    cutab: list[int] = []
    unit_at: dict[int, int] = {}
    for obj, count in units.items():
        unit_at[obj] = len(cutab)
        cutab += [files.at.get(file_name(link, obj, i), NONE) for i in range(count)]

    # funcdata: (key, alignment, content) by first appearance
    blobs: dict[Any, tuple[int, bytes]] = {}
    lists: dict[int, list[Any]] = {}
    for s in order:
        info = infos[s]
        keys: list[Any] = [] if info is None else list(info.many(goobj.AUX_FUNCDATA))
        asm = bool(objects.flags[symbols.object[s]] & goobj.FLAG_FROM_ASSEMBLY)
        for j, key in enumerate(keys):
            if asm and j in (0, 5) and not bytes(symbols.data(key)):
                keys[j] = 0
        if info is not None and info.inlined:
            keys += [0] * (4 - len(keys))
            keys[3] = ("tree", s)
        lists[s] = keys
        for key in keys:
            if not key or key in blobs:
                continue
            if isinstance(key, tuple):
                content = b""
                assert info is not None
                for _, callee, pc in info.inlined:
                    there = read_info(link, callee)
                    assert there is not None
                    content += struct.pack(
                        "<BxxxIii", there.func_id, names.at[callee], pc, there.line
                    )
                blobs[key] = (4, content)
            else:
                size = int(symbols.size[key])
                align = int(symbols.align[key])
                if not align:
                    align = 32
                    while align > size and align > 1:
                        align >>= 1
                blobs[key] = (align, bytes(symbols.data(key)).ljust(size, b"\0"))
    go_func, data_at = bytearray(), {}
    for key, (align, content) in sorted(blobs.items(), key=lambda kv: -kv[1][0]):
        go_func += bytes(-len(go_func) % align)
        data_at[key] = len(go_func)
        place = go_func[:0]
        place += content
        if not isinstance(key, tuple):
            relocate(link, key, place)
        go_func += place

    deferreturn = symbols.lookup("runtime.deferreturn", 1)
    text = int(symbols.value[symbols.lookup("runtime.text")])
    records, starts = bytearray(), []
    base = 8 * len(order) + 4
    for s in order:
        records += bytes(-(base + len(records)) % 8)
        starts.append(base + len(records))
        info = infos[s]
        defer = 0
        rows = link.relocs.rows_of(s)
        for i in range(rows.start, rows.stop):
            if link.relocs.type[i] == R_CALL and link.relocs.target[i] == deferreturn != 0:
                defer = int(link.relocs.offset[i]) - 1
                break
        entry, home = int(symbols.value[s]) - text, int(symbols.object[s])
        unit = unit_at[home] if home else NONE
        if info is None:
            records += struct.pack("<11I", entry, names.at[s], 0, defer, 0, 0, 0, 0, unit, 0, 0)
            continue
        pcdata = [pcs.at[sym] for sym in info.many(goobj.AUX_PCDATA)]
        if info.inlined:
            pcdata += [0] * (3 - len(pcdata))
            pcdata[2] = pcs.at[info.one(goobj.AUX_PCINLINE)]
        three = (goobj.AUX_PCSP, goobj.AUX_PCFILE, goobj.AUX_PCLINE)
        records += struct.pack(
            "<4I3IIIiBBxB",
            *(entry, names.at[s], info.args, defer),
            *(pcs.at[info.one(k)] for k in three),
            *(len(pcdata), unit, info.line, info.func_id, info.flag, len(lists[s])),
        )
        records += b"".join(v.to_bytes(4, "little") for v in pcdata)
        for key in lists[s]:
            records += (data_at[key] if key else NONE).to_bytes(4, "little")
    pairs = b"".join(
        struct.pack("<II", int(symbols.value[s]) - text, at)
        for s, at in zip(order, starts, strict=True)
    )
    end = int(symbols.value[order[-1]] + symbols.size[order[-1]]) - text
    return {
        "runtime.funcnametab": bytes(names.out),
        "runtime.cutab": b"".join(v.to_bytes(4, "little") for v in cutab),
        "runtime.filetab": bytes(files.out),
        "runtime.pctab": bytes(pcs.out),
        "runtime.functab": pairs + end.to_bytes(4, "little") + bytes(records),
        "go:func.*": bytes(go_func),
        "runtime.findfunctab": find_slowly(link, order),
    }


def relocate(link: Link, sym: int, place: bytearray) -> None:
    relocs, symbols = link.relocs, link.symbols
    rows = relocs.rows_of(sym)
    for i in range(rows.start, rows.stop):
        target = int(relocs.target[i])
        if relocs.weak[i] and not symbols.flags[target] & Flag.REACHABLE:
            return
        base = link.sections[int(symbols.section[target])].vaddr
        value = int(symbols.value[target]) - base + int(relocs.add[i])
        at = int(relocs.offset[i])
        place[at : at + 4] = (value % 2**32).to_bytes(4, "little")


def find_slowly(link: Link, order: list[int]) -> bytes:
    value, size = link.symbols.value, link.symbols.size
    low = int(value[order[0]])
    high = int(value[order[-1]] + size[order[-1]])
    parts = -(-(high - low) // 256)
    index = [2**31 - 1] * parts
    for i, s in enumerate(order):
        p = int(value[s])
        q = int(value[order[i + 1]]) if i + 1 < len(order) else high
        for at in [*range(p, q, 256), q - 1]:
            part = max((at - low) // 256, 0)
            index[part] = min(index[part], i)
    out = bytearray()
    for i in range(0, parts, 16):
        out += index[i].to_bytes(4, "little")
        out += bytes(x - index[i] for x in index[i : i + 16])
    return bytes(out)
