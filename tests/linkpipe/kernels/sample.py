"""A small object of Go, and what damages it."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import strategies as st

from linkpipe.formats import goobj
from linkpipe.kernels import records as kernel
from linkpipe.testing.objects import Obj, Reloc, Sym, write_object

OBJECT = write_object(
    Obj(
        packages=("q",),
        defs=(
            Sym(
                name="p.f",
                type=1,
                align=16,
                data=b"12345678",
                relocs=(Reloc(0, 4, 1, (1, 0)),),
                auxs=((goobj.AUX_FUNCINFO, (1, 1)), (goobj.AUX_PCSP, (0, 0))),
            ),
            Sym(name="p.g", relocs=(Reloc(0, 4, 1, (goobj.PKG_SELF, 0)),) * 2),
        ),
        hashed64=(Sym(data=b"x", auxs=((3, (goobj.PKG_NONE, 0)), (2, (0, 0)))),),
        nonpkg=(Sym(name="n", type=12, auxs=((0, (goobj.PKG_HASHED64, 0)),)),),
        refs=(Sym(name="elsewhere"),),
    )
)
BEFORE = 5
LIMITS = [3, 2, 4, 5, 1, 1, 7]
"""How many symbols each package index may refer to: self, builtin, hashed, hashed64, none, 0, 1."""
PASSED, FUNCTIONS = [12], [1]


def count(header: goobj.Header, block: int) -> int:
    """The number of records in a block."""
    return int(goobj.count(np.array(header.offsets), block))


def parts(data: bytes, header: goobj.Header, i: int) -> int:
    """What is wrong with what a symbol has: 0 for nothing, else a code of kernels/records.py."""

    def entry(block: int) -> tuple[int, int]:
        low, high = struct.unpack_from("<II", data, header.offsets[block] + 4 * i)
        return low, high

    low, high = entry(goobj.DATAIDX)
    if high < low or (high > low and header.offsets[goobj.DATA] + high > len(data)):
        return kernel.DATA
    for index, block, size, skip, codes in (
        (goobj.RELOCIDX, goobj.RELOC, 23, 15, (kernel.RELOCS, kernel.RELOC)),
        (goobj.AUXIDX, goobj.AUX, 9, 1, (kernel.AUXS, kernel.AUX)),
    ):
        low, high = entry(index)
        if high < low or high * size > header.offsets[block + 1] - header.offsets[block]:
            return codes[0]
        for row in range(low, high):
            at = header.offsets[block] + size * row + skip
            pkg, sym = struct.unpack_from("<II", data, at)
            place = pkg - goobj.PKG_SELF if pkg >= goobj.PKG_SELF else pkg + 5
            known = pkg <= goobj.PKG_NONE and place < len(LIMITS)
            if not known or sym >= LIMITS[place]:
                return codes[1]
    return 0


def has_table(data: bytes, header: goobj.Header, i: int) -> bool:
    """Whether a symbol has a table about a function."""
    low, high = struct.unpack_from("<II", data, header.offsets[goobj.AUXIDX] + 4 * i)
    types = {data[header.offsets[goobj.AUX] + 9 * row] for row in range(low, high)}
    return not types.isdisjoint({goobj.AUX_FUNCINFO, *range(goobj.AUX_PCSP, goobj.AUX_PCDATA + 1)})


@st.composite
def damage(draw: st.DrawFn) -> bytes:
    """The object with a few bytes or words changed behind its header."""
    data = bytearray(OBJECT)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(96, len(data) - 1))
        word = draw(
            st.sampled_from([0, 1, 2, 3, 7, 8, 0x80000000, 0xFFFFFFFF, 2**31 - 1, 2**31 - 5])
        )
        new = word.to_bytes(4, "little") if draw(st.booleans()) else bytes([word & 0xFF])
        data[at : at + len(new)] = new[: len(data) - at]
    return bytes(data)
