"""debugline: which line of which file each instruction comes from, .debug_line.

The compiler leaves a line program for each function; the linker puts a header before those of a
unit, with the files that the programs refer to by number. Directories have numbers of their own:
a file is a name and the number of its directory. Beside entries of version 4 stand line tables of
version 2.

Source: the DWARF 2 and 5 standards, section 6.2.4; cmd/link/internal/ld/dwarf.go (writelines,
writeDirFileTables).
Reads `dwarf`, `objects`, `symbols`, `debug_sections`; provides `symbols`, `debug_sections`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import offsets, owners, sorting
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.debuginfo.sections import by_unit, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.dwarf import LNCT_DIRECTORY_INDEX, LNCT_PATH, DwarfForm, Form
from linkpipe.formats.leb128 import uleb
from linkpipe.functab.sourcefiles import clean, expand_files, file_counts, file_names
from linkpipe.kernels.spans import copy_spans

_VALUES = {
    "length": 0,
    "segment_size": 0,
    "header_length": 0,
    "instruction_length": 1,
    "operations": 1,
    "default_is_stmt": 1,
    "line_base": -4,
    "line_range": 10,
    "opcode_base": 11,
}
_OPCODE_LENGTHS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0))
_DIRECTORY_FORMAT = bytes((1, LNCT_PATH, Form.STRING))
_FILE_FORMAT = bytes((2, LNCT_PATH, Form.STRING, LNCT_DIRECTORY_INDEX, Form.UDATA))
_UNUSED_FILE = b"?"
"""File 0, which no program uses; some versions of gdb crash when its name is empty."""


@linkpass(
    requires=("dwarf", "objects", "symbols", "debug_sections"),
    provides=("symbols", "debug_sections"),
)
def debugline(link: Link) -> Link:
    """Write the headers of line tables, lay out line programs."""
    dwarf, symbols, edit = link.dwarf, link.symbols, link.symbols.edit()
    having = np.flatnonzero(dwarf.line_table)
    units = dwarf.objects[having]
    counts = file_counts(link.objects, units)
    which, names = file_names(link.objects, units, counts)
    known = expand_files(names, link.options.environment.goroot)
    program = np.bincount(dwarf.owner, symbols.size[dwarf.lines], len(dwarf))[having]
    content, starts = headers(counts, which, known, program.astype(np.int64), dwarf.form, link.arch)
    edit.set_contents(dwarf.line_table[having], content, starts)
    every = by_unit(dwarf, dwarf.line_table, dwarf.lines)
    section = with_debug_section(link.debug_sections, dwarf, "line", every)
    return link.evolve(symbols=edit.freeze(), debug_sections=section)


def split_paths(paths: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """The directory and the last part of each path (path.Dir and path.Base)."""
    folders: dict[bytes, bytes] = {}
    parts = []
    for path in paths:
        start, slash, name = path.rpartition(b"/")
        folder = folders.get(start + slash)
        if folder is None:
            folder = folders[start + slash] = clean(start + slash)
        parts.append((folder, name or path.rstrip(b"/").rpartition(b"/")[2] or b"/"))
    return parts


def headers(
    counts: I64, which: I64, paths: list[bytes], program: I64, form: DwarfForm, arch: Architecture
) -> tuple[U8, I64]:
    """The headers of n units' line tables, uint8[…], and where each begins and the last one ends,
    int64[n + 1]. Unit i has ``counts[i]`` files, ``paths[k]`` for each k in ``which``, and line
    programs of ``program[i]`` bytes. A file without a name is named after its number."""
    which, counts = np.insert(which, offsets(counts)[:-1], len(paths)), counts + 1
    unit, every = owners(counts), np.arange(len(counts))
    place = np.arange(len(unit)) - offsets(counts)[unit]
    lacking = np.array([*(not path for path in paths), False])[which]
    which[lacking] = len(paths) + place[lacking]
    missing = (b"<missing>_%d" % i for i in range(int(place[lacking].max(initial=0))))
    parts = split_paths([*paths, _UNUSED_FILE, *missing])
    known: dict[bytes, int] = {}
    folder = np.array([known.setdefault(one, len(known)) for one, _ in parts], np.int64)[which]
    new, number = _numbered(unit, folder, place)

    listed, texts, places = form.described_files, _Texts(), form.line_header.places
    values = {**_VALUES, "version": form.line_version, "address_size": arch.ptrsize}
    texts.add(every, [form.line_header.pack(values, arch.endian) + _OPCODE_LENGTHS])
    if listed:
        many = np.bincount(unit[new], minlength=len(counts)).tolist()
        texts.add(every, [_DIRECTORY_FORMAT + uleb(count) for count in many], every)
    # What is not listed in full lacks its first, ends with a zero, and gives files no time or size.
    rows = np.flatnonzero(new & (listed | (number > 0)))
    texts.add(unit[rows], [one + b"\0" for one in known], folder[rows])
    between = [_FILE_FORMAT + uleb(count) for count in counts.tolist()] if listed else [b"\0"]
    texts.add(every, between, every % len(between))
    rows = np.flatnonzero(listed | (place > 0))
    numbers = [uleb(i) + (b"" if listed else b"\0\0") for i in range(number.max(initial=0) + 1)]
    both = np.stack((which[rows], len(parts) + number[rows]), axis=1).ravel()
    texts.add(np.repeat(unit[rows], 2), [*(name + b"\0" for _, name in parts), *numbers], both)
    texts.add(every, [b"" if listed else b"\0"])
    content, starts = texts.joined(len(counts))
    size, endian = np.diff(starts), arch.endian
    length, behind = size - places["version"] + program, size - places["instruction_length"]
    put_words(content, starts[:-1] + places["length"], length, 4, endian)
    put_words(content, starts[:-1] + places["header_length"], behind, 4, endian)
    return content, starts


def _numbered(unit: I64, folder: I64, place: I64) -> tuple[Bool, I64]:
    """Which files of units are the first in their directory, bool[n], and the number that it has
    within the unit, int64[n]; ``place`` is that of each file within its unit."""
    here = np.arange(len(unit))
    keys = unit * (1 + folder.max(initial=0)) + folder
    order = sorting(keys)
    keys = keys[order]
    heads = np.flatnonzero(np.append(-1, keys[:-1])[: len(keys)] != keys)
    first = np.empty_like(here)
    first[order] = np.repeat(order[heads], np.diff(heads, append=len(keys)))
    rank = np.cumsum(first == here)
    return first == here, rank[first] - rank[here - place]


class _Texts:
    """What units consist of: texts, most of which are in many of them."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._parts: list[tuple[I64, I64]] = []

    def add(self, units: I64, texts: Sequence[bytes], which: I64 | None = None) -> None:
        """Go on in the i-th of ``units`` with ``texts[which[i]]``, or with the first."""
        chosen = np.zeros_like(units) if which is None else which
        self._parts.append((units, len(self._texts) + chosen))
        self._texts += texts

    def joined(self, n: int) -> tuple[U8, I64]:
        """The bytes of n units, and where each begins and the last one ends, int64[n + 1]."""
        units, which = map(np.concatenate, zip(*self._parts, strict=True))
        which = which[sorting(units)]
        sizes = np.fromiter(map(len, self._texts), np.int64, len(self._texts))
        at = offsets(sizes[which])
        content = np.empty(int(at[-1]), np.uint8)
        source = np.frombuffer(b"".join(self._texts), np.uint8)
        copy_spans(content, at[:-1], source, offsets(sizes)[which], sizes[which])
        return content, at[offsets(np.bincount(units, minlength=n))]
