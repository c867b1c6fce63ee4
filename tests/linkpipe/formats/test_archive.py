"""Archives: members a linker reads, and the text part of an object."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import InputError
from linkpipe.formats.archive import compiled_with, header_line, members, read_preamble


def entry(name: str, body: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(body):<10}`\n".encode()
    return head + body + b"\n" * (len(body) & 1)


def archive(*entries: bytes) -> memoryview:
    return memoryview(b"!<arch>\n" + b"".join(entries))


def test_export_data_and_foreign_members_are_passed_over() -> None:
    data = archive(
        entry("__.PKGDEF", b"x"),
        entry("_go_.o", b"go"),
        entry("notes.txt", b"hi"),
        entry("a.syso", b"s"),
        entry("preferlinkext", b""),
        entry("a_very_long_name", b"o"),
    )
    found = [(m.name, bytes(data[m.at : m.at + m.size])) for m in members(data, "p.a")]
    assert found == [
        ("_go_.o", b"go"),
        ("a.syso", b"s"),
        ("preferlinkext", b""),
        ("a_very_long_name", b"o"),
    ]


def test_a_plain_object_is_its_own_member() -> None:
    (member,) = members(memoryview(b"go object"), "x.o")
    assert (member.name, member.at, member.size) == ("", 0, 9)


def test_what_ends_an_archive() -> None:
    """As in the oracle: the rest is too short for a header, or the last member has no end."""
    whole = bytes(archive(entry("a.o", b"01"), entry("b.o", b"0123456789")))
    for text, sizes in ((whole + b"x" * 59, [2, 10]), (whole[:-4], [2, 10]), (whole[:80], [2])):
        assert [m.size for m in members(memoryview(text), "p.a")] == sizes


@pytest.mark.parametrize(
    ("text", "size"), [("0x10", 16), ("010", 8), ("x", 0), ("", 0), ("9" * 10, 9_999_999_999)]
)
def test_sizes_are_read_as_go_reads_numbers(text: str, size: int) -> None:
    """What is none is zero; what ends the header is not looked at."""
    head = f"{'a.o':<16}{0:<12}{0:<6}{0:<6}{644:<8}{text:<10}??".encode()
    (member,) = members(archive(head), "p.a")
    assert member.size == size


def test_a_damaged_archive_is_named() -> None:
    head = f"{'a.o':<16}{0:<12}{0:<6}{0:<6}{644:<8}{-1:<10}`\n".encode()
    with pytest.raises(InputError, match=r"p\.a: malformed archive"):
        list(members(archive(head), "p.a"))


HEADER = b"go object linux amd64 go1.27.3 X:\n"


def test_the_text_part_names_main_and_cgo() -> None:
    text = HEADER + b'build id "x"\nmain\n\n\n$$  // cgo\n[["cgo_ldflag","-lm"]]\n$$\n!\n\0go120ld'
    part = read_preamble(memoryview(text), "x.o")
    assert header_line(memoryview(text), "x.o") == HEADER.decode().strip()
    assert part.main
    assert part.cgo.strip() == '[["cgo_ldflag","-lm"]]'
    assert text[part.size :] == b"\0go120ld"


def test_a_marker_inside_export_data_does_not_end_it() -> None:
    """The end marker may occur in binary export data; "$$" lines around that must pair up."""
    text = HEADER + b"\n$$B\nabc\n!\ndef\n$$\n\n!\nREST"
    part = read_preamble(memoryview(text), "x.o")
    assert text[part.size :] == b"REST"
    assert not part.main


def test_an_object_that_does_not_end_is_an_error() -> None:
    with pytest.raises(InputError, match="truncated object file"):
        read_preamble(memoryview(HEADER + b"x" * 70_000), "x.o")


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"!<arch>\n" + b"__.PKGDEF".ljust(58) + b"`\n" + HEADER, "go1.27.3"),
        (HEADER, "go1.27.3"),
        (b"go object linux toy go1.99-custom", "go1.99-custom"),
        (b"!<arch>\nx.o", ""),
        (b"", ""),
        (b"go object linux\n", ""),
    ],
)
def test_the_version_that_compiled_an_archive(content: bytes, version: str, tmp_path: Path) -> None:
    file = tmp_path / "x.a"
    file.write_bytes(content)
    assert compiled_with(str(file)) == version


def test_what_cannot_be_read_has_no_version(tmp_path: Path) -> None:
    """The link itself says what is wrong."""
    assert compiled_with(str(tmp_path)) == compiled_with(str(tmp_path / "none")) == ""
