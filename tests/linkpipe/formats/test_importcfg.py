"""The importcfg reader: what it accepts, and the oracle's words where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import LinkpipeError
from linkpipe.formats.importcfg import read_importcfg, unquote


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "importcfg"
    path.write_text(text)
    return str(path)


def test_packages_keep_their_order_and_comments_are_passed_over(tmp_path: Path) -> None:
    config = read_importcfg(
        write(
            tmp_path,
            '# a comment\n\npackagefile b=/x/b.a\n packagefile a=/y=z.a \nmodinfo "m\\x01"\n',
        )
    )
    assert list(config.packages.items()) == [("b", "/x/b.a"), ("a", "/y=z.a")]
    assert config.modinfo == b"m\x01"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("packagefile fmt", ':1: invalid packagefile: syntax is "packagefile path=filename"'),
        ("packagefile =x", ':1: invalid packagefile: syntax is "packagefile path=filename"'),
        ("unknown a=b", ':1: unknown directive "unknown"'),
        ('modinfo "open', ":1: invalid modinfo: invalid syntax"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, line)
    with pytest.raises(LinkpipeError) as error:
        read_importcfg(path)
    assert str(error.value) == path + message
    assert error.value.exit_status == 1


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LinkpipeError, match="-importcfg: open .*: no such file or directory"):
        read_importcfg(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', b""),
        ('"a\\tb\\n"', b"a\tb\n"),
        ('"\\xff\\x00w"', b"\xff\0w"),
        ('"\\\\\\"n"', b'\\"n'),
        ('"\\101\\u00e9\\U0001F600"', "A\u00e9\U0001f600".encode()),
        ("`a\\n\r`", b"a\\n"),
    ],
)
def test_go_strings(text: str, value: bytes) -> None:
    assert unquote(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "a"),
        *(r'"', r'"\q"', r'"\x1"', r'"a"b"', r'"\"', r'"\u12"', r'"\\"x"', r'"\x+1"', r'"\x 1"'),
        *(r'"\u+041"', '"\\u\u0660041"', '"\\x\u06601"', r'"\Uffffffff"'),  # Go's digits alone
        *(r'"\u1_00"', r'"\ud800"', r'"\400"', r"'ab'", r'"\'"'),
    ],
)
def test_what_is_no_go_string(text: str) -> None:
    with pytest.raises(ValueError, match="quoted string|no character"):
        unquote(text)


def slowly(text: bytes) -> bytes | None:
    """The grammar of Go's literals, read byte by byte; None: it is none. After "Rune literals" and
    "String literals" of go.dev/ref/spec; bytes that are no UTF-8 become U+FFFD."""
    if len(text) < 2 or text[:1] not in (b'"', b"'", b"`") or text[:1] != text[-1:]:
        return None
    quote, body, at, out, count = text[:1], text[1:-1], 0, b"", 0
    if quote == b"`":
        return None if quote in body else body.replace(b"\r", b"")
    while at < len(body):
        count += 1
        rest = body[at:]
        if rest[:1] in (quote, b"\n"):
            return None
        if rest[:1] != b"\\":
            for size in (1, 2, 3, 4):
                try:
                    char = rest[:size].decode()
                except UnicodeDecodeError:
                    continue
                break
            else:
                char, size = "\ufffd", 1
            out += char.encode()
            at += size
            continue
        kind = rest[1:2]
        if kind in (b"x", b"u", b"U"):
            size = {b"x": 2, b"u": 4, b"U": 8}[kind]
            digits, base, at = rest[2 : 2 + size], b"0123456789abcdefABCDEF", at + 2 + size
        elif kind in (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7"):
            size, digits, base, at = 3, rest[1:4], b"01234567", at + 4
        else:
            plain = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92}
            plain[quote] = quote[0]
            if kind not in plain:
                return None
            out += bytes([plain[kind]])
            at += 2
            continue
        if len(digits) != size or any(digit not in base for digit in digits):
            return None
        value = int(digits, 16 if len(base) > 8 else 8)
        if kind in (b"u", b"U"):
            if value > 0x10FFFF or 0xD800 <= value < 0xE000:
                return None
            out += chr(value).encode()
        elif value > 255:
            return None
        else:
            out += bytes([value])
    return None if quote == b"'" and count > 1 else out


PIECES = [
    *rb"""" ' ` \ x u U 0 3 7 8 _ + n q d \x4 \u00e \ud800 \U0010ffff \U00110000 \37 \40""".split(),
    *b"\xff|\xe2\x82|\xe2\x82\xac|\xed\xa0\x80|\xf4\x90\x80\x80|\n|\r| ".split(b"|"),
]


@given(
    st.sampled_from([b'"', b"'", b"`", b""]),
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=2)), max_size=8),
)
def test_every_spelling_is_taken_or_refused_as_by_go(quote: bytes, pieces: list[bytes]) -> None:
    """linkpipe reads what Go reads, and refuses what Go refuses. tests/conformance holds both to
    strconv.Unquote itself."""
    text = quote + b"".join(pieces) + quote
    want = slowly(text)
    try:
        have = unquote(text.decode("utf-8", "surrogateescape"))
    except ValueError:
        have = None
    assert have == want


def test_white_space_is_gos(tmp_path: Path) -> None:
    """A file may be named with a control character that only Python strips."""
    config = read_importcfg(write(tmp_path, "\u3000packagefile a=/x\x1c\u2005\n"))
    assert config.packages == {"a": "/x\x1c"}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(LinkpipeError, match=f"^-importcfg: read {tmp_path}: is a directory$"):
        read_importcfg(str(tmp_path))
