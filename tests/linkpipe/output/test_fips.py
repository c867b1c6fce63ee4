"""The checksum of the FIPS module in a file that a host linker finished."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.output.fips import MAGIC, SUM_SIZE, seal_file
from tests.linkpipe.formats.test_elfread import BASE, KINDS, elf_file
from tests.passes.test_fips import slow

PARTS = [b"text", b"rodata", b"noptrdata", b"data"]


def program(path: Path, elf_class: int, endian: str, *, moved: int = 0) -> str:
    """A file with a module of four parts; ``moved``: by how much the record is wrong of them."""
    word = (8, 4)[elf_class == elf.CLASS32]
    order: Literal["little", "big"] = "little" if endian == "<" else "big"
    start = BASE + elf.header_size(elf_class) + elf.segment_dtype(elf_class, endian).itemsize
    pointers = [0]
    for part in PARTS:
        pointers += [start + moved, start + moved + len(part)]
        start += len(part)
    record = MAGIC + bytes(SUM_SIZE) + b"".join(p.to_bytes(word, order) for p in pointers)
    sections = {f".{part.decode()}": part for part in PARTS}
    path.write_bytes(elf_file({**sections, ".go.fipsinfo": record}, elf_class, endian))
    return str(path)


@pytest.mark.parametrize(("elf_class", "endian"), KINDS)
def test_the_sum_is_written_into_the_file(elf_class: int, endian: str, tmp_path: Path) -> None:
    path = tmp_path / "p"
    before = Path(program(path, elf_class, endian)).read_bytes()
    seal_file(str(path))
    assert path.read_bytes() == before.replace(MAGIC + bytes(SUM_SIZE), MAGIC + slow(PARTS))


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    """Wherever it ends: with an error of ours, and nothing is written."""
    path = tmp_path / "p"
    whole = Path(program(path, elf.CLASS64, "<")).read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError):
            seal_file(str(path))
        assert path.read_bytes() == whole[:cut]


def test_parts_that_are_not_loaded_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="invalid pointers found in .go.fipsinfo"):
        seal_file(program(tmp_path / "p", elf.CLASS64, "<", moved=1 << 20))


def test_a_file_without_the_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(elf_file({".text": b"t"}))
    with pytest.raises(InputError, match="cannot find .go.fipsinfo"):
        seal_file(str(tmp_path / "p"))
