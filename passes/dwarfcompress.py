"""dwarfcompress: compress debug sections, unless that makes them larger.

Debug information is a third of a program and is read by few. ELF lets each section be compressed
for itself; a header in front of the bytes says how. The work is libdeflate's, of which the same
version gives the same bytes on every machine (zlib's depend on who built it, ISA-L's on the
processor). Threads share the sections.

The image then ends before debug information, which lies behind it, as `overlays`, until `elfimage`
makes one file of all.
A host linker compresses by itself when asked to.

Source: cmd/link/internal/ld/dwarf.go:2416 (dwarfcompress), data.go (compressSyms); the oracle
compresses with Go's own deflate, so the bytes differ from its bytes.
Reads `image`, `sections`, `overlays` if it is there; provides `image`, `overlays`, `sections`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import deflate

from linkpipe.arrays.threads import each
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import elf
from linkpipe.output.checkimage import check_segments
from linkpipe.tables.sections import Sections
from linkpipe.values import evolve

_LEVEL = 1
"""libdeflate's fastest. Its output is smaller than that of the oracle's fastest, by about 9 % for
cmd/go; level 6 would gain 5 % and take two and a half times as long."""
_FEW = 1 << 18
"""Bytes for which starting threads does not pay (they take about 3 ms)."""


@linkpass(
    requires=("image", "sections"),
    optional=("overlays",),
    provides=("image", "overlays", "sections"),
)
def dwarfcompress(link: Link) -> Link:
    """Compress debug sections."""
    overlays = [*check_segments(link)]
    sections = link.sections
    segment = sections.segment("dwarf")
    delta = segment.fileoff - segment.vaddr
    whole = memoryview(link.image)
    parts = [
        whole[section.vaddr + delta : section.vaddr + delta + section.size]
        for section in (sections[row] for row in segment.sections)
    ]
    align, cls, endian = link.arch.load_align, link.arch.elf_class, link.arch.endian
    heads = [elf.compression_header(len(part), align, cls, endian) for part in parts]
    items, at = list(sections.items), segment.fileoff
    for row, part, content in zip(segment.sections, parts, _compress(parts, heads), strict=True):
        overlays.append((at, content))
        items[row] = evolve(items[row], vaddr=at - delta, size=len(content))
        if len(content) < len(part):
            items[row] = evolve(items[row], align=align, compressed=True)
        at += len(content)
    size = at - segment.fileoff
    changed = evolve(segment, size=size, filesize=size)
    segments = tuple(changed if one is segment else one for one in sections.segments)
    end = max((s.fileoff + s.filesize for s in segments if s is not changed), default=0)
    return link.evolve(
        image=link.image[:end],
        overlays=tuple(overlays),
        sections=Sections(items=tuple(items), segments=segments),
    )


def _compress(parts: Sequence[memoryview], heads: Sequence[bytes]) -> list[bytes]:
    """Each part compressed, with its header, or as it is where that is not larger."""
    order = sorted(range(len(parts)), key=lambda i: -len(parts[i]))

    def stored(i: int) -> bytes:
        packed = deflate.zlib_compress(parts[i], _LEVEL)
        smaller = len(heads[i]) + len(packed) < len(parts[i])
        return heads[i] + packed if smaller else bytes(parts[i])

    few = sum(map(len, parts)) <= _FEW
    made = list(map(stored, order)) if few else each(stored, order)
    return [one for _, one in sorted(zip(order, made, strict=True), key=itemgetter(0))]
