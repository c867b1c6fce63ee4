"""Headers of object files: what they promise is there."""

from __future__ import annotations

import struct

import pytest

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from tests.goobj_writer import Obj, Sym, write_object

SYMS = (Sym(size=4, hash=b"a"), Sym(size=4, hash=b"b"))


@pytest.mark.parametrize(
    ("block", "next_", "found"), [(goobj.HASH64, goobj.HASH, 0), (goobj.HASH, goobj.RELOCIDX, 0)]
)
def test_every_hashed_symbol_has_a_hash(block: int, next_: int, found: int) -> None:
    """Else a symbol would be found under what stands behind the hashes."""
    data = bytearray(write_object(Obj(hashed64=SYMS, hashed=SYMS)))
    header = goobj.read_header(memoryview(data), "p.a")
    assert header.count(block) == 2
    # The block ends where it starts; its bytes go to the next one, whose records they fill.
    struct.pack_into("<I", data, 8 + 8 + 4 + 4 * next_, header.offsets[block])
    with pytest.raises(InputError, match=f"{goobj.BLOCK_NAMES[block]} is too short") as error:
        goobj.read_header(memoryview(data), "p.a")
    assert error.value.expected.startswith("2 entries")
    assert error.value.found == f"{found} entries"
