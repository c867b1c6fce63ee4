"""Compares the contents of two sections, and says which symbols the difference lies in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from linkpipe.arrays.types import U8
from linkpipe.compare import golang, headers
from linkpipe.formats import elf
from linkpipe.formats.elfread import Elf, Symbols

_SHOWN = 6
"""Symbols shown of those that a section's difference lies in."""


def section(a: Elf, b: Elf, left: int, right: int, names: Symbols | None) -> Iterator[str]:
    """The differences of two sections of one name. ``names`` are symbols to name the places of
    the first file by, when it has none of its own."""
    kind, name = int(a.sections[left]["type"]), a.names[left]
    one, other = a.content(left), b.content(right)
    if len(one) == len(other) and np.array_equal(one, other):
        return
    rela = kind == elf.SectionType.RELA
    if kind in (elf.SectionType.SYMTAB, elf.SectionType.DYNSYM):
        yield from headers.symbol_table(a, b, left, right)
    elif rela or kind == elf.SectionType.REL:
        dtype = elf.reloc_dtype(a.elf_class, a.endian, rela=rela)
        yield from headers.relocations(a, b, left, right, dtype)
    elif kind == elf.SectionType.STRTAB:
        yield from _strings(name, one, other)
    else:
        yield from _plain(a, b, left, right, names)
        if "gopclntab" in name:
            tables = golang.Pclntab.read(a, left), golang.Pclntab.read(b, right)
            if tables[0] and tables[1]:
                yield from golang.pclntab_sizes(tables[0], tables[1])
                yield from golang.pclntab_content(tables[0], tables[1])


def _plain(a: Elf, b: Elf, left: int, right: int, names: Symbols | None) -> Iterator[str]:
    one, other = a.content(left), b.content(right)
    title = a.names[left]
    if len(one) != len(other):
        yield f"{title}: {len(one):#x} bytes, then {len(other):#x}"
    n = min(len(one), len(other))
    differ = np.flatnonzero(one[:n] != other[:n])
    if not len(differ):
        return
    yield f"{title}: {len(differ)} of {n} bytes differ, first at {title}+{int(differ[0]):#x}"
    base = 0 if a.relocatable else int(a.sections[left]["addr"])
    other_base = 0 if b.relocatable else int(b.sections[right]["addr"])
    symbols = a.symbols if len(a.symbols) else names or a.symbols
    places = symbols.covering(left, differ + base)
    changed = np.flatnonzero(np.diff(places, prepend=-2))
    counts = np.diff(changed, append=len(places))
    if len(changed) > 1:
        yield f"    they lie in {len(np.unique(places))} symbols, the first ones"
    release = golang.release_of_file(a)
    for i, count in zip(changed[:_SHOWN].tolist(), counts[:_SHOWN].tolist(), strict=True):
        at = int(differ[i])
        mine = symbols.at(left, at + base) or f"{title}+{at:#x}"
        told = f"{mine} ({at + base:#x}), {count} bytes"
        if len(b.symbols):
            theirs = b.symbols.at(right, at + other_base)
            if theirs and theirs != mine:
                told += f"; in the second file {theirs}"
        inside = _in_moduledata(mine)
        if inside >= 0:
            told += f"; {golang.moduledata_field(release, inside, 4 * a.elf_class)}"
        yield f"    {told}"
        yield from _hex(one, other, at, base)


def _in_moduledata(place: str) -> int:
    """How far behind the start of the module data a place ("local.moduledata+0x8") is; -1: it is
    elsewhere."""
    name, _, offset = place.removesuffix(" (past its end)").partition("+")
    known = ("runtime.firstmoduledata", "local.moduledata", ".go.module", ".data.rel.ro.go.module")
    return int(offset or "0", 16) if name in known else -1


def _hex(one: U8, other: U8, at: int, base: int) -> Iterator[str]:
    start = max(at - 8, 0) // 8 * 8
    for file, data in (("first", one), ("second", other)):
        line = data[start : start + 24]
        yield f"        {file:6} {base + start:#x}: {line.tobytes().hex(' ', -4)}"


def _strings(name: str, one: U8, other: U8) -> Iterator[str]:
    left, right = one.tobytes().split(b"\0"), other.tobytes().split(b"\0")
    yield f"{name}: {len(left)} strings, then {len(right)}"
    shorter = min(len(left), len(right))
    first = next((i for i in range(shorter) if left[i] != right[i]), shorter)
    for file, strings in (("first", left), ("second", right)):
        told = strings[first].decode(errors="replace") if first < len(strings) else "(none)"
        yield f"    string {first}, {file:6}: {told!r}"


def gaps(a: Elf, b: Elf) -> Iterator[str]:
    """Bytes outside of all sections and header tables: padding."""
    n = min(len(a.data), len(b.data))
    differ = a.data[:n] != b.data[:n]
    for record in a.sections:
        if record["type"] not in (elf.SectionType.NOBITS, elf.SectionType.NULL):
            differ[int(record["offset"]) : int(record["offset"]) + int(record["size"])] = False
    head = a.header
    differ[:64] = False
    differ[head["phoff"] : head["phoff"] + a.segments.nbytes] = False
    differ[head["shoff"] : head["shoff"] + a.sections.nbytes] = False
    found = np.flatnonzero(differ)
    if len(found):
        at = int(found[0])
        yield f"padding: {len(found)} bytes outside of all sections differ, first at file {at:#x}"
        yield from _hex(a.data, b.data, at, 0)
