"""The FIPS 140 checksum: of which bytes, by which rule, and where it goes.

``go:fipsinfo`` starts with a magic string and room for the checksum; then come the addresses
of itself and of the start and the end of the module's code, read-only data, and two sorts of
data. The checksum is an HMAC-SHA256 under a key of zeros over those four ranges, each
preceded by its length. Source: cmd/link/internal/ld/fips140.go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linkpipe.errors import InputError, UserError, os_error
from linkpipe.formats import elf, elfread
from linkpipe.formats.elfread import Elf

MAGIC = b"\xff Go fipsinfo \xff\0"
SUM_AT, SUM_SIZE = len(MAGIC), 32
RANGES = 4

_HEADER = b"go fips object v1\n"


def checksum(parts: Sequence[memoryview], copy: str = "") -> bytes:
    """The keyed hash of the module's parts: 32 bytes. What is hashed is written to the file
    ``copy`` too, if one is named (flag -fipso), for who wants to see why a check fails.

    Raises UserError when that cannot be written.
    """
    import hmac

    pieces: list[bytes | memoryview] = [_HEADER]
    for part in parts:
        pieces += [len(part).to_bytes(8, "big"), part]
    if copy:
        try:
            with open(copy, "wb") as file:
                file.writelines(pieces)
        except OSError as e:
            raise UserError(
                f"asmbfips: {os_error(e)}",
                label="",
                remedy="name a file that can be written with -fipso",
                status=2,
            ) from e
    mac = hmac.new(bytes(SUM_SIZE), digestmod="sha256")
    for piece in pieces:
        mac.update(piece)
    return mac.digest()


def seal_file(path: str, copy: str = "") -> None:
    """Write the checksum into a finished ELF executable, in place; ``copy`` as in `checksum`.

    Raises InputError when the file has no record of the module, or a wrong one.
    """
    file = elfread.read(path)
    section = file.index(".go.fipsinfo")
    if section is None:
        raise _bad(path, "cannot find .go.fipsinfo")
    word = np.dtype(f"{file.endian}u{8 if file.elf_class == elf.CLASS64 else 4}")
    start = int(file.sections["offset"][section])
    size = (1 + 2 * RANGES) * word.itemsize
    pointers = file.part(start + SUM_AT + SUM_SIZE, size, ".go.fipsinfo").view(word).tolist()[1:]
    parts = [_loaded(file, *pair) for pair in zip(pointers[::2], pointers[1::2], strict=True)]
    digest = checksum(parts, copy)
    with open(path, "r+b") as out:
        out.seek(start + SUM_AT)
        out.write(digest)


def _loaded(file: Elf, start: int, end: int) -> memoryview:
    """The bytes of the file that are loaded to these addresses."""
    for segment in file.segments[file.segments["type"] == elf.SegmentType.LOAD]:
        vaddr, size = int(segment["vaddr"]), int(segment["filesize"])
        if vaddr <= start <= end <= vaddr + size:
            offset = start - vaddr + int(segment["offset"])
            return memoryview(file.part(offset, end - start, "a part of the FIPS module"))
    raise _bad(file.path, "invalid pointers found in .go.fipsinfo")


def _bad(path: str, message: str) -> InputError:
    return InputError(
        f"go:fipsinfo: {message}",
        file=path,
        status=2,
        remedy="the host linker dropped or moved the FIPS module; look at its flags (-extldflags)",
    )
