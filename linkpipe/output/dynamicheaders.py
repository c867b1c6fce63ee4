"""Section headers of the tables that the dynamic linker reads.

Their types, sizes of entries and references are the format's, not what follows from their bytes.
Source: cmd/link/internal/ld/elf.go, asmbElf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from linkpipe.arch import Architecture
from linkpipe.formats import elf
from linkpipe.formats.elf import SectionHeader, SectionType
from linkpipe.linkage import Linkage
from linkpipe.values import evolve

_ALLOC = elf.SHF_ALLOC
_WRITE = elf.SHF_ALLOC | elf.SHF_WRITE


class _Table(NamedTuple):
    """What a header says; ``link`` and ``info`` name other sections."""

    type: SectionType
    flags: int
    align: int
    entsize: int = 0
    link: str = ""
    info: str = ""


def dynamic_headers(
    headers: Sequence[tuple[int, SectionHeader]], arch: Architecture, linkage: Linkage, files: int
) -> list[tuple[int, SectionHeader]]:
    """The headers, each with its row; those of the dynamic tables say what they have to."""
    tables = _tables(arch, linkage, files)
    return [(row, _evolved(header, tables.get(header.name))) for row, header in headers]


def _evolved(header: SectionHeader, table: _Table | None) -> SectionHeader:
    if table is None:
        return header
    return evolve(
        header, type=table.type, flags=table.flags, align=table.align, entsize=table.entsize
    )


def with_references(
    headers: Sequence[SectionHeader], arch: Architecture, linkage: Linkage, files: int
) -> list[SectionHeader]:
    """The headers in their final order, with the numbers of the sections that they refer to;
    ``files`` is how many .gnu.version_r speaks of."""
    tables = _tables(arch, linkage, files)
    number = {header.name: at for at, header in enumerate(headers)}
    # One symbol, the first, is local; records of versions are counted.
    info = {".dynsym": 1, ".gnu.version_r": files}
    out = []
    for header in headers:
        table = tables.get(header.name)
        if table is not None:
            header = evolve(
                header,
                link=number[table.link] if table.link else 0,
                info=number[table.info] if table.info else info.get(header.name, 0),
            )
        out.append(header)
    return out


def _tables(arch: Architecture, linkage: Linkage, files: int) -> Mapping[str, _Table]:
    """By name. Where no library must have versions nothing is said of the tables of versions."""
    word = arch.ptrsize
    symbol = elf.symbol_dtype(arch.elf_class, arch.endian).itemsize
    record = elf.reloc_dtype(arch.elf_class, arch.endian, rela=arch.rela).itemsize
    rel = ".rela" if arch.rela else ".rel"
    kind = SectionType.RELA if arch.rela else SectionType.REL
    code = elf.SHF_ALLOC | elf.SHF_EXECINSTR
    size = linkage.entsize
    versions = {
        ".gnu.version": _Table(SectionType.GNU_VERSYM, _ALLOC, 2, 2, ".dynsym"),
        ".gnu.version_r": _Table(SectionType.GNU_VERNEED, _ALLOC, word, 0, ".dynstr"),
    }
    return {
        ".dynsym": _Table(SectionType.DYNSYM, _ALLOC, word, symbol, ".dynstr"),
        ".dynstr": _Table(SectionType.STRTAB, _ALLOC, 1),
        **(versions if files else {}),
        # What records are for is said only where they have addends.
        f"{rel}.plt": _Table(kind, _ALLOC, word, record, ".dynsym", ".plt" if arch.rela else ""),
        rel: _Table(kind, _ALLOC, word, record, ".dynsym"),
        ".plt": _Table(SectionType.PROGBITS, code, size, size),
        ".got": _Table(SectionType.PROGBITS, _WRITE, word, word),
        ".got.plt": _Table(SectionType.PROGBITS, _WRITE, word, word),
        ".hash": _Table(SectionType.HASH, _ALLOC, word, 4, ".dynsym"),
        ".dynamic": _Table(SectionType.DYNAMIC, _WRITE, word, 2 * word, ".dynstr"),
    }
