"""Go's flag syntax: ``-f``, ``--f``, ``-f=v``, ``-f v``, booleans, ``--``, ``@file``.

No Python library parses it, and the messages are part of the contract: a mistyped flag must look
as it does with the toolchain's own tools. Rules: package flag (flag.go, parseOne, PrintDefaults),
cmd/internal/objabi/flag.go (expandArgs, ParseArgs, count), cmd/internal/quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from linkpipe.errors import OptionError, UserError, os_error
from linkpipe.formats.goint import parse_int
from linkpipe.values import Value, record

_DECIMAL = r"[+-]?[0-9]{1,18}"
_ESCAPES = {
    '"': r"\"",
    "\\": r"\\",
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_SPACE = " \t\n\r"


def quote(text: str) -> str:
    """A string in double quotes with Go's escapes, as its ``%q`` prints it."""
    return f'"{"".join(map(_escape, text))}"'


def _escape(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it
        return f"\\x{code & 0xFF:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _bool(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("parse error")


def _ternary(text: str) -> bool:
    try:
        return _bool(text)
    except ValueError:
        raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax") from None


def _count(text: str) -> int:
    if text in ("true", "false"):
        return int(text == "true")
    if not re.fullmatch(_DECIMAL, text):
        raise ValueError(f"invalid count {quote(text)}")
    return int(text)


def split_quoted(text: str) -> tuple[str, ...]:
    """Fields separated by white space, each of which may stand in '' or ""; no escapes.

    Raises ValueError for a quote that is not closed.
    """
    fields: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at == len(text):
            return tuple(fields)
        if text[at] in "'\"":
            end = text.find(text[at], at + 1)
            if end < 0:
                raise ValueError(f"unterminated {text[at]} string")
            fields.append(text[at + 1 : end])
            at = end + 1
            continue
        start = at
        while at < len(text) and text[at] not in _SPACE:
            at += 1
        fields.append(text[start:at])


class Kind(Enum):
    """The type of a flag: how its value is read, what the usage text calls it, its zero value,
    whether it stands without a value."""

    BOOL = (_bool, "", False, True)
    TERNARY = (_ternary, "", None, True)
    COUNT = (_count, "", 0, True)
    VERSION = (str, "", None, True)
    INT = (parse_int, "int", 0, False)
    STRING = (str, "string", "", False)
    VALUE = (str, "value", "", False)
    OPTIONAL = (str, "value", None, False)
    MODE = (str, "value", "auto", False)
    QUOTED = (split_quoted, "value", (), False)
    LIST = (str, "value", (), False)

    def __init__(self, read: Callable[[str], Any], word: str, zero: Any, standalone: bool) -> None:
        self.read = read
        self.word = word
        self.zero = zero
        self.standalone = standalone


@record
class Flag(Value):
    """One flag. ``usage`` may name its value between backquotes, as in Go.

    ``check`` sees the value and raises ValueError, with the words that follow
    'invalid value "v" for flag -f: '.
    """

    name: str
    kind: Kind
    usage: str
    default: Any = None
    check: Callable[[Any], None] | None = None

    def line(self) -> str:
        """Its entry in the usage text."""
        word, usage = self.kind.word, self.usage
        named = re.search("`([^`]*)`", usage)
        if named:
            word = named[1]
            usage = usage.replace(named[0], word, 1)
        head = f"  -{self.name}" + (f" {word}" if word else "")
        # A boolean of one letter has its text on the same line.
        head += "\t" if len(head) <= 4 else "\n    \t"
        default = self.default
        if default in (None, self.kind.zero):
            return head + usage
        shown = {True: "true", False: "false"}.get(default, default)
        return f"{head}{usage} (default {shown})"


def usage_text(title: str, flags: Mapping[str, Flag]) -> str:
    """A title and the flags, sorted by name, in the oracle's format."""
    lines = [flags[name].line() for name in sorted(flags)]
    return "\n".join([title, *lines, ""])


def parse(
    flags: Mapping[str, Flag], args: Sequence[str], rest: list[str]
) -> Iterator[tuple[Flag, Any]]:
    """Read flags one by one; what follows them is appended to ``rest`` at the end.

    A generator, because some flags act when they are met: ``-V`` ends the program although a
    later flag is wrong. Raises OptionError.
    """
    queue = list(reversed(args))
    while queue:
        arg = queue[-1]
        if len(arg) < 2 or arg[0] != "-":
            break
        queue.pop()
        if arg == "--":
            break
        name, has_value, text = (arg[2:] if arg[1] == "-" else arg[1:]).partition("=")
        if not name or name[0] == "-":
            raise _bad(f"bad flag syntax: {arg}", "")
        flag = flags.get(name)
        if flag is None:
            if name == "help":
                raise _bad("", name)
            raise _bad(f"flag provided but not defined: -{name}", name)
        if flag.kind.standalone:
            words = f"invalid boolean value {quote(text)} for -{name}: "
            text = text if has_value else "true"
        else:
            if not has_value:
                if not queue:
                    raise _bad(f"flag needs an argument: -{name}", name)
                text = queue.pop()
            words = f"invalid value {quote(text)} for flag -{name}: "
        try:
            value = flag.kind.read(text)
            if flag.check is not None:
                flag.check(value)
        except ValueError as e:
            raise _bad(f"{words}{e}", name) from None
        yield flag, value
    rest.extend(reversed(queue))


def _bad(message: str, name: str) -> OptionError:
    return OptionError(message, flag=name, usage=True, label="")


def expand_args(
    args: Sequence[str], lines: Callable[[], bool] = lambda: False, depth: int = 0
) -> list[str]:
    """Replace each ``@file`` by the arguments in that file, which may name files in turn.
    ``lines`` is asked, once there is one, whether files have an argument a line
    (``split_lines``) or GCC's rules (``split_response``).

    Raises UserError for a file that cannot be read or that names itself.
    """
    out: list[str] = []
    for arg in args:
        if not arg.startswith("@"):
            out.append(arg)
            continue
        if depth > 64:
            raise UserError(
                f"response file {arg[1:]} is nested too deep",
                remedy="look for a response file that names itself",
            )
        try:
            with open(arg[1:], encoding="utf-8", errors="surrogateescape", newline="") as file:
                text = file.read()
        except OSError as e:
            raise UserError(os_error(e)) from e
        split = split_lines if lines() else split_response
        out.extend(expand_args(split(text), lines, depth + 1))
    return out


def split_lines(text: str) -> list[str]:
    """The arguments in a response file that has one a line, in which a backslash before an n is the
    end of a line and two of them are one (cmd/internal/objabi/flag.go of Go 1.26, DecodeArg).

    Raises UserError for any other backslash, but one at the end of a line, which goes.
    """

    def unescaped(found: re.Match[str]) -> str:
        if found[1] not in ("n", "\\", ""):
            raise UserError(
                f"badly formatted response file: {found[0]!r} stands for nothing",
                status=2,
                remedy="write a backslash as two",
            )
        return "\n" if found[1] == "n" else found[1]

    return [
        re.sub(r"\\(.?)", unescaped, line)
        for line in text.replace("\r", "").strip(_SPACE).split("\n")
    ]


_SPACE = " \t\n\v\f\r\x85\xa0"

_RESPONSE = r"""(?xs)(?P<space>[ \t\n\r]+)
      | '(?P<single>[^']*)(?:'|\Z)
      | "(?P<double>(?:\\.|[^"\\]|\\\Z)*)(?:"|\Z)
      | \\(?P<joined>\r?\n)
      | \\(?P<escaped>.)
      | (?P<trailing>\\\Z)
      | (?P<plain>[^ \t\n\r'"\\]+)"""
_IN_DOUBLE = r"\\(\r?\n|[\\\"$`])"


def split_response(text: str) -> list[str]:
    """The arguments in a response file, by GCC's rules as Go has them.

    White space separates; '' is literal; in "" a backslash escapes only \\ " $ ` and the end of a
    line; outside of quotes it escapes anything.
    """
    out: list[str] = []
    current: list[str] | None = None
    for part in re.finditer(_RESPONSE, text):
        kind = part.lastgroup
        if kind == "space":
            if current is not None:
                out.append("".join(current))
            current = None
            continue
        if kind in ("joined", "trailing"):
            continue
        piece = part[kind] if kind else ""
        if kind == "double":
            piece = re.sub(_IN_DOUBLE, lambda m: "" if m[1][-1] == "\n" else m[1], piece)
        current = [piece] if current is None else [*current, piece]
    if current is not None:
        out.append("".join(current))
    return out
