"""The tables by which the runtime names source files.

An object numbers its files; functions refer to them by number. For each object, runtime.cutab
holds where the name of each number is in runtime.filetab, which holds every name once.
Source: cmd/link/internal/ld/pcln.go (generateFilenameTabs), dwarf.go (expandFile).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import expand, first_seen, owners, seen_places, slices
from linkpipe.arrays.types import I32, I64, U8, U32
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.tables.functions import Functions
from linkpipe.tables.names import Names

if TYPE_CHECKING:
    from linkpipe.tables.objects import Objects


_NONE = 0xFFFFFFFF
_PREFIX = b"gofile.."
_GOROOT = b"$GOROOT/"
_UNUSUAL = (b"//", b"\0./", b"/./", b"/../", b"/\0", b"/.\0", b"/..\0", b"\0$GOROOT\\")
"""What stands in paths that are not as short as can be, each between two zeros."""


class FileTables(NamedTuple):
    """``cutab`` uint32[k]; ``filetab`` uint8[…]; ``nfiles`` names in it; ``unit_at`` int64[n]:
    for each function where its object's part of cutab begins (in words), 0xFFFFFFFF: none."""

    cutab: U32
    filetab: U8
    nfiles: int
    unit_at: I64


def file_tables(objects: Objects, home: I32, fns: Functions, goroot: str) -> FileTables:
    """The tables for n functions that the objects ``home`` define (int32[n], 0: none).

    ``fns`` are those of them that have function information; ``goroot`` stands for $GOROOT in
    names. Raises InputError for a file that an object does not list.
    """
    info = fns.info
    count = info.nfiles + info.ninlined
    at = np.cumsum(count) - count
    number = np.zeros(int(count.sum()), np.int64)
    number[expand(at, info.nfiles)] = info.files
    number[expand(at + info.nfiles, info.ninlined)] = info.inlined["file"]

    defined = home[home > 0].astype(np.int64)
    new, unit_of = seen_places(defined, len(objects))
    units = defined[new]
    unit = np.repeat(unit_of[fns.objects], count)
    check_numbers(objects, units, unit, number)

    # Each unit has as many entries as its highest number in use asks for.
    entries = np.zeros(len(units), np.int64)
    np.maximum.at(entries, unit, number + 1)
    unit_at = np.append(np.cumsum(entries) - entries, 0)
    which, names = file_names(objects, units, entries)
    # In the order in which functions name them, each once.
    keys = which[unit_at[unit] + number]
    used = keys[first_seen(keys, len(names))]
    texts = expand_files([names[key] for key in used.tolist()], goroot)
    offset = np.full(len(names), _NONE, np.uint32)
    sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    offset[used] = np.cumsum(sizes) - sizes
    unit_at[-1] = _NONE
    return FileTables(
        offset[which],  # a number in between may belong to a file that nothing uses
        np.frombuffer(b"\0".join([*texts, b""]), np.uint8),
        len(texts),
        np.where(home > 0, unit_at[unit_of[home]], _NONE),
    )


def expand_files(names: list[bytes], goroot: str) -> list[bytes]:
    """``[expand_file(name, goroot) for name in names]``

    All at once where no name asks for more than that its beginning is replaced.
    """
    text = b"\0".join((b"", *names, b"")).replace(b"\0" + _PREFIX, b"\0")
    if goroot:
        root = goroot.encode("utf-8", "surrogateescape")
        text = text.replace(b"\0" + _GOROOT, b"\0" + root + b"/")
    expanded = text[1:-1].split(b"\0")
    if len(expanded) != len(names) or any(part in text for part in _UNUSUAL):
        return [expand_file(name, goroot) for name in names]
    return expanded


def expand_file(name: bytes, goroot: str) -> bytes:
    """A file's name as it goes into the output: without the compiler's prefix, and with the
    placeholder for GOROOT filled in."""
    name = name.removeprefix(_PREFIX)
    if goroot and name.startswith((_GOROOT, b"$GOROOT\\")):
        root = goroot.encode("utf-8", "surrogateescape")
        return clean(root + b"/" + name[len(_GOROOT) - 1 :])
    return name


def clean(path: bytes) -> bytes:
    """The shortest path that means the same, as Go's path.Clean has it."""
    plain = path[:-1] if len(path) > 1 and path.endswith(b"/") else path
    parts = (plain if plain.startswith(b"/") else b"/" + plain) + b"/"
    if b"//" in parts or b"/./" in parts or b"/../" in parts:
        plain = posixpath.normpath(path)
        # Go's knows no second root "//".
        return plain[1:] if plain.startswith(b"//") else plain
    return plain


def check_numbers(objects: Objects, units: I64, unit: I64, number: I64) -> None:
    """Raise InputError where a function of the object ``units[unit]`` uses a file by a ``number``
    that the object does not list: int64[k] both."""
    have = file_counts(objects, units)
    bad = np.flatnonzero(number >= have[unit])
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"corrupt object file: a function uses source file number {int(number[row])}",
            file=objects.names[int(units[unit[row]])],
            expected=f"a number below {int(have[unit[row]])}",
            found=str(int(number[row])),
            remedy="rebuild the package; the file is damaged",
        )


def file_counts(objects: Objects, units: I64) -> I64:
    """How many source files each unit lists."""
    return (objects.blocks[units, goobj.SYMDEF] - objects.blocks[units, goobj.FILE]) // 8


def file_names(objects: Objects, units: I64, entries: I64) -> tuple[I64, list[bytes]]:
    """The names of the first ``entries`` files of each unit: for each, unit by unit, which it is,
    int64[sum(entries)], and the names, each once."""
    owner = units[owners(entries)]
    at = objects.blocks[owner, goobj.FILE] + 8 * expand(np.zeros(len(units), np.int64), entries)
    record = objects.arena.records(at, goobj.STRING_RECORD)
    start = record["at"].astype(np.int64) + objects.base[owner]
    size = record["size"].astype(np.int32)
    first, _ = Names(objects.arena.bytes, start, size, np.zeros_like(size)).group()
    new, place = seen_places(first, len(first))
    return place[first], slices(objects.arena.bytes, start[new], size[new])
