"""Hash tables and versions: found again by the rules of the format."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats.elfdynamic import Strings, Versions, hash_of, hash_table


@pytest.mark.parametrize(
    ("name", "value"), [(b"", 0), (b"printf", 0x077905A6), (b"exit", 0x0006CF04)]
)
def test_hashes(name: bytes, value: int) -> None:
    """Values that the System V ABI's function gives."""
    assert hash_of(name) == value


@given(st.lists(st.binary(min_size=1, max_size=20), unique=True), st.sampled_from([4, 8]))
def test_every_name_is_found(names: list[bytes], word: int) -> None:
    """By walking the chain of its bucket, as the dynamic linker does."""
    numbered = list(enumerate(names, 1))
    table = hash_table(numbered, 1 + len(names), word, ">")
    numbers = struct.unpack(f">{len(table) // word}{'IQ'[word // 8]}", table)
    buckets, count = numbers[:2]
    assert count == 1 + len(names)
    chains = numbers[2 + buckets :]
    for number, name in numbered:
        at, seen = numbers[2 + hash_of(name) % buckets], set[int]()
        while at and at != number:
            assert at not in seen
            seen.add(at)
            at = chains[at]
        assert at == number


def test_versions_the_last_first() -> None:
    """Files, and versions of each, from the last that was asked for to the first."""
    pairs = [(b"c", b"V1"), (b"m", b"V1"), (b"c", b"V2"), (b"c", b"V1")]
    versions, strings = Versions(pairs), Strings()
    assert versions.number == {(b"m", b"V1"): 2, (b"c", b"V2"): 3, (b"c", b"V1"): 4}
    record = versions.needs(strings, "<")
    assert strings.to_bytes() == b"\0m\0V1\0c\0V2\0V1\0"
    assert struct.unpack_from("<HHIII", record, 0) == (1, 1, 1, 16, 32)
    assert struct.unpack_from("<IHHII", record, 16) == (hash_of(b"V1"), 0, 2, 3, 0)
    assert struct.unpack_from("<HHIII", record, 32) == (1, 2, 6, 16, 0)
    assert struct.unpack_from("<IHHII", record, 48) == (hash_of(b"V2"), 0, 3, 8, 16)
    assert struct.unpack_from("<IHHII", record, 64) == (hash_of(b"V1"), 0, 4, 11, 0)
    of = versions.of_symbols([(b"c", b"V1"), None, (b"m", b"V1")], "<")
    assert struct.unpack("<4H", of) == (0, 4, 1, 2)
