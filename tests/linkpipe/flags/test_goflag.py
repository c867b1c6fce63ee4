from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import OptionError, UserError
from linkpipe.flags.goflag import Flag, Kind, expand_args, parse, split_quoted, split_response

FLAGS = {
    flag.name: flag
    for flag in (
        Flag("s", Kind.BOOL, "b"),
        Flag("v", Kind.COUNT, "c"),
        Flag("R", Kind.INT, "i"),
        Flag("o", Kind.STRING, "s"),
        Flag("ext", Kind.QUOTED, "q"),
    )
}


def read(*args: str) -> tuple[list[tuple[str, Any]], list[str]]:
    rest: list[str] = []
    found = [(flag.name, value) for flag, value in parse(FLAGS, args, rest)]
    return found, rest


@pytest.mark.parametrize(
    ("args", "found", "rest"),
    [
        (["-s", "x"], [("s", True)], ["x"]),
        (["--s=false", "x"], [("s", False)], ["x"]),
        (["-s", "false"], [("s", True)], ["false"]),
        (["-o", "-s", "x"], [("o", "-s")], ["x"]),
        (["-o=a=b"], [("o", "a=b")], []),
        (["-o="], [("o", "")], []),
        (["--", "-s"], [], ["-s"]),
        (["-", "-s"], [], ["-", "-s"]),
        (["x", "-s"], [], ["x", "-s"]),
        (["-v", "-v", "-v=5"], [("v", 1), ("v", 1), ("v", 5)], []),
        (["-R", "0x10", "-R=010", "-R=1_000", "-R", "-0b11"],
         [("R", 16), ("R", 8), ("R", 1000), ("R", -3)], []),
        (["-ext", "a 'b c' \"d\""], [("ext", ("a", "b c", "d"))], []),
    ],
)  # fmt: skip
def test_forms(args: list[str], found: list[tuple[str, Any]], rest: list[str]) -> None:
    assert read(*args) == (found, rest)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-zz"], "flag provided but not defined: -zz"),
        (["-=x"], "bad flag syntax: -=x"),
        (["---s"], "bad flag syntax: ---s"),
        (["-o"], "flag needs an argument: -o"),
        (["-s=maybe"], 'invalid boolean value "maybe" for -s: parse error'),
        (["-v=x"], 'invalid boolean value "x" for -v: invalid count "x"'),
        (["-R", "zz"], 'invalid value "zz" for flag -R: parse error'),
        (["-R", "09"], 'invalid value "09" for flag -R: parse error'),
        (["-R", "1__0"], 'invalid value "1__0" for flag -R: parse error'),
        (["-R", str(1 << 63)], f'invalid value "{1 << 63}" for flag -R: value out of range'),
        (["-ext", "'a"], "invalid value \"'a\" for flag -ext: unterminated ' string"),
    ],
)
def test_messages(args: list[str], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(*args)
    assert str(caught.value) == message
    assert caught.value.usage


def test_flags_before_a_wrong_one_are_seen() -> None:
    """-V answers although what follows it is wrong."""
    flags = parse(FLAGS, ["-s", "-zz"], [])
    assert next(flags)[1] is True
    with pytest.raises(OptionError):
        next(flags)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("", []),
        ("a b\n\tc\r\n", ["a", "b", "c"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a'b c'd", ["ab cd"]),
        ("''", [""]),
        (r"'a\b'", [r"a\b"]),
        (r'"a\"b\\c\$d\`e\n"', ['a"b\\c$d`e\\n']),
        ("a\\ b", ["a b"]),
        ("a\\\nb", ["ab"]),
        ("a\\\r\nb", ["ab"]),
        ('"a\\\nb"', ["ab"]),
        ("'open", ["open"]),
        ('"open', ["open"]),
        ("a\\", ["a"]),
        ("\\", []),
    ],
)
def test_response_files(text: str, args: list[str]) -> None:
    """By objabi.ParseArgs."""
    assert split_response(text) == args


def slow_split_response(text: str) -> list[str]:
    """Character by character, as objabi.ParseArgs describes it."""
    out: list[str] = []
    arg: list[str] = []
    has = False
    quote = ""
    at = 0
    while at < len(text):
        c, rest = text[at], text[at + 1 :]
        at += 1
        if quote == "'":
            quote, arg = ("", arg) if c == "'" else (quote, [*arg, c])
        elif c == "\\" and quote == '"':
            if rest[:1] in ("\\", '"', "$", "`") and rest:
                arg.append(rest[0])
                at += 1
            elif rest[:1] == "\n":
                at += 1
            elif rest[:2] == "\r\n":
                at += 2
            else:
                arg.append(c)
        elif quote == '"':
            quote, arg = ("", arg) if c == '"' else (quote, [*arg, c])
        elif c in " \t\r\n":
            if arg or has:
                out.append("".join(arg))
            arg, has = [], False
        elif c in "'\"":
            quote, has = c, True
        elif c == "\\":
            if rest[:1] == "\n":
                at += 1
            elif rest[:2] == "\r\n":
                at += 2
            elif rest:
                arg.append(rest[0])
                has = True
                at += 1
        else:
            arg.append(c)
    return [*out, "".join(arg)] if arg or has else out


@given(st.text(alphabet="ab \t\n\r'\"\\$`", max_size=12))
def test_response_files_like_the_slow_version(text: str) -> None:
    assert split_response(text) == slow_split_response(text)


def test_a_response_file_may_name_another(tmp_path: Any) -> None:
    (tmp_path / "in").write_text("b 'c d'")
    (tmp_path / "out").write_text(f"a @{tmp_path}/in e")
    assert expand_args(["x", f"@{tmp_path}/out"]) == ["x", "a", "b", "c d", "e"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-s\n-o\na b\n", ["-s", "-o", "a b"]),
        ("\n 'x' \r\n", ["'x'"]),
        ("a\\nb\n\\\\c", ["a\nb", "\\c"]),
        ("", [""]),
        ("a\n\nb", ["a", "", "b"]),
        ("a\\", ["a"]),
    ],
)
def test_response_files_of_older_releases_have_an_argument_a_line(
    tmp_path: Any, text: str, words: list[str]
) -> None:
    (tmp_path / "in").write_text(text, newline="")
    assert expand_args([f"@{tmp_path}/in"], lambda: True) == words


def test_a_backslash_that_stands_for_nothing_is_an_error(tmp_path: Any) -> None:
    """The oracle panics."""
    (tmp_path / "in").write_text("a\\b")
    with pytest.raises(UserError, match="badly formatted response file"):
        expand_args([f"@{tmp_path}/in"], lambda: True)


def test_a_response_file_that_names_itself_is_an_error(tmp_path: Any) -> None:
    (tmp_path / "loop").write_text(f"@{tmp_path}/loop")
    with pytest.raises(UserError, match="nested too deep"):
        expand_args([f"@{tmp_path}/loop"])


def test_a_response_file_that_is_missing_is_the_oracles_error() -> None:
    with pytest.raises(UserError, match="^open nofile: no such file or directory$") as caught:
        expand_args(["@nofile"])
    assert caught.value.exit_status == 1


@given(st.lists(st.text(alphabet="ab-'=", min_size=1)))
def test_quoted_fields_come_back(fields: list[str]) -> None:
    text = " ".join(f'"{field}"' for field in fields)
    assert split_quoted(text) == tuple(fields)
