"""debugline: which line of which file each instruction comes from, .debug_line.

The compiler leaves a line program for each function; the linker puts a header before those of a
unit, with the files that the programs refer to by number. Directories have numbers of their own:
a file is a name and the number of its directory.

Source: the DWARF 5 standard, section 6.2.4; cmd/link/internal/ld/dwarf.go (writelines,
writeDirFileTables).
Reads `dwarf`, `objects`, `symbols`, `debug_sections`; provides `symbols`, `debug_sections`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.debuginfo.sections import by_unit, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.dwarf import LNCT_DIRECTORY_INDEX, LNCT_PATH, VERSION, Form
from linkpipe.formats.leb128 import uleb
from linkpipe.functab.sourcefiles import expand_file, file_counts, file_names

_LINE_BASE, _LINE_RANGE, _OPCODE_BASE = -4, 10, 11
_OPCODE_LENGTHS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0))
_PROGRAM = (
    # minimum_instruction_length, maximum_operations_per_instruction, default_is_stmt
    bytes((1, 1, 1, _LINE_BASE & 0xFF, _LINE_RANGE, _OPCODE_BASE)) + _OPCODE_LENGTHS
)
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
    names = file_names(link.objects, units, counts)
    program = np.bincount(dwarf.owner, symbols.size[dwarf.lines], len(dwarf))[having]
    goroot, tables, at = link.options.environment.goroot, [], 0
    split = _Splitter(goroot)
    for count, size in zip(counts.tolist(), program.tolist(), strict=True):
        files = map(split, enumerate(names[at : at + count]))
        tables.append(header(files, int(size), link.arch))
        at += count
    starts = np.append(0, np.cumsum([len(table) for table in tables]))
    edit.set_contents(dwarf.line_table[having], b"".join(tables), starts)
    every = by_unit(dwarf, dwarf.line_table, dwarf.lines)
    section = with_debug_section(link.debug_sections, dwarf, "line", every)
    return link.evolve(symbols=edit.freeze(), debug_sections=section)


class _Splitter:
    """Splits names of files into directory and name, as Go's package path does."""

    def __init__(self, goroot: str) -> None:
        self._goroot = goroot
        self._known: dict[bytes, tuple[bytes, bytes]] = {}

    def __call__(self, numbered: tuple[int, bytes]) -> tuple[bytes, bytes]:
        number, name = numbered
        found = self._known.get(name)
        if found is None:
            whole = expand_file(name, self._goroot)
            if not whole:
                return b".", b"<missing>_%d" % number
            found = self._known[name] = split_path(whole)
        return found


def split_path(path: bytes) -> tuple[bytes, bytes]:
    """The directory and the last part of a path that is not empty (path.Dir and path.Base)."""
    last = path.rfind(b"/") + 1
    folder = posixpath.normpath(path[:last])
    # Go knows no second root "//".
    folder = folder[1:] if folder.startswith(b"//") else folder
    return folder, path.rstrip(b"/").rpartition(b"/")[2] or b"/"


def header(files: Iterable[tuple[bytes, bytes]], program: int, arch: Architecture) -> bytes:
    """The header of one unit's line table: ``files`` are directories and names, ``program`` the
    bytes of the line programs behind it."""
    folders = {b".": 0}
    listed = [_UNUSED_FILE]
    for folder, name in files:
        number = folders.setdefault(folder, len(folders))
        listed.append(name + b"\0" + uleb(number))
    tables = b"".join(
        (
            _PROGRAM,
            _DIRECTORY_FORMAT,
            uleb(len(folders)),
            *(folder + b"\0" for folder in folders),
            _FILE_FORMAT,
            uleb(len(listed)),
            *listed,
        )
    )
    head = np.array(VERSION, f"{arch.endian}u2").tobytes() + bytes((arch.ptrsize, 0))
    head += len(tables).to_bytes(4, arch.byteorder)
    length = len(head) + len(tables) + program
    return length.to_bytes(4, arch.byteorder) + head + tables
