"""dwarfcompress: compress debug sections, unless that makes them larger.

Debug information is a third of a program and is read by few. ELF lets each section be compressed
for itself; a header in front of the bytes says how. The work is libdeflate's, of which the same
version gives the same bytes on every machine (zlib's depend on who built it, ISA-L's on the
processor). Threads share the sections.

A host linker compresses by itself when asked to.

Source: cmd/link/internal/ld/dwarf.go:2416 (dwarfcompress), data.go (compressSyms); the oracle
compresses with Go's own deflate, so the bytes differ from its bytes.
Reads `image`, `sections`; provides `image`, `sections`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import attrs
import deflate
import numpy as np

from linkpipe.arrays.threads import each
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import elf
from linkpipe.tables.sections import Section, Sections

_LEVEL = 1
"""libdeflate's fastest. Its output is smaller than that of the oracle's fastest, by about 9 % for
cmd/go; level 6 would gain 5 % and take two and a half times as long."""
_FEW = 1 << 18
"""Bytes for which starting threads does not pay (they take about 3 ms)."""


@linkpass(requires=("image", "sections"), provides=("image", "sections"))
def dwarfcompress(link: Link) -> Link:
    """Compress debug sections."""
    sections = link.sections
    segment = sections.segment("dwarf")
    delta = segment.fileoff - segment.vaddr
    whole = memoryview(link.image)
    parts = [
        whole[section.vaddr + delta : section.vaddr + delta + section.size]
        for section in (sections[row] for row in segment.sections)
    ]
    items, pieces, at = list(sections.items), [whole[: segment.fileoff]], segment.vaddr
    align, cls, endian = link.arch.load_align, link.arch.elf_class, link.arch.endian
    for row, part, packed in zip(segment.sections, parts, _compress(parts), strict=True):
        head = elf.compression_header(len(part), align, cls, endian)
        smaller = len(head) + len(packed) < len(part)
        items[row] = (
            _shrunk(items[row], at, head + packed, align)
            if smaller
            else attrs.evolve(items[row], vaddr=at)
        )
        pieces.append(memoryview(head + packed) if smaller else part)
        at += len(pieces[-1])
    size = at - segment.vaddr
    image = np.frombuffer(b"".join(pieces), np.uint8)
    changed = attrs.evolve(segment, size=size, filesize=size)
    segments = tuple(changed if one is segment else one for one in sections.segments)
    return link.evolve(image=image, sections=Sections(items=tuple(items), segments=segments))


def _shrunk(section: Section, at: int, content: bytes, align: int) -> Section:
    return attrs.evolve(section, vaddr=at, size=len(content), align=align, compressed=True)


def _compress(parts: Sequence[memoryview]) -> list[bytearray]:
    """Each part compressed, the largest first."""
    order = sorted(range(len(parts)), key=lambda i: -len(parts[i]))
    largest_first = [parts[i] for i in order]

    def packed(part: memoryview) -> bytearray:
        return deflate.zlib_compress(part, _LEVEL)

    few = sum(map(len, parts)) <= _FEW
    made = list(map(packed, largest_first)) if few else each(packed, largest_first)
    return [one for _, one in sorted(zip(order, made, strict=True), key=itemgetter(0))]
