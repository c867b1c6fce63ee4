"""The reader of shared libraries of Go: what it says of sound ones, and of damaged ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linkpipe.arrays.types import Ints
from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.formats.sharedlib import SharedLibrary, find_library, read_library
from tests.shlib_writer import ABSOLUTE, BASE, MACHINE, Def, write_library

DATA = bytes(range(64))
SYMBOLS = (
    Def("type:int", 48, 0),
    Def("runtime.f.abiinternal", 16, 48, elf.STT_FUNC),
    Def("malloc", 0, None, elf.STT_FUNC),
    Def("section", 0, 0, elf.STT_SECTION),
)


def read(path: Path) -> SharedLibrary:
    return read_library(str(path), (ABSOLUTE,), elf.CLASS64, MACHINE)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "libbeside.so").touch()
    needs = "libbeside.so\nlibelsewhere.so"
    relocs = [(8, 1), (16, 0), (8, 2)]
    return write_library(tmp_path / "libx.so", SYMBOLS, DATA, relocs=relocs, needs=needs)


def test_what_a_library_says(library: Path) -> None:
    found = read(library)
    assert found.hash == b"h" * 32
    assert found.needs == (str(library.with_name("libbeside.so")), "libelsewhere.so")
    assert list(found.symbols.names) == [symbol.name.encode() for symbol in SYMBOLS]
    assert found.symbols.size.tolist() == [48, 16, 0, 0]
    assert [bool(section) for section in found.symbols.section] == [True, True, False, True]
    assert found.by_name == {b"type:int": 0, b"runtime.f.abiinternal": 1, b"malloc": 2}
    assert found.content(0) == DATA[:48]
    assert found.at(BASE + 60, 4, "mask") == DATA[60:]


def test_what_words_refer_to(library: Path) -> None:
    """Of two relocations of one place the last counts; a place between them has none."""
    found = read(library)
    assert found.target(BASE + 8) == b"malloc"
    assert found.target(BASE + 16) == b"type:int"
    assert found.target(BASE + 12) is None
    assert found.target(BASE) is None


def test_another_kind_of_relocation_does_not_count(library: Path) -> None:
    found = read_library(str(library), (ABSOLUTE + 1,), elf.CLASS64, MACHINE)
    assert found.target(BASE + 8) is None


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        (Def("type:a", 65, 0), "type:a (65 bytes at 0x1000) does not lie in .data"),
        (Def("type:a", 8, -8), "does not lie in .data"),
    ],
)
def test_symbols_outside_of_their_section(tmp_path: Path, symbol: Def, message: str) -> None:
    found = read(write_library(tmp_path / "libx.so", [symbol], DATA))
    with pytest.raises(InputError) as caught:
        found.content(0)
    assert message in caught.value.render()
    assert "libx.so" in caught.value.render()


def test_an_address_in_no_section(library: Path) -> None:
    with pytest.raises(InputError, match=r"the gcmask for T lies at 0x9000, in no section"):
        read(library).at(0x9000, 1, "the gcmask for T")


def test_a_relocation_to_no_symbol(tmp_path: Path) -> None:
    found = read(write_library(tmp_path / "libx.so", SYMBOLS, DATA, relocs=[(8, 99)]))
    with pytest.raises(InputError, match="the relocation at 0x1008 refers to no symbol"):
        found.target(BASE + 8)


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot open shared library: .*no such file"):
        read(tmp_path / "libx.so")


def test_a_library_for_another_machine(tmp_path: Path) -> None:
    path = write_library(tmp_path / "libx.so", SYMBOLS, DATA, machine=183)
    with pytest.raises(InputError, match="is not a shared library for this architecture"):
        read(path)


def test_where_libraries_are_found(tmp_path: Path) -> None:
    (tmp_path / "libx.so").touch()
    assert find_library("libx.so", ["/nowhere", str(tmp_path)]) == str(tmp_path / "libx.so")
    assert find_library("/nowhere/liby.so", []) == "/nowhere/liby.so"
    with pytest.raises(InputError, match=r"cannot find shared library: liby\.so"):
        find_library("liby.so", [str(tmp_path)])


def one_by_one(found: SharedLibrary, rows: Ints) -> list[bytes]:
    return [found.content(row) for row in rows.tolist()]


def answer(ask: Callable[..., list[bytes]], *of: Any) -> list[bytes] | str:
    """What is found, or the error."""
    try:
        return ask(*of)
    except InputError as e:
        return e.render()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_libraries(seed: int, library: Path) -> None:
    """Whatever the bytes are: an answer, or an error that names the file. Of many symbols at once
    the same as of one after another."""
    rng = random.Random(seed)
    sound, said = library.read_bytes(), []
    for case in range(400):
        data = bytearray(sound)
        if case % 8 == 0:
            data = data[: rng.randrange(len(data))]
        for _ in range(rng.randint(1, 4)):
            if data:
                data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        library.write_bytes(data)
        try:
            found = read(library)
            rows = found.symbols.section.nonzero()[0]
            assert answer(found.contents, rows) == answer(one_by_one, found, rows)
            for row in rows.tolist():
                found.content(row)
                found.target(int(found.symbols.value[row]) + 8)
                found.at(int(found.symbols.value[row]), 4, "a mask")
        except InputError as e:
            said.append(e.render())
    assert 50 < len(said) < 400
    assert all(str(library) in text for text in said)
