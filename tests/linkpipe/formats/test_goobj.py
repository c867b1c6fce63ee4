"""Headers of object files: what they promise is there."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from tests.goobj_writer import Obj, Sym, write_object


def check(data: bytes | bytearray) -> I64:
    """The blocks of an object, which are as they should be."""
    offsets = np.array([goobj.read_header(memoryview(data), "p.a").offsets])
    goobj.check_blocks(offsets, np.array([len(data)]), ["p.a"], np.array([0]))
    return offsets


SYMS = (Sym(size=4, hash=b"a"), Sym(size=4, hash=b"b"))


@pytest.mark.parametrize(("block", "size"), [(goobj.HASH64, 8), (goobj.HASH, 16)])
def test_every_hashed_symbol_has_a_hash(block: int, size: int) -> None:
    """It must lie in the file; the oracle does not ask in which block."""
    data = bytearray(write_object(Obj(hashed64=SYMS, hashed=SYMS)))
    struct.pack_into("<I", data, 8 + 8 + 4 + 4 * block, len(data) - size)
    with pytest.raises(
        InputError, match=f"{goobj.BLOCK_NAMES[block]} is too short|out of"
    ) as error:
        check(data)
    assert error.value.file == "p.a"


@pytest.mark.parametrize("block", [goobj.HASH, goobj.REFNAME, goobj.END])
@pytest.mark.parametrize("offset", [0, 1 << 30])
def test_what_nobody_reads_may_lie_anywhere(block: int, offset: int) -> None:
    """As in the oracle: hashes where no symbol has one, and what is for other tools."""
    data = bytearray(write_object(Obj(defs=SYMS)))
    struct.pack_into("<I", data, 8 + 8 + 4 + 4 * block, offset)
    assert goobj.count(check(data), goobj.SYMDEF) == 2


@pytest.mark.parametrize("block", [b for b in range(goobj.RELOC + 1) if b != goobj.HASH])
def test_what_is_read_lies_in_the_object(block: int) -> None:
    """Blocks up to the relocations; those behind the first that does not are in order."""
    data = bytearray(write_object(Obj(defs=SYMS)))
    for later in range(block, goobj.NBLOCKS):
        struct.pack_into("<I", data, 8 + 8 + 4 + 4 * later, 1 << 30)
    with pytest.raises(InputError, match=f"block {goobj.BLOCK_NAMES[block]} is out of bounds"):
        check(data)
