"""The importcfg file: where each package's archive lies, and the module information.

Source: cmd/link/internal/ld/ld.go, readImportCfg.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from linkpipe.errors import UserError, os_error
from linkpipe.values import Value, record

# What Go takes for white space (unicode.IsSpace); Python has four control characters more.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@record
class ImportCfg(Value):
    """A parsed importcfg.

    Attributes:
        packages: import path -> archive, in file order.
        shlibs: import path -> shared library, in file order.
        modinfo: what ``runtime.modinfo`` is to hold; None when the file does not say.
    """

    packages: Mapping[str, str]
    shlibs: Mapping[str, str]
    modinfo: bytes | None


def read_importcfg(path: str) -> ImportCfg:
    """Read the importcfg at ``path``. Raises UserError in the oracle's words."""
    try:
        with open(path, "rb") as f:
            text = f.read().decode("utf-8", "surrogateescape")
    except OSError as e:
        raise UserError(
            f"-importcfg: {os_error(e)}",
            remedy="check the path given to -importcfg",
        ) from e
    packages: dict[str, str] = {}
    shlibs: dict[str, str] = {}
    modinfo: bytes | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(_SPACE)
        if not line or line.startswith("#"):
            continue
        verb, _, args = line.partition(" ")
        args = args.strip(_SPACE)
        before, found, after = args.partition("=")
        where = f"{path}:{number}"
        if verb in ("packagefile", "packageshlib"):
            if not (found and before and after):
                raise UserError(
                    f'{where}: invalid {verb}: syntax is "{verb} path=filename"',
                    remedy="correct that line of the importcfg",
                )
            (packages if verb == "packagefile" else shlibs)[before] = after
        elif verb == "modinfo":
            try:
                modinfo = unquote(args)
            except ValueError as e:
                raise UserError(
                    f"{where}: invalid modinfo: invalid syntax",
                    remedy=f"modinfo takes a quoted Go string: {e}",
                ) from e
        else:
            raise UserError(
                f'{where}: unknown directive "{verb}"',
                remedy="known are packagefile, packageshlib and modinfo",
            )
    return ImportCfg(packages, shlibs, modinfo)


_LETTERS = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|[0-3][0-7]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[abfnrtv\\%s])"
_LITERAL: dict[str, str | re.Pattern[str]] = {
    "`": r"`[^`]*`",
    # Nearly every link has one, and what a server has compiled its children need not.
    '"': re.compile(r'"(?:[^"\\\n]|%s)*+"' % (_ESCAPE % '"')),
    "'": r"'(?:[^'\\\n]|%s)?'" % (_ESCAPE % "'"),
}
_ANY_ESCAPE = re.compile(_ESCAPE % "'\"")
_NO_TEXT = re.compile("[\udc80-\udcff]")


def unquote(text: str) -> bytes:
    """The bytes of a Go literal: a string, interpreted ("…") or raw (`…`), or a rune ('…').

    The grammar is that of the Go specification, as strconv.Unquote has it: bytes that are no UTF-8
    become U+FFFD, except in a raw string. Raises ValueError for what is no literal.
    """
    literal = _LITERAL.get(text[:1])
    if literal is None or not re.fullmatch(literal, text):
        raise ValueError("not a quoted string, or with a wrong escape")
    body = text[1:-1]
    if text[0] == "`":
        return body.replace("\r", "").encode("utf-8", "surrogateescape")
    body = _NO_TEXT.sub("\ufffd", body)
    return _ANY_ESCAPE.sub(_unescape, body).encode("utf-8", "surrogateescape")


def _unescape(escape: re.Match[str]) -> str:
    kind, digits = escape[0][1], escape[0][2:]
    if kind in "uU":
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ValueError(f"{escape[0]} is no character")
        return chr(code)
    if digits:  # a byte, which need not be UTF-8
        code = int(digits, 16) if kind == "x" else int(kind + digits, 8)
        return bytes([code]).decode("ascii", "surrogateescape")
    return _LETTERS.get(kind, kind)
