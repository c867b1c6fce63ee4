"""What names become: a keyed hash (HMAC-SHA-256) of what they were, so that two links with one key
agree, and nobody without it can try names until one fits."""

from __future__ import annotations

import base64
import hmac
from pathlib import Path

import attrs

from linkpipe.api import UserError

_LEAST = 16


@attrs.frozen(repr=False)
class Secret:
    """Names under one key."""

    key: bytes

    def function(self, name: bytes) -> bytes:
        """Another name for a function. The runtime prints frames whose name has a dot, and takes
        the name of a method "main.(*T).M" apart (runtime/error.go, panicwrap)."""
        plain = name.partition(b"[")[0]
        receiver = b"(*" + self._text(b"receiver", name, 12) + b")." if b".(*" in plain else b""
        return self._package(plain) + b"." + receiver + self._text(b"function", name, 12)

    def type(self, name: bytes) -> bytes:
        """Another name for a type "main.T"; as an argument it may be "example.com/lib.T"."""
        return self._package(name) + b"." + self._text(b"type", name, 12)

    def file(self, name: bytes) -> bytes:
        """Another name for a source file."""
        return self._text(b"file", name, 12) + b".go"

    def number(self, what: bytes) -> int:
        """An odd number of 32 bits."""
        return int.from_bytes(self._digest(b"number", what)[:4], "little") | 1

    def _package(self, name: bytes) -> bytes:
        folder, slash, rest = name.rpartition(b"/")
        return self._text(b"package", folder + slash + rest.partition(b".")[0], 6)

    def _text(self, kind: bytes, text: bytes, length: int) -> bytes:
        """A word of Go's grammar: a letter, then letters and digits."""
        return b"x" + base64.b32encode(self._digest(kind, text)).lower()[:length]

    def _digest(self, kind: bytes, text: bytes) -> bytes:
        return hmac.digest(self.key, kind + b"\0" + text, "sha256")


def read_secret(file: Path | None) -> Secret:
    """The secret in a file. Raises UserError where there is none, or a short one."""
    if file is None:
        raise UserError(
            "obfuscate: there is no key", remedy='name a file: options = { key = "obfuscate.key" }',
            status=2, label="linkpipe",
        )  # fmt: skip
    try:
        key = file.read_bytes()
    except OSError as e:
        raise UserError(
            f"obfuscate: cannot read the key {file}: {e.strerror}",
            remedy=f"make one, and keep it: head -c 32 /dev/urandom > {file}",
            status=2,
            label="linkpipe",
        ) from e
    if len(key) < _LEAST:
        raise UserError(
            f"obfuscate: the key {file} has {len(key)} bytes of {_LEAST}: it can be guessed",
            remedy=f"make another: head -c 32 /dev/urandom > {file}",
            status=2,
            label="linkpipe",
        )
    return Secret(key)
