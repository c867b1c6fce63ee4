"""Go object files: the records and blocks of format ``\\0go120ld``.

Source: cmd/internal/goobj/objfile.go. All integers are little-endian and records are
packed, so blocks are read in place as arrays of the structured dtypes below.
"""

from __future__ import annotations

import struct

import attrs
import numpy as np

from linkpipe.errors import InputError
from linkpipe.values import Value

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
AUTOLIB_RECORD = np.dtype([("size", "<u4"), ("at", "<u4"), ("fingerprint", "V8")])

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
_RECORD_SIZES = {
    AUTOLIB: AUTOLIB_RECORD.itemsize,
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


@attrs.frozen(eq=False, repr=False)
class Header(Value):
    """An object's header: fingerprint of its export data, flags, and block offsets
    (bytes from the start of the object)."""

    fingerprint: bytes
    flags: int
    offsets: tuple[int, ...]

    def count(self, block: int) -> int:
        """The number of records in ``block``."""
        return (self.offsets[block + 1] - self.offsets[block]) // _RECORD_SIZES[block]


def read_header(data: memoryview, file: str, before: int = 0) -> Header:
    """Parse and check the header of the object whose bytes are ``data``; so many bytes of its file
    are ``before`` it.

    Raises InputError when the magic is wrong or the blocks do not lie, whole and in order,
    within the object; relocations and what follows them need not (see linkpipe.packages.checking).
    Hashes are read from where their block begins, in whatever block they end, as in the oracle;
    those that lie are found later. Names for other tools, which come last, are not read.
    """
    if len(data) < _HEADER.size:
        raise InputError(
            "truncated object file",
            file=file,
            expected=f"a header of {_HEADER.size} bytes",
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
    last = _HEADER.size
    for block, offset in enumerate(offsets[:REFNAME]):
        if block == HASH:
            continue
        # Blocks of what belongs to symbols may be cut off: only what is needed is missed.
        if offset < last or (offset > len(data) and block <= RELOC):
            raise InputError(
                f"corrupt object file: block {BLOCK_NAMES[block]} is out of bounds",
                file=file,
                offset=before + 8 + 8 + 4 + 4 * block,
                expected=f"an offset between {last} and {len(data)}",
                found=str(offset),
                remedy="rebuild the package; the file is damaged",
            )
        last = offset
    header = Header(fingerprint, flags, tuple(offsets))
    for block, size in _RECORD_SIZES.items():
        length = offsets[block + 1] - offsets[block]
        if length % size:
            raise InputError(
                f"corrupt object file: block {BLOCK_NAMES[block]} holds a part of a record",
                file=file,
                offset=before + offsets[block],
                expected=f"a multiple of {size} bytes",
                found=f"{length} bytes",
                remedy="rebuild the package; the file is damaged",
            )
    defined = sum(header.count(b) for b in (SYMDEF, HASHED64DEF, HASHEDDEF, NONPKGDEF))
    short = max(0, len(data) - offsets[HASH64]) // 8
    long = max(0, len(data) - offsets[HASH]) // 16
    for block, count, need, what in (
        (HASH64, short, header.count(HASHED64DEF), "each symbol with a short hash"),
        (HASH, long, header.count(HASHEDDEF), "each symbol with a hash"),
        (RELOCIDX, header.count(RELOCIDX), defined + 1, "each defined symbol and the end"),
        (AUXIDX, header.count(AUXIDX), defined + 1, "each defined symbol and the end"),
        (DATAIDX, header.count(DATAIDX), defined + 1, "each defined symbol and the end"),
    ):
        if count < need:
            raise InputError(
                f"corrupt object file: block {BLOCK_NAMES[block]} is too short",
                file=file,
                offset=before + offsets[block],
                expected=f"{need} entries, one for {what}",
                found=f"{count} entries",
                remedy="rebuild the package; the file is damaged",
            )
    return header
