"""Compares the parts of two ELF files that stand before the contents: headers and symbol names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

import numpy as np

from linkpipe.arrays.types import Structs
from linkpipe.formats.elfread import Elf

_SHOWN, _MOVED = 6, 3
"""Rows shown of a list that may be long; of the moved symbols of one section."""


def elf_header(a: Elf, b: Elf) -> Iterator[str]:
    """Fields of the ELF header that differ."""
    if a.elf_class != b.elf_class or a.endian != b.endian:
        yield "ELF header: another class or byte order"
    for field, value in a.header.items():
        if value != b.header[field]:
            yield f"ELF header: {field} is {value:#x}, then {b.header[field]:#x}"


def segments(a: Elf, b: Elf) -> Iterator[str]:
    """Program headers that differ, by their place in the table."""
    yield from _records("program header", a.segments, b.segments, str, str)


def sections(a: Elf, b: Elf) -> Iterator[str]:
    """Section headers that differ: first the names, then each field by name of section."""
    if a.names != b.names:
        for name in [name for name in a.names if name not in b.names]:
            yield f"section {name!r}: in the first file only"
        for name in [name for name in b.names if name not in a.names]:
            yield f"section {name!r}: in the second file only"
        common = [name for name in a.names if name in b.names]
        if common != [name for name in b.names if name in a.names]:
            yield f"section order: {' '.join(a.names)}, then {' '.join(b.names)}"
    for name, left, right in common_sections(a, b):
        one, other = a.sections[left], b.sections[right]
        assert one.dtype.names is not None
        fields = [f for f in one.dtype.names if f not in ("name", "link") and one[f] != other[f]]
        told = [f"{f} {int(one[f]):#x}, then {int(other[f]):#x}" for f in fields]
        link = [
            (file.names[int(s["link"])] if s["link"] < len(file.names) else "?")
            for file, s in ((a, one), (b, other))
        ]
        if link[0] != link[1]:
            told.append(f"link {link[0]}, then {link[1]}")
        if told:
            yield f"section header {name}: {'; '.join(told)}"


def common_sections(a: Elf, b: Elf) -> list[tuple[str, int, int]]:
    """(name, index in a, index in b) of the named sections that both have, in a's order."""
    where = {name: i for i, name in reversed(list(enumerate(b.names)))}
    pairs: list[tuple[str, int, int]] = []
    seen = set()
    for left, name in enumerate(a.names):
        if name and name in where and name not in seen:
            seen.add(name)
            pairs.append((name, left, where[name]))
    return pairs


def symbol_sets(a: Elf, b: Elf) -> Iterator[str]:
    """Named symbols that one file has and the other has not, and symbols whose size differs: the
    cause of most other differences, so it comes first."""
    left, right = _by_name(a), _by_name(b)
    if not left or not right:
        return
    for mine, other, which in ((left, right, "first"), (right, left, "second")):
        only = sorted((where, name) for name, (where, _) in mine.items() if name not in other)
        if only:
            yield f"symbols in the {which} file only: {len(only)}"
            for (section, value), name in only[:_SHOWN]:
                yield f"    {name} at {value:#x} in section {section}"
    sized = [
        (where, name, size, right[name][1])
        for name, (where, size) in left.items()
        if name in right and right[name][1] != size
    ]
    if sized:
        yield f"symbols of another size: {len(sized)}"
        for (_, value), name, size, other_size in sorted(sized)[:_SHOWN]:
            yield f"    {name} at {value:#x}: {size:#x}, then {other_size:#x}"
    moved: dict[str, list[tuple[int, str, str]]] = {}
    for name, (where, _) in left.items():
        if name in right and right[name][0] != where:
            section, value = right[name][0]
            told = f"{value:#x}" if section == where[0] else f"{section} {value:#x}"
            moved.setdefault(where[0], []).append((where[1], name, told))
    for section, rows in moved.items():
        yield f"symbols of {section or 'no section'} at another place: {len(rows)}, the first ones"
        for value, name, told in sorted(rows)[:_MOVED]:
            yield f"    {name}: {value:#x}, then {told}"


def _by_name(file: Elf) -> dict[str, tuple[tuple[str, int], int]]:
    """name -> ((section, value), size), for names that stand in the table once."""
    symbols = file.symbols
    found: dict[str, tuple[tuple[str, int], int]] = {}
    twice = set()
    columns = (symbols.records[c].tolist() for c in ("section", "value", "size"))
    for name, section, value, size in zip(symbols.names, *columns, strict=True):
        if name in found:
            twice.add(name)
        title = file.names[section] if section < len(file.names) else str(section)
        found[name] = ((title, value), size)
    for name in twice | {""}:
        found.pop(name, None)
    return found


def symbol_table(a: Elf, b: Elf, left: int, right: int) -> Iterator[str]:
    """The first entries of two symbol sections that differ, names compared as text."""
    one, other = a.symbol_table(left), b.symbol_table(right)
    yield from _entries(
        a.names[left],
        one.records,
        other.records,
        one.name,
        other.name,
        ("name",),
        one.names,
        other.names,
    )


def relocations(a: Elf, b: Elf, left: int, right: int, dtype: np.dtype[np.void]) -> Iterator[str]:
    """The first entries of two relocation sections that differ, with the symbols' names."""
    shift = 32 if a.elf_class == 2 else 8

    def target(file: Elf, records: Structs) -> Callable[[int], str]:
        def told(entry: int) -> str:
            info = int(records["info"][entry])
            symbol, kind = info >> shift, info & ((1 << shift) - 1)
            symbols = file.symbols
            if symbol >= len(symbols):
                return f"type {kind} to symbol {symbol}, which there is not"
            name = symbols.name(symbol)
            section = int(symbols.records["section"][symbol])
            if not name and section < len(file.names):
                name = f"section {file.names[section]}"
            place = file.index(file.names[left if file is a else right].removeprefix(".rela"))
            at = file.symbols.at(place, int(records["offset"][entry])) if place is not None else ""
            return f"type {kind} to {name}" + (f", in {at}" if at else "")

        return told

    one, other = a.table(left, dtype), b.table(right, dtype)
    yield from _entries(a.names[left], one, other, target(a, one), target(b, other))


def _entries(
    title: str,
    one: Structs,
    other: Structs,
    name: Callable[[int], str],
    other_name: Callable[[int], str],
    text: tuple[str, ...] = (),
    names: Sequence[str] = (),
    other_names: Sequence[str] = (),
) -> Iterator[str]:
    """Entries that differ; columns in `text` are offsets of strings, compared by `names`."""
    if len(one) != len(other):
        yield f"{title}: {len(one)} entries, then {len(other)}"
    n = min(len(one), len(other))
    differ = np.zeros(n, bool)
    assert one.dtype.names is not None
    for column in one.dtype.names:
        if column not in text:
            differ |= one[column][:n] != other[column][:n]
    if text:
        differ |= np.array([x != y for x, y in zip(names[:n], other_names[:n], strict=True)], bool)
    found = np.flatnonzero(differ)
    if len(found):
        yield f"{title}: {len(found)} of {n} entries differ, the first ones"
    for entry in found[:_SHOWN].tolist():
        for file, records, told in (("first", one, name), ("second", other, other_name)):
            yield f"    entry {entry}, {file:6}: {_record(records, entry, text)} {told(entry)}"
    if not len(found) and len(one) != len(other):
        more, records, told = (
            ("first", one, name) if len(one) > n else ("second", other, other_name)
        )
        yield f"    entry {n}, {more} file only: {_record(records, n, text)} {told(n)}"


def _records(
    title: str,
    one: Structs,
    other: Structs,
    name: Callable[[int], str],
    other_name: Callable[[int], str],
) -> Iterator[str]:
    if len(one) != len(other):
        yield f"{title}s: {len(one)}, then {len(other)}"
    assert one.dtype.names is not None
    for i, (x, y) in enumerate(zip_longest(one, other)):
        if x is None or y is None:
            which = "first" if y is None else "second"
            yield f"{title} {i}: in the {which} file only: {_void(x if y is None else y)}"
        elif x != y:
            told = [
                f"{f} {int(x[f]):#x}, then {int(y[f]):#x}" for f in one.dtype.names if x[f] != y[f]
            ]
            yield f"{title} {i} (type {int(x['type']):#x}): {'; '.join(told)}"


def _record(records: Structs, entry: int, leave_out: tuple[str, ...]) -> str:
    return _void(records[entry], leave_out)


def _void(record: np.void, leave_out: tuple[str, ...] = ()) -> str:
    assert record.dtype.names is not None
    return " ".join(f"{f}={int(record[f]):#x}" for f in record.dtype.names if f not in leave_out)
