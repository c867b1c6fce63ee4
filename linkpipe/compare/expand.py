"""Files whose debug sections are compressed, as they were before."""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import U8
from linkpipe.formats import elf
from linkpipe.formats.elfread import Elf, damaged
from linkpipe.values import evolve


def expanded(file: Elf) -> Elf:
    """The file with its compressed sections expanded, and what comes behind them moved.

    The file itself when it has none, or when something that is loaded lies behind one. Raises
    InputError for a section that cannot be expanded.
    """
    records = file.sections
    compressed = (records["flags"] & elf.SHF_COMPRESSED) != 0
    if not compressed.any():
        return file
    start = int(records["offset"][compressed].min())
    behind = records["offset"] >= start
    stored = (records["type"] != elf.SectionType.NOBITS) & (records["type"] != 0)
    loaded = behind & stored & ((records["flags"] & elf.SHF_ALLOC) != 0)
    if loaded.any() or (file.segments["offset"] + file.segments["filesize"] > start).any():
        return file
    sections, header = records.copy(), dict(file.header)
    pieces, at = [file.data[:start]], start
    moved = np.flatnonzero(behind & stored)
    for section in moved[np.argsort(records["offset"][moved], kind="stable")].tolist():
        content = file.content(section)
        if compressed[section]:
            content = _expand(file, section, content)
            sections[section]["flags"] &= ~np.uint32(elf.SHF_COMPRESSED)
            # What is not loaded needs no alignment; compressed, it says what the machine asks for.
            sections[section]["align"] = 1
        start = round_up(at, max(int(sections[section]["align"]), 1))
        sections[section]["offset"], sections[section]["size"] = start, len(content)
        pieces += [np.zeros(start - at, np.uint8), content]
        at = start + len(content)
    if header["shoff"] >= start:
        header["shoff"] = round_up(at, 8)
    return evolve(file, data=np.concatenate(pieces), sections=sections, header=header)


def same(a: Elf, b: Elf) -> bool:
    """Whether two files, perhaps expanded, are the same but for their paths."""
    head = slice(a.header["shoff"], a.header["shoff"] + a.sections.nbytes)
    return (
        (a.elf_class, a.endian, a.header, a.names) == (b.elf_class, b.endian, b.header, b.names)
        and a.sections.tobytes() == b.sections.tobytes()
        and len(a.data) == len(b.data)
        # The section headers are in the file as they were before it was expanded.
        and np.array_equal(np.delete(a.data, head), np.delete(b.data, head))
    )


def _expand(file: Elf, section: int, content: U8) -> U8:
    """The content of a compressed section as it was."""
    import zlib

    head = elf.compression_dtype(file.elf_class, file.endian)
    name = file.names[section]
    if len(content) < head.itemsize:
        raise damaged(file.path, f"{name} is too short for a compressed section", 0)
    told = content[: head.itemsize].view(head)[0]
    size = int(told["size"])
    if told["type"] != elf.COMPRESS_ZLIB:
        raise damaged(file.path, f"{name} is compressed in a way that is not known here", 0)
    try:
        # One byte more than the header says is enough to see that there is more.
        whole = zlib.decompressobj().decompress(content[head.itemsize :].tobytes(), size + 1)
    except zlib.error as e:
        raise damaged(file.path, f"{name} cannot be expanded: {e}", 0) from e
    if len(whole) != size:
        raise damaged(file.path, f"{name} does not expand to the {size} bytes it says", 0)
    return np.frombuffer(whole, np.uint8)
