"""The importcfg file: where each package's archive lies, and the module information.

Source: cmd/link/internal/ld/ld.go, readImportCfg.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from linkpipe.errors import UserError


@attrs.frozen
class ImportCfg:
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
            f"-importcfg: open {path}: {_go_strerror(e)}",
            remedy="check the path given to -importcfg",
        ) from e
    packages: dict[str, str] = {}
    shlibs: dict[str, str] = {}
    modinfo: bytes | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        verb, _, args = line.partition(" ")
        args = args.strip()
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


_SIMPLE = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34,
}  # fmt: skip
_NUMBERED = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}


def unquote(text: str) -> bytes:
    """The bytes of a Go string literal, interpreted ("…") or raw (`…`).

    Raises ValueError when it is not one.
    """
    if len(text) < 2 or text[0] != text[-1] or text[0] not in '"`':
        raise ValueError("not a quoted string")
    body = text[1:-1]
    if text[0] == "`":
        return body.replace("\r", "").encode("utf-8", "surrogateescape")
    out = bytearray()
    parts = body.split("\\")
    out += parts[0].encode("utf-8", "surrogateescape")
    rest = iter(range(1, len(parts)))
    for i in rest:
        part = parts[i]
        if not part:  # an escaped backslash: the next part is plain text
            out += b"\\"
            try:
                out += parts[next(rest)].encode("utf-8", "surrogateescape")
            except StopIteration:
                raise ValueError("an escape without an end") from None
            continue
        kind = part[0]
        used = 1
        if kind in _SIMPLE and kind != "'":
            out.append(_SIMPLE[kind])
        elif kind in _NUMBERED:
            digits, base = _NUMBERED[kind]
            used = 1 + digits
            try:
                code = int(part[1:used], base) if len(part) >= used else -1
                out += bytes([code]) if kind == "x" else chr(code).encode()
            except (ValueError, UnicodeEncodeError):
                raise ValueError(f"wrong escape \\{part[:used]}") from None
        elif part[:3].isdigit() and len(part) >= 3:
            used = 3
            out.append(int(part[:3], 8))
        else:
            raise ValueError(f"wrong escape \\{kind}")
        out += part[used:].encode("utf-8", "surrogateescape")
    if '"' in "".join(p[1:] if i else p for i, p in enumerate(parts)) and _bare_quote(body):
        raise ValueError("a quote inside the string")
    return bytes(out)


def _bare_quote(body: str) -> bool:
    escaped = False
    for c in body:
        if c == '"' and not escaped:
            return True
        escaped = c == "\\" and not escaped
    return False


def _go_strerror(e: OSError) -> str:
    return (e.strerror or str(e)).lower()
