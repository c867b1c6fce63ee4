"""The importcfg reader: what it accepts, and the oracle's words where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("text", ["", '"', "a", '"\\q"', '"\\x1"', '"a"b"', '"\\"', '"\\u12"'])
def test_what_is_no_go_string(text: str) -> None:
    with pytest.raises(ValueError, match="quoted string|escape|quote inside"):
        unquote(text)
