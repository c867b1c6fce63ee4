"""debugframe: call frame information, encoded all at once, is what the rule says."""

from __future__ import annotations

from typing import Literal

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.formats.leb128 import uleb
from linkpipe.formats.pcvalue import PcValues
from linkpipe.passes.debugframe import common, encode_frames
from tests.passes.slow_frames import record_slowly

# A function: its stretches (bytes, depth of the stack in words), bytes after the last stretch, and
# whether nobody calls it.
STRETCH = st.tuples(
    st.integers(1, 70) | st.integers(250, 260) | st.sampled_from([0xFFFF, 0x10000, 0x10001, 2**20]),
    st.integers(0, 5) | st.sampled_from([16, 64, 4096]),
)
FUNCTION = st.tuples(st.lists(STRETCH, max_size=6), st.sampled_from([0, 0, 0, 3]), st.booleans())


def made(ptrsize: int, byteorder: Literal["little", "big"], has_lr: bool) -> Architecture:
    return attrs.evolve(
        ARCH, ptrsize=ptrsize, byteorder=byteorder, has_lr=has_lr, dwarf_lr=130, dwarf_sp=31
    )


@pytest.mark.parametrize("has_lr", [False, True])
@pytest.mark.parametrize(("ptrsize", "byteorder"), [(8, "little"), (4, "little"), (8, "big")])
@given(st.lists(FUNCTION, max_size=8))
def test_equal_to_the_loop(
    ptrsize: int,
    byteorder: Literal["little", "big"],
    has_lr: bool,
    functions: list[tuple[list[tuple[int, int]], int, bool]],
) -> None:
    arch = made(ptrsize, byteorder, has_lr)
    rows = [s for stretches, _, _ in functions for s in stretches]
    starts = [
        sum(size for size, _ in stretches[:i])
        for stretches, _, _ in functions
        for i in range(len(stretches))
    ]
    steps = PcValues(
        np.array([len(stretches) for stretches, _, _ in functions], np.int64),
        np.array(starts, np.int64),
        np.array([start + size for start, (size, _) in zip(starts, rows, strict=True)], np.int64),
        np.array([words * ptrsize for _, words in rows], np.int32),
    )
    length = np.array([sum(s for s, _ in stretches) + rest for stretches, rest, _ in functions])
    top = np.array([is_top for _, _, is_top in functions], np.bool_)
    found = encode_frames(common(arch), steps, length.astype(np.int64), top, arch)
    want, places = common(arch), []
    for stretches, rest, is_top in functions:
        places.append(len(want))
        in_bytes = [(size, words * ptrsize) for size, words in stretches]
        want += record_slowly(
            (in_bytes, rest, is_top),
            uleb(arch.dwarf_lr) if has_lr else b"",
            ptrsize,
            0 if has_lr else ptrsize,
            byteorder == "big",
        )
    assert found.content.tobytes() == want
    assert found.records.tolist() == places


def test_the_common_part_of_amd64() -> None:
    """As the oracle writes it: the return address is in the word below the caller's frame."""
    assert common(ARCH).hex(" ") == ("10 00 00 00 ff ff ff ff 03 00 01 7c 10 0c 07 08 05 10 02 00")


def test_the_common_part_with_a_link_register() -> None:
    head = common(attrs.evolve(ARCH, has_lr=True, dwarf_lr=30, dwarf_sp=31))
    assert head.hex(" ").startswith(
        "20 00 00 00 ff ff ff ff 03 00 01 7c 1e 0c 1f 00 08 1e 14 1f 00"
    )
    assert len(head) == 36
