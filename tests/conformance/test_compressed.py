"""compare_compressed: takes what is compressed otherwise, names whatever else is changed.

The files are the oracle's, compressed anew and damaged at known places, so these tests need no link
of linkpipe's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import compressed
from tests.conformance.compressed import Read, compare_compressed
from tests.conformance.oracle import link_oracle
from tests.conformance.programs import TINY, inputs

CHDR = struct.Struct("<IIQQ")
SHDR = struct.Struct("<IIQQQQIIQQ")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_oracle(inputs(TINY), [], tmp_path_factory.mktemp("tiny")).output


def pack(plain: bytes, level: int = 6) -> bytes:
    return CHDR.pack(1, 0, len(plain), 1) + zlib.compress(plain, level)


def rebuilt(
    oracle: Path, contents: Callable[[Read, int, str], bytes], gap: bytes = b"", tail: bytes = b""
) -> bytes:
    """The oracle's file with other contents of the sections from the first debug section on."""
    old = compressed.read(oracle)
    first = min(
        section["sh_offset"]
        for name, section in zip(old.names, old.sections, strict=True)
        if name.startswith(".debug_")
    )
    data = bytearray(old.data[:first])
    for index, (name, section) in enumerate(zip(old.names, old.sections, strict=True)):
        if section["sh_offset"] < first or section["sh_type"] == "SHT_NOBITS":
            continue
        data += gap
        data += bytes(-len(data) % section["sh_addralign"])
        content = contents(old, index, name)
        place = old.header["e_shoff"] + index * SHDR.size
        fields = list(SHDR.unpack_from(data, place))
        fields[4:6] = len(data), len(content)
        SHDR.pack_into(data, place, *fields)
        data += content
    return bytes(data) + tail


def otherwise(old: Read, index: int, name: str) -> bytes:
    """The same content, compressed by zlib."""
    if old.sections[index]["sh_flags"] & 0x800:
        return pack(old.plain(index)[0])
    return old.content(index)


def told(oracle: Path, folder: Path, data: bytes) -> str | None:
    (folder / "ours").write_bytes(data)
    return compare_compressed(folder / "ours", oracle)


def test_the_same_file(oracle: Path) -> None:
    assert compare_compressed(oracle, oracle) is None


def test_compressed_otherwise(oracle: Path, tmp_path: Path) -> None:
    """What the comparison is for; and the fixture is what it should be, with compressed sections
    whose bytes differ."""
    assert sum(bool(s["sh_flags"] & 0x800) for s in compressed.read(oracle).sections) >= 5
    data = rebuilt(oracle, otherwise)
    assert data != oracle.read_bytes()
    assert told(oracle, tmp_path, data) is None


def test_compressed_badly(oracle: Path, tmp_path: Path) -> None:
    """Stored blocks (level 0) are larger than the content; that is named at once."""

    def stored(old: Read, index: int, name: str) -> bytes:
        content = otherwise(old, index, name)
        return pack(old.plain(index)[0], 0) if name == ".debug_info" else content

    assert ".debug_info is compressed from" in str(told(oracle, tmp_path, rebuilt(oracle, stored)))


def test_too_large(oracle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rebuilt(oracle, otherwise)
    monkeypatch.setattr(compressed, "LARGER", len(data) / oracle.stat().st_size - 0.001)
    assert "times the oracle's" in str(told(oracle, tmp_path, data))


def content_changed(old: Read, index: int, name: str) -> bytes:
    if name != ".debug_line":
        return otherwise(old, index, name)
    plain = bytearray(old.plain(index)[0])
    plain[0x123] ^= 1
    return pack(bytes(plain))


def content_shorter(old: Read, index: int, name: str) -> bytes:
    return pack(old.plain(index)[0][:-1]) if name == ".debug_line" else otherwise(old, index, name)


def on_line(change: Callable[[bytes], bytes]) -> Callable[[Read, int, str], bytes]:
    def contents(old: Read, index: int, name: str) -> bytes:
        content = otherwise(old, index, name)
        return change(content) if name == ".debug_line" else content

    return contents


def field(at: int, value: int) -> Callable[[bytes], bytes]:
    """Change a field of the compression header: type, reserved, size, alignment."""

    def change(content: bytes) -> bytes:
        fields = list(CHDR.unpack_from(content))
        fields[at] = value
        return CHDR.pack(*fields) + content[CHDR.size :]

    return change


def symbols_changed(old: Read, index: int, name: str) -> bytes:
    content = bytearray(otherwise(old, index, name))
    if name == ".symtab":
        content[77] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (content_changed, ".debug_line: 1 bytes differ decompressed, first +0x123"),
        (content_shorter, "bytes decompressed, the oracle's"),
        (symbols_changed, ".symtab: 1 bytes differ"),
        (on_line(field(0, 2)), ".debug_line: compression 2, reserved 0, and not zlib"),
        (on_line(field(1, 1)), ".debug_line: compression 1, reserved 1"),
        (on_line(field(2, 9999999)), ".debug_line says 9999999 bytes"),
        (on_line(field(3, 8)), ".debug_line: alignment 8 decompressed, the oracle's 1"),
        (on_line(lambda c: c + b"\0"), ".debug_line: the compressed stream has 1 bytes more"),
        (on_line(lambda c: c[:-9]), ".debug_line: the compressed stream is cut off"),
        (on_line(lambda c: c[:24] + b"\0" + c[25:]), ".debug_line cannot be decompressed"),
        (on_line(lambda c: c[:20]), ".debug_line has 20 bytes, its compression header 24"),
    ],
)
def test_damaged_sections(
    oracle: Path, tmp_path: Path, contents: Callable[[Read, int, str], bytes], expected: str
) -> None:
    assert expected in str(told(oracle, tmp_path, rebuilt(oracle, contents)))


def section_place(oracle: Path, name: str) -> int:
    old = compressed.read(oracle)
    return old.header["e_shoff"] + old.names.index(name) * SHDR.size


@pytest.mark.parametrize(
    ("name", "offset", "expected"),
    [
        (".debug_line", 4, "section header of .debug_line: sh_type"),
        (".debug_line", 8, "section header of .debug_line: sh_flags"),
        (".debug_line", 16, "section header of .debug_line: sh_addr is 1"),
        (".symtab", 44, "section header of .symtab: sh_info"),
        (".symtab", 48, "section header of .symtab: sh_addralign"),
        (".text", 24, "section header of .text: sh_offset"),
    ],
)
def test_damaged_section_headers(
    oracle: Path, tmp_path: Path, name: str, offset: int, expected: str
) -> None:
    data = bytearray(rebuilt(oracle, otherwise))
    data[section_place(oracle, name) + offset] ^= 1
    assert expected in str(told(oracle, tmp_path, bytes(data)))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0x10, "ELF header: e_type"),
        (0x18, "ELF header: e_entry"),
        (64 + 8, "program header 0: p_offset"),
        (0x1008, ".text: 1 bytes up to the debug sections differ, first +0x8"),
        (0xF00, "1 bytes up to the debug sections differ, first at 0xf00 of the file"),
    ],
)
def test_damaged_bytes(oracle: Path, tmp_path: Path, at: int, expected: str) -> None:
    data = bytearray(rebuilt(oracle, otherwise))
    data[at] ^= 1
    assert expected in str(told(oracle, tmp_path, bytes(data)))


def test_bytes_of_no_section(oracle: Path, tmp_path: Path) -> None:
    gap = rebuilt(oracle, otherwise, gap=bytes(16))
    assert "offset" in str(told(oracle, tmp_path, gap))  # the first debug section has moved
    tail = rebuilt(oracle, otherwise, tail=b"more")
    assert "4 bytes behind the last section" in str(told(oracle, tmp_path, tail))


def test_a_gap_before_a_later_section(oracle: Path, tmp_path: Path) -> None:
    """Moved by more than its alignment asks for."""
    data = bytearray(rebuilt(oracle, otherwise))
    place = section_place(oracle, ".shstrtab")
    fields = list(SHDR.unpack_from(data, place))
    begin, size = fields[4:6]
    fields[4] += 3
    SHDR.pack_into(data, place, *fields)
    data[begin : begin + size] = b"\0\0\0" + data[begin : begin + size]
    assert "3 bytes before .shstrtab belong to no section" in str(
        told(oracle, tmp_path, bytes(data))
    )


def test_cut_off_and_no_elf(oracle: Path, tmp_path: Path) -> None:
    """A damaged file is a difference, never a traceback."""
    data = oracle.read_bytes()
    for end in (0, 3, 63, 100, 5000, len(data) // 2, len(data) - 1):
        assert told(oracle, tmp_path, data[:end])
    assert told(oracle, tmp_path, b"\x7fELF" + bytes(len(data)))


def test_without_compressed_sections(oracle: Path, tmp_path: Path) -> None:
    """Files that are expected to be the same are held to it."""
    plain = link_oracle(inputs(TINY), ["-w"], tmp_path / "w").output
    assert compare_compressed(plain, plain) is None
    assert "ELF header" in str(compare_compressed(plain, oracle))
    assert "no compressed sections" in str(compare_compressed(oracle, plain))
    flags = ["-compressdwarf=false"]
    expanded = link_oracle(inputs(TINY), flags, tmp_path / "expanded").output
    assert "no compressed sections" in str(compare_compressed(oracle, expanded))


def test_one_compresses_and_the_other_does_not(oracle: Path, tmp_path: Path) -> None:
    """On the border of use each linker may decide otherwise; the content stays the same."""
    old = compressed.read(oracle)
    index = old.names.index(".debug_abbrev")
    plain = old.plain(index)[0]
    data = bytearray(rebuilt(oracle, lambda o, i, n: plain if i == index else otherwise(o, i, n)))
    place = section_place(oracle, ".debug_abbrev")
    fields = list(SHDR.unpack_from(data, place))
    fields[2] &= ~0x800
    SHDR.pack_into(data, place, *fields)
    assert told(oracle, tmp_path, bytes(data)) is None
