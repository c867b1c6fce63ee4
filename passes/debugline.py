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

from collections.abc import Iterable

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.debuginfo.sections import by_unit, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.dwarf import LNCT_DIRECTORY_INDEX, LNCT_PATH, DwarfForm, Form
from linkpipe.formats.leb128 import uleb
from linkpipe.functab.sourcefiles import clean, expand_files, file_counts, file_names

_PROGRAM = {
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
_UNUSED_FILE = b"?\0\0"
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
    parts = split_paths(known)
    program = np.bincount(dwarf.owner, symbols.size[dwarf.lines], len(dwarf))[having]
    tables, at = [], 0
    for count, size in zip(counts.tolist(), program.tolist(), strict=True):
        files = listed([parts[name] for name in which[at : at + count].tolist()])
        tables.append(header(files, int(size), dwarf.form, link.arch))
        at += count
    starts = np.append(0, np.cumsum([len(table) for table in tables]))
    edit.set_contents(dwarf.line_table[having], b"".join(tables), starts)
    every = by_unit(dwarf, dwarf.line_table, dwarf.lines)
    section = with_debug_section(link.debug_sections, dwarf, "line", every)
    return link.evolve(symbols=edit.freeze(), debug_sections=section)


def listed(files: Iterable[tuple[bytes, bytes] | None]) -> list[tuple[bytes, bytes]]:
    """Directories and names of files; those that have none are named after their number."""
    return [parts or (b".", b"<missing>_%d" % number) for number, parts in enumerate(files)]


def split_paths(paths: Iterable[bytes]) -> list[tuple[bytes, bytes] | None]:
    """The directory and the last part of each path (path.Dir and path.Base), None of an empty
    one."""
    folders: dict[bytes, bytes] = {}
    parts: list[tuple[bytes, bytes] | None] = []
    for path in paths:
        start, slash, name = path.rpartition(b"/")
        folder = folders.get(start + slash)
        if folder is None:
            folder = folders[start + slash] = clean(start + slash)
        name = name or path.rstrip(b"/").rpartition(b"/")[2] or b"/"
        parts.append((folder, name) if path else None)
    return parts


def header(
    files: Iterable[tuple[bytes, bytes]], program: int, form: DwarfForm, arch: Architecture
) -> bytes:
    """The header of one unit's line table: ``files`` are directories and names, ``program`` the
    bytes of the line programs behind it."""
    numbers = {b".": 0}
    listed = []
    for folder, name in files:
        number = numbers.setdefault(folder, len(numbers))
        listed.append(name + b"\0" + uleb(number))
    folders = [folder + b"\0" for folder in numbers]
    lists = (_described if form.described_files else _ended)(folders, listed)
    places, behind = form.line_header.places, len(_OPCODE_LENGTHS) + len(lists)
    end = places["opcode_base"] + 1
    values = {
        "length": end - places["version"] + behind + program,
        "version": form.line_version,
        "address_size": arch.ptrsize,
        "segment_size": 0,
        "header_length": end - places["instruction_length"] + behind,
        **_PROGRAM,
    }
    return form.line_header.pack(values, arch.endian) + _OPCODE_LENGTHS + lists


def _described(folders: list[bytes], files: list[bytes]) -> bytes:
    """Lists that say of what they consist, and how long they are."""
    return b"".join(
        (
            _DIRECTORY_FORMAT,
            uleb(len(folders)),
            *folders,
            _FILE_FORMAT,
            uleb(1 + len(files)),
            _UNUSED_FILE,
            *files,
        )
    )


def _ended(folders: list[bytes], files: list[bytes]) -> bytes:
    """Lists that end with a zero; the time and the length of a file are not known."""
    return b"".join((*folders[1:], b"\0", *(file + b"\0\0" for file in files), b"\0"))
