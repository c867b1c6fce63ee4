"""What a Go file imports, by the head of the file (go.dev/ref/spec, Source file organization)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_TOKEN = re.compile(
    rb"""(?P<skip>[\s;]+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<word>[\w\x80-\xff]+)
    |(?P<sign>[().])""",
    re.VERBOSE | re.DOTALL,
)
_MARK = b"\xef\xbb\xbf"


def imports(source: bytes) -> tuple[str, ...]:
    """The paths that a file imports. Raises ValueError where its head is not one of a Go file."""
    tokens = _tokens(source.removeprefix(_MARK))
    if next(tokens) != ("word", b"package") or next(tokens)[0] != "word":
        raise ValueError("it does not begin with a package clause")
    found = []
    for token in tokens:
        if token != ("word", b"import"):
            if token[0] in ("word", "end"):
                break
            raise ValueError(f"{_shown(token)} stands where a declaration should")
        kind, text = next(tokens)
        if (kind, text) == ("sign", b"("):
            while (token := next(tokens)) != ("sign", b")"):
                found.append(_path(token, tokens))
        else:
            found.append(_path((kind, text), tokens))
    return tuple(found)


def _tokens(source: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None:
            yield "other", source[at : at + 1]
            return
        at = token.end()
        if token.lastgroup != "skip":
            yield token.lastgroup or "", token[0]
    while True:
        yield "end", b""


def _path(token: tuple[str, bytes], tokens: Iterator[tuple[str, bytes]]) -> str:
    """The path of an import, before which there may be a name or a dot."""
    if token[0] == "word" or token == ("sign", b"."):
        token = next(tokens)
    kind, text = token
    if kind != "text":
        raise ValueError(f"{_shown(token)} stands where a path should")
    if text.startswith(b"`"):
        return text[1:-1].replace(b"\r", b"").decode("utf-8", "replace")
    try:
        # Of the escapes that Go has Python's strings mean the same.
        return str(ast.literal_eval(text.decode("utf-8", "replace")))
    except (SyntaxError, ValueError) as e:
        raise ValueError(f"{_shown(token)} is no path") from e


def _shown(token: tuple[str, bytes]) -> str:
    return repr(token[1][:40].decode("utf-8", "replace")) if token[1] else "the end"
