"""Debugging information entries of compilation units.

Source: cmd/link/internal/ld/dwarf.go (dwarfGenerateDebugInfo, writeUnitInfo); the DWARF 4 and 5
standards, section 7.5.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import owners
from linkpipe.arrays.types import I64
from linkpipe.debuginfo.entries import Encoded, Text, encode
from linkpipe.debuginfo.mentions import Units
from linkpipe.formats.dwarf import LANG_GO, UT_COMPILE, At, Code, DwarfForm
from linkpipe.reloctype import R_DWARFSECREF

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.tables.packages import Packages
    from linkpipe.tables.symbols import Symbols


_COMPILER = b"Go cmd/compile "
_COMPILATION_DIR = b"."


class UnitParts(NamedTuple):
    """Symbols of what the linker writes for each of k units: int64[k] each; the last three are 0
    for units without functions, the last one also where functions have no index."""

    entry: I64
    end: I64
    line_table: I64
    range_list: I64
    addresses: I64


def unit_entries(
    packages: Packages,
    symbols: Symbols,
    arch: Architecture,
    form: DwarfForm,
    version: str,
    units: Units,
    parts: UnitParts,
    abbrev: int,
) -> Encoded:
    """The headers and entries of all units; lengths are left open. ``version`` is the Go version,
    ``abbrev`` the symbol of the section of abbreviations."""
    has_text = np.diff(units.first) > 0
    start = np.zeros(len(units.objects), np.int64)
    start[has_text] = units.functions[units.first[:-1][has_text]]
    paths = [
        packages.items[row].path.encode("utf-8", "surrogateescape")
        for row in units.packages.tolist()
    ]
    # A semicolon keeps the compiler's flags from the version, which may hold anything else.
    producers = [
        _COMPILER + version.encode("utf-8", "surrogateescape") + (b"; " + flags if flags else b"")
        for flags in _contents(symbols, b"go:cuinfo.producer.", paths)
    ]
    encoded = encode(
        np.where(has_text, Code.COMPUNIT, Code.COMPUNIT_TEXTLESS),
        {
            At.NAME: _text(paths),
            At.LANGUAGE: np.full(len(paths), LANG_GO),
            At.STMT_LIST: parts.line_table,
            At.LOW_PC: start,
            At.RANGES: parts.range_list,
            At.COMP_DIR: _text([_COMPILATION_DIR] * len(paths)),
            At.PRODUCER: _text(producers),
            At.GO_PACKAGE_NAME: _text(_contents(symbols, b"go:cuinfo.packagename.", paths)),
            At.ADDR_BASE: parts.addresses,
        },
        form.abbrevs,
        arch.ptrsize,
        arch.endian,
    )
    values = {
        "length": 0,
        "version": form.version,
        "kind": UT_COMPILE,
        "address_size": arch.ptrsize,
        "abbrevs": 0,
    }
    header = form.unit_header.pack(values, arch.endian)
    return _with_headers(encoded, header, form.unit_header.places["abbrevs"], abbrev)


def _contents(symbols: Symbols, prefix: bytes, paths: list[bytes]) -> list[bytes]:
    """The content of the symbol of each package, empty where there is none."""
    found = symbols.lookup_many([prefix + path for path in paths], [0] * len(paths))
    return [bytes(symbols.data(sym)) if sym else b"" for sym in found.tolist()]


def _text(strings: list[bytes]) -> Text:
    """A column of strings that the linker made."""
    size = np.array([len(text) for text in strings], np.int64)
    made = np.frombuffer(b"".join(strings), np.uint8)
    return Text(made[:0], -1 - (np.cumsum(size) - size), size, made)


def _with_headers(entries: Encoded, header: bytes, at: int, abbrev: int) -> Encoded:
    """The entries with the header before each, which refers at ``at`` to the abbreviations."""
    k, size = len(entries.starts) - 1, len(header)
    sizes = np.diff(entries.starts)
    starts = entries.starts + size * np.arange(k + 1)
    content = np.zeros(int(starts[-1]), np.uint8)
    content[np.arange(len(entries.content)) + size * (owners(sizes) + 1)] = entries.content
    content[starts[:-1, None] + np.arange(size)] = np.frombuffer(header, np.uint8)
    owner = np.searchsorted(entries.starts, entries.place, side="right") - 1
    places = np.concatenate((starts[:-1] + at, entries.place + size * (owner + 1)))
    order = np.argsort(places)
    return Encoded(
        content,
        starts,
        places[order],
        np.concatenate((np.full(k, 4, np.uint8), entries.size))[order],
        np.concatenate((np.full(k, R_DWARFSECREF, np.uint16), entries.type))[order],
        np.concatenate((np.full(k, abbrev, np.int32), entries.target))[order],
    )
