"""Small shared libraries of Go, written by hand: symbols, notes, relocations, data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from linkpipe.formats import elf
from linkpipe.formats.elf import FileHeader, FileType, SectionHeader, SectionType
from linkpipe.formats.sharedlib import ABI_HASH, DEPENDENCIES, OWNER

BASE = 0x1000
"""The address of the data."""
MACHINE, ABSOLUTE = 62, 1


class Def(NamedTuple):
    """A dynamic symbol: ``at`` counts from the start of the data; None: it is elsewhere."""

    name: str
    size: int = 0
    at: int | None = 0
    type: int = elf.STT_OBJECT


def write_library(
    path: Path,
    symbols: Sequence[Def],
    data: bytes = b"",
    *,
    relocs: Sequence[tuple[int, int]] = (),
    digest: bytes = b"h" * 32,
    needs: str = "",
    machine: int = MACHINE,
) -> Path:
    """Write a library; ``relocs`` are offsets in the data, each with the number of a symbol, from 0
    on, whose address stands there."""
    cls, endian = elf.CLASS64, "<"
    strings = b"\0"
    table = np.zeros(1 + len(symbols), elf.symbol_dtype(cls, endian))
    for row, symbol in enumerate(symbols, 1):
        table[row]["name"] = len(strings)
        strings += symbol.name.encode() + b"\0"
        table[row]["info"] = elf.STB_GLOBAL << 4 | symbol.type
        table[row]["size"] = symbol.size
        if symbol.at is not None:
            table[row]["section"], table[row]["value"] = 6, BASE + symbol.at
    rela = np.zeros(len(relocs), elf.reloc_dtype(cls, endian, rela=True))
    for row, (offset, target) in enumerate(relocs):
        rela[row]["offset"] = BASE + offset
        rela[row]["info"] = (target + 1) << 32 | ABSOLUTE
    dependencies = elf.note_record(OWNER, DEPENDENCIES, needs.encode(), endian)
    parts = [
        (SectionHeader(".dynsym", SectionType.DYNSYM, link=2), table.tobytes()),
        (SectionHeader(".dynstr", SectionType.STRTAB), strings),
        (SectionHeader(".rela.dyn", SectionType.RELA, link=1), rela.tobytes()),
        (
            SectionHeader(".note.go.abihash", SectionType.NOTE),
            elf.note_record(OWNER, ABI_HASH, digest, endian),
        ),
        (SectionHeader(".note.go.deps", SectionType.NOTE), dependencies),
        (SectionHeader(".data", SectionType.PROGBITS, addr=BASE), data),
    ]
    names, name_at = elf.shared_suffix_table(
        ["", *(h.name for h, _ in parts), ".shstrtab"], ".rela"
    )
    parts.append((SectionHeader(".shstrtab", SectionType.STRTAB), names))
    at, headers, body = elf.header_size(cls), [SectionHeader("")], b""
    for header, content in parts:
        start = at + len(body)
        headers.append(
            SectionHeader(
                header.name, header.type, 0, header.addr, start, len(content), header.link, align=1
            )
        )
        body += content
    last = len(headers) - 1
    file = FileHeader(
        cls, endian, FileType.DYN, machine, 0, 0, 0, 0, at + len(body), len(headers), last
    )
    path.write_bytes(file.to_bytes() + body + elf.section_headers(headers, name_at, cls, endian))
    return path
