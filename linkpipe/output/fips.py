"""The FIPS 140 checksum: of which bytes, by which rule, and where it goes.

``go:fipsinfo`` starts with a magic string and room for the checksum; then come the addresses
of itself and of the start and the end of the module's code, read-only data, and two sorts of
data. The checksum is an HMAC-SHA256 under a key of zeros over those four ranges, each
preceded by its length. Source: cmd/link/internal/ld/fips140.go.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from linkpipe.arch import Architecture
from linkpipe.errors import InputError

MAGIC = b"\xff Go fipsinfo \xff\0"
SUM_AT, SUM_SIZE = len(MAGIC), 32
RANGES = 4

_HEADER = b"go fips object v1\n"
_PT_LOAD = 1


def checksum(parts: Iterable[memoryview]) -> bytes:
    """The keyed hash of the module's parts: 32 bytes."""
    import hmac

    mac = hmac.new(bytes(SUM_SIZE), _HEADER, "sha256")
    for part in parts:
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.digest()


def seal_file(path: str, arch: Architecture) -> None:
    """Write the checksum into a finished ELF executable, in place.

    Raises InputError when the file has no record of the module, or a wrong one.
    """
    import mmap

    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as image:
        with memoryview(image) as view:
            at, addresses, segments = _locate(view, arch, path)
            parts = []
            for start, end in zip(addresses[::2], addresses[1::2], strict=True):
                for vaddr, offset, size in segments:
                    if vaddr <= start <= end <= vaddr + size:
                        parts.append(view[start - vaddr + offset : end - vaddr + offset])
                        break
                else:
                    raise _bad(path, "invalid pointers found in .go.fipsinfo")
            digest = checksum(parts)
            for part in parts:
                part.release()
        image[at + SUM_AT : at + SUM_AT + SUM_SIZE] = digest


def _locate(
    view: memoryview, arch: Architecture, path: str
) -> tuple[int, Sequence[int], list[tuple[int, int, int]]]:
    """Where the record lies in the file, the addresses in it, and the loaded segments
    (address, file offset, size)."""
    wide = arch.ptrsize == 8
    order = arch.endian
    header = struct.Struct(order + ("QQQ" if wide else "III"))
    sizes = struct.Struct(order + "6H")
    at = 24
    _, phoff, shoff = header.unpack_from(view, at)
    _, phentsize, phnum, shentsize, shnum, shstrndx = sizes.unpack_from(view, at + header.size + 4)
    program = struct.Struct(order + ("IIQQQQ" if wide else "IIIII"))
    segments = []
    for i in range(phnum):
        words = program.unpack_from(view, phoff + i * phentsize)
        if words[0] == _PT_LOAD:
            offset, vaddr = (words[2], words[3]) if wide else (words[1], words[2])
            size = words[5] if wide else words[4]
            segments.append((vaddr, offset, size))
    section = struct.Struct(order + ("IIQQQQ" if wide else "IIIIII"))
    rows = [section.unpack_from(view, shoff + i * shentsize) for i in range(shnum)]
    names = rows[shstrndx][4] if shstrndx < shnum else 0
    for row in rows:
        start = names + row[0]
        if bytes(view[start : start + 13]) == b".go.fipsinfo\0":
            pointers = struct.Struct(order + ("9Q" if wide else "9I"))
            return row[4], pointers.unpack_from(view, row[4] + SUM_AT + SUM_SIZE)[1:], segments
    raise _bad(path, "cannot find .go.fipsinfo")


def _bad(path: str, message: str) -> InputError:
    return InputError(
        f"go:fipsinfo: {message}",
        file=path,
        status=2,
        remedy="the host linker dropped or moved the FIPS module; look at its flags (-extldflags)",
    )
