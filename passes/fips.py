"""fips: seal the FIPS 140 module of the program with a checksum over its bytes.

The runtime can check at start that the cryptographic code and data are those that were linked.
They are laid out between marker symbols, one pair for each section they live in; a keyed hash of
what lies between them is written into `go:fipsinfo`, behind its magic number. In a link that a
host linker finishes, the bytes are final only afterwards, so it is not done here; a plugin has
no such seal at all.

The image is large, so it is not copied for a few bytes: `overlays` are offsets in the file, and the
bytes that are to stand there instead.

Source: cmd/link/internal/ld/fips140.go (asmbfips; fipsObj for what is hashed).
Reads `symbols`, `sections`, `image`, `overlays` if it is there; provides `overlays`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, PipelineError
from linkpipe.output.fips import SUM_AT, SUM_SIZE, checksum
from linkpipe.tables.sections import Sections

PARTS = ("text", "rodata", "noptrdata", "data")


@linkpass(requires=("symbols", "sections", "image"), optional=("overlays",), provides=("overlays",))
def fips(link: Link) -> Link:
    """Put the checksum of the FIPS module over the image."""
    symbols, before = link.symbols, link.overlays if link.has("overlays") else ()
    info = symbols.lookup("go:fipsinfo")
    if not info or symbols.section[info] < 0:
        return link.evolve(overlays=before)
    ranges = []
    for part in PARTS:
        start, end = (symbols.lookup(f"go:{part}fips{side}") for side in ("start", "end"))
        if symbols.section[start] < 0:
            raise PipelineError(
                f"the pass fips got {symbols.name(start)} in no section",
                file=link.options.settings.pipeline,
                remedy="let fipsload run where the default pipeline has it",
            )
        addresses = int(symbols.value[start]), int(symbols.value[end])
        at = _file_offset(link.sections, int(symbols.section[start]), *addresses)
        ranges.append((at, at + addresses[1] - addresses[0]))
    address = int(symbols.value[info]) + SUM_AT
    at = _file_offset(link.sections, int(symbols.section[info]), address, address + SUM_SIZE)
    view = memoryview(link.image)
    if max(at + SUM_SIZE, *(end for _, end in ranges)) > len(view):
        raise PipelineError(
            f"the pass fips got an image of {len(view)} bytes, which the FIPS module is not in",
            file=link.options.settings.pipeline,
            remedy="let it run behind relocate, where addresses are final",
        )
    seal = checksum([view[a:b] for a, b in ranges], link.options.fipso)
    return link.evolve(overlays=(*before, (at, seal)))


def _file_offset(sections: Sections, row: int, start: int, end: int) -> int:
    """Where the addresses [start, end) of a section's segment lie in the file."""
    segment = sections.segment(sections[row].segment)
    if not segment.vaddr <= start <= end <= segment.vaddr + segment.filesize:
        raise InputError(
            "asmbfips: FIPS module not in expected segment",
            expected=f"{segment.vaddr:#x}..{segment.vaddr + segment.filesize:#x}",
            found=f"{start:#x}..{end:#x}",
            label="",
            remedy="the FIPS packages come from another Go version; rebuild them",
            status=2,
        )
    return start - segment.vaddr + segment.fileoff
