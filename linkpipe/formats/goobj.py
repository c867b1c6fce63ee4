"""Go object files: the records and blocks of format ``\\0go120ld``.

Source: cmd/internal/goobj/objfile.go. All integers are little-endian and records are
packed, so blocks are read in place as arrays of the structured dtypes below.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.values import Value, record

MAGIC = b"\0go120ld"

# Blocks, in file order; the header holds the offset of each.
(
    AUTOLIB,
    PKGIDX,
    FILE,
    SYMDEF,
    HASHED64DEF,
    HASHEDDEF,
    NONPKGDEF,
    NONPKGREF,
    REFFLAGS,
    HASH64,
    HASH,
    RELOCIDX,
    AUXIDX,
    DATAIDX,
    RELOC,
    AUX,
    DATA,
    REFNAME,
    END,
) = range(19)
NBLOCKS = 19

BLOCK_NAMES = (
    "Autolib PkgIndex Files SymbolDefs Hashed64Defs HashedDefs NonPkgDefs NonPkgRefs RefFlags "
    "Hash64 Hash RelocIndex AuxIndex DataIndex Relocs Aux Data RefNames End"
).split()

# Package indexes with a meaning of their own; PKG_SELF and everything above it are special.
PKG_NONE = 2**31 - 1
PKG_HASHED64 = PKG_NONE - 1
PKG_HASHED = PKG_NONE - 2
PKG_BUILTIN = PKG_NONE - 3
PKG_SELF = PKG_NONE - 4

ABI_STATIC = 0xFFFF

FLAG_SHARED = 1 << 0
FLAG_FROM_ASSEMBLY = 1 << 2
FLAG_UNLINKABLE = 1 << 3
FLAG_STD = 1 << 4

SYM = np.dtype(
    [
        ("name_size", "<u4"),
        ("name_at", "<u4"),
        ("abi", "<u2"),
        ("type", "u1"),
        ("flag", "u1"),
        ("flag2", "u1"),
        ("size", "<u4"),
        ("align", "<u4"),
    ]
)
RELOC_RECORD = np.dtype(
    [
        ("offset", "<i4"),
        ("size", "u1"),
        ("type", "<u2"),
        ("add", "<i8"),
        ("pkg", "<u4"),
        ("sym", "<u4"),
    ]
)
AUX_RECORD = np.dtype([("type", "u1"), ("pkg", "<u4"), ("sym", "<u4")])
REFFLAGS_RECORD = np.dtype([("pkg", "<u4"), ("sym", "<u4"), ("flag", "u1"), ("flag2", "u1")])
STRING_RECORD = np.dtype([("size", "<u4"), ("at", "<u4")])
AUTOLIB_RECORD = struct.Struct("<II8s")
"""Size and place of an import path, and the fingerprint of what was compiled against."""

WEAK = 1 << 15
"""Bit of a relocation's type: does not keep its target alive."""

# Kinds of auxiliary symbols.
(
    AUX_GOTYPE,
    AUX_FUNCINFO,
    AUX_FUNCDATA,
    AUX_DWARF_INFO,
    AUX_DWARF_LOC,
    AUX_DWARF_RANGES,
    AUX_DWARF_LINES,
    AUX_PCSP,
    AUX_PCFILE,
    AUX_PCLINE,
    AUX_PCINLINE,
    AUX_PCDATA,
    AUX_WASM_IMPORT,
    AUX_WASM_TYPE,
    AUX_SEH_UNWIND_INFO,
) = range(15)

_HEADER = struct.Struct(f"<8s8sI{NBLOCKS}I")
HEADER_SIZE = _HEADER.size
_RECORD_SIZES = {
    AUTOLIB: AUTOLIB_RECORD.size,
    PKGIDX: 8,
    FILE: 8,
    SYMDEF: SYM.itemsize,
    HASHED64DEF: SYM.itemsize,
    HASHEDDEF: SYM.itemsize,
    NONPKGDEF: SYM.itemsize,
    NONPKGREF: SYM.itemsize,
    REFFLAGS: REFFLAGS_RECORD.itemsize,
    RELOCIDX: 4,
    AUXIDX: 4,
    DATAIDX: 4,
    RELOC: RELOC_RECORD.itemsize,
    AUX: AUX_RECORD.itemsize,
}
_RECORDS, _SIZES = np.array(list(_RECORD_SIZES)), np.array(list(_RECORD_SIZES.values()))
_PLACED = np.array([block for block in range(REFNAME) if block != HASH])
"""Blocks of records, and bytes of each; blocks that lie in order within the object."""


@record
class Header(Value):
    """An object's header: fingerprint of its export data, flags, and block offsets
    (bytes from the start of the object)."""

    fingerprint: bytes
    flags: int
    offsets: tuple[int, ...]


def count(blocks: I64, block: int) -> I64:
    """The number of records in a block of each object, whose blocks begin at ``blocks``:
    int64[n]; that of one object where they are int64[NBLOCKS]."""
    length: I64 = (blocks[..., block + 1] - blocks[..., block]) // _RECORD_SIZES[block]
    return length


def read_header(data: memoryview, file: str) -> Header:
    """The header of the object whose bytes are ``data``; nobody believes its offsets before
    ``check_blocks`` has looked at them.

    Raises InputError when the magic is wrong.
    """
    if len(data) < HEADER_SIZE:
        raise InputError(
            "truncated object file",
            file=file,
            expected=f"a header of {HEADER_SIZE} bytes",
            found=f"{len(data)} bytes",
            remedy="rebuild the package; the file was cut short",
        )
    magic, fingerprint, flags, *offsets = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise InputError(
            "wrong magic, not a Go object file of this format",
            file=file,
            expected=repr(MAGIC),
            found=repr(magic),
            remedy="rebuild the package with the Go version that links it",
        )
    return Header(fingerprint, flags, tuple(offsets))


def check_blocks(offsets: I64, sizes: I64, files: Sequence[str], before: I64) -> None:
    """Check the blocks of n objects of ``sizes`` bytes, each with ``before`` bytes before it in
    its file. ``offsets``: int64[n, NBLOCKS], as their headers have them.

    Raises InputError unless blocks lie, whole and in order, within their object; relocations and
    what follows them need not (see linkpipe.packages.checking). Hashes are read from where their
    block begins, in whatever block they end, as in the oracle; those that lie are found later.
    Names for other tools, which come last, are not read.
    """
    at = offsets[:, _PLACED]
    least = np.concatenate((np.full((len(at), 1), HEADER_SIZE), at[:, :-1]), axis=1)
    # Blocks of what belongs to symbols may be cut off: only what is needed is missed.
    outside = (at < least) | ((at > sizes[:, None]) & (_PLACED <= RELOC))
    for row, column in np.argwhere(outside)[:1].tolist():
        block = int(_PLACED[column])
        raise _corrupt(
            block,
            "is out of bounds",
            files[row],
            int(before[row]) + 8 + 8 + 4 + 4 * block,
            f"an offset between {least[row, column]} and {sizes[row]}",
            str(offsets[row, block]),
        )
    lengths = offsets[:, _RECORDS + 1] - offsets[:, _RECORDS]
    for row, column in np.argwhere(lengths % _SIZES)[:1].tolist():
        block = int(_RECORDS[column])
        raise _corrupt(
            block,
            "holds a part of a record",
            files[row],
            int(before[row] + offsets[row, block]),
            f"a multiple of {_SIZES[column]} bytes",
            f"{lengths[row, column]} bytes",
        )
    blocks = (SYMDEF, HASHED64DEF, HASHEDDEF, NONPKGDEF)
    entries: I64 = 1 + np.sum([count(offsets, block) for block in blocks], axis=0)
    defined = "each defined symbol and the end"
    for block, have, need, what in (
        (
            HASH64,
            (sizes - offsets[:, HASH64]) // 8,
            count(offsets, HASHED64DEF),
            "each symbol with a short hash",
        ),
        (
            HASH,
            (sizes - offsets[:, HASH]) // 16,
            count(offsets, HASHEDDEF),
            "each symbol with a hash",
        ),
        (RELOCIDX, count(offsets, RELOCIDX), entries, defined),
        (AUXIDX, count(offsets, AUXIDX), entries, defined),
        (DATAIDX, count(offsets, DATAIDX), entries, defined),
    ):
        for row in np.flatnonzero((have < need) & (need > 0))[:1].tolist():
            raise _corrupt(
                block,
                "is too short",
                files[row],
                int(before[row] + offsets[row, block]),
                f"{need[row]} entries, one for {what}",
                f"{max(0, have[row])} entries",
            )


def _corrupt(
    block: int, what: str, file: str, offset: int, expected: str, found: str
) -> InputError:
    return InputError(
        f"corrupt object file: block {BLOCK_NAMES[block]} {what}",
        file=file,
        offset=offset,
        expected=expected,
        found=found,
        remedy="rebuild the package; the file is damaged",
    )
