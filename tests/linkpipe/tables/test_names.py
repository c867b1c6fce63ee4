"""Hashes of names: the vectorised hash and the hash of one name agree and tell names apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.tables.names import contain_byte, hash_bytes, hash_name

names = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


@given(names, st.integers(-3, 2000))
def test_one_by_one_and_all_at_once_agree(many: list[bytes], version: int) -> None:
    together = hash_bytes(many, [version] * len(many)).tolist()
    assert together == [hash_name(name, version) for name in many]


@given(st.sets(st.binary(max_size=24), min_size=2, max_size=200))
def test_different_names_have_different_hashes(many: set[bytes]) -> None:
    """64 bits leave no room for chance here; a collision is a weakness of the mixing."""
    names_ = sorted(many)
    assert len(np.unique(hash_bytes(names_, [0] * len(names_)))) == len(names_)


def test_version_length_and_padding_matter() -> None:
    assert hash_name(b"runtime.x", 0) != hash_name(b"runtime.x", 1)
    assert hash_name(b"a", 0) != hash_name(b"a\0", 0)
    assert hash_name(b"", 0) != hash_name(b"\0", 0)
    assert hash_name(b"abcdefgh12345678", 0) != hash_name(b"12345678abcdefgh", 0)


@given(names, st.integers(0, 127))
def test_a_byte_is_found_wherever_it_stands(many: list[bytes], byte: int) -> None:
    """Also right behind a name's end, where it must not count."""
    text = np.frombuffer(bytes([byte]).join(many) + bytes([byte]) * 8, np.uint8)
    words = np.ndarray((len(text) - 7,), "<u8", buffer=text.data, strides=(1,))
    length = np.array([len(name) for name in many])
    at = np.cumsum(length + 1) - length - 1
    found = contain_byte(words.__getitem__, at, length, byte)
    assert found.tolist() == [byte in name for name in many]
