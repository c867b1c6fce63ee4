"""Go archives: ``ar`` members, and the text before an object's binary part.

An archive holds the export data (``__.PKGDEF``), Go objects, and objects of a C compiler.
A Go object starts with a text header line naming target and Go version, then more text
(cgo directives among it), ends that with ``\\n!\\n`` and goes on in binary.
Source: cmd/link/internal/ld/{ar,lib,go}.go (loadobjfile, ldobj, ldpkg).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from linkpipe.errors import COMMAND, InputError
from linkpipe.formats.goint import number
from linkpipe.values import Value, record

AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60
_PKGDEF = "__.PKGDEF"
_LONGEST_LINE = 1 << 12
_LARGEST = (1 << 63) - 1 - 64
"""Bytes of a member; beyond, its end has more than 63 bits, which the oracle takes for negative."""


@record
class Member(Value):
    """One archive member: bytes [at, at+size) of the file, as far as there are any."""

    name: str
    at: int
    size: int


@record
class Preamble(Value):
    """The text part of a Go object.

    Attributes:
        main: whether it is ``package main``.
        cgo: the JSON text of its cgo directives, empty when it has none.
        size: bytes up to the binary part.
    """

    main: bool
    cgo: str
    size: int


def members(data: memoryview, file: str) -> Iterator[Member]:
    """The members of the archive ``data`` that a linker reads, in order.

    A file that is not an archive is one member, itself. Export data and members that
    build tools added (short names without .o or .syso) are passed over, but for the
    markers "dynimportfail" and "preferlinkext". As in the oracle, a size that is no number is
    zero, what is too short for a header ends the archive, and the last member may be cut short:
    then ``size`` says more than there is. Raises InputError for a malformed archive.
    """
    if bytes(data[: len(AR_MAGIC)]) != AR_MAGIC:
        yield Member("", 0, len(data))
        return
    at = len(AR_MAGIC)
    while at < len(data):
        header = bytes(data[at : at + _AR_HEADER])
        if len(header) < _AR_HEADER:
            break
        name = header[:16].decode("latin-1").strip(" ")
        size = number(header[48:58].decode("latin-1").strip(" "))
        start = at + _AR_HEADER
        if not 0 <= size <= _LARGEST:
            raise InputError(
                f"{file}: malformed archive",
                file=file,
                offset=at,
                expected="a member header with the member's size",
                found=repr(header),
                remedy="rebuild the package; the archive is damaged or cut short",
            )
        if name != _PKGDEF and (
            len(name) >= 16 or name.endswith((".o", ".syso")) or name in MARKERS
        ):
            yield Member(name, start, size)
        at = start + size + (size & 1)


def member_at(data: memoryview, at: int, file: str) -> Member:
    """The member whose header is at an offset of the archive ``data``, or behind it where that is
    odd. As in the oracle, whatever is there is taken for a header, and the content may be cut
    short: then ``size`` says more than there is. Raises InputError."""
    start = at + (at & 1) + _AR_HEADER
    header = bytes(data[start - _AR_HEADER : start])
    size = number(header[48:58].decode("latin-1").strip(" "))
    if len(header) < _AR_HEADER or size < 0:
        raise InputError(
            f"{file} missing archive entry at offset {at}",
            file=file,
            offset=at,
            expected="the header of a member",
            found=repr(header),
            remedy="the archive is damaged: install it again, or name another",
        )
    return Member(header[:16].decode("latin-1").strip(" "), start, size)


def symbol_map(data: memoryview, file: str) -> dict[bytes, int]:
    """The first member of an archive of C objects: for each symbol where the header of the member
    is that defines it, the last one that does. Raises InputError for an archive without one."""
    first = member_at(data, len(AR_MAGIC), file)
    word = {"/": 4, "/SYM64/": 8}.get(first.name)

    def wrong(what: str) -> InputError:
        return InputError(
            f"{file} {what}",
            file=file,
            offset=first.at,
            label=COMMAND,
            remedy="run ranlib on it, or name another archive",
        )

    if word is None:
        raise wrong("missing armap")
    content = bytes(data[first.at : first.at + first.size])
    if len(content) < first.size:
        raise wrong("has a damaged armap")
    count = int.from_bytes(content[:word], "big")
    names = content[(1 + count) * word :].split(b"\0")
    if (1 + count) * word > len(content) or count >= len(names) + (not count):
        raise wrong("has a damaged armap")
    places = range(word, (1 + count) * word, word)
    offsets = (int.from_bytes(content[at : at + word], "big") for at in places)
    return dict(zip(names, offsets, strict=False))


MARKERS = ("dynimportfail", "preferlinkext")


def compiled_with(path: str) -> str:
    """The Go version in the first header line of the archive or object at ``path``; "" when there
    is none, or the file cannot be read."""
    try:
        with open(path, "rb") as file:
            start = file.read(_AR_HEADER + _LONGEST_LINE)
    except (OSError, ValueError):  # no such file; no name of a file
        return ""
    line = re.search(rb"^go object \S+ \S+ (\S+)", start, re.MULTILINE)
    return line[1].decode("utf-8", "surrogateescape") if line else ""


def header_line(data: memoryview, file: str) -> str:
    """The first line of the object ``data``, without its end; that of a Go object says
    ``go object linux GOARCH go1.27.3 …``. Raises InputError when there is no end.
    """
    line, end, _ = bytes(data[:_LONGEST_LINE]).partition(b"\n")
    if not end:
        raise _truncated(f"{file}: EOF", file, "a line that says what it is")
    return line.decode("utf-8", "surrogateescape")


def read_preamble(data: memoryview, file: str) -> Preamble:
    """Read the text part of the Go object ``data``.

    Raises InputError when it does not end.
    """
    # The binary part is found by its marker; export data may contain the marker too, between
    # lines of "$$", so a marker counts only where the "$$" seen so far pair up.
    window = 1 << 12
    while True:
        text = bytes(data[:window])
        end = _find_end(text)
        if end >= 0:
            break
        if window >= len(data):
            raise _truncated(file, file, "a line '!' that ends the text part")
        window *= 8
    _, _, rest = text[:end].partition(b"\n")
    main = False
    for line in rest.split(b"\n"):
        if line == b"main":
            main = True
        if not line:
            break
    cgo = ""
    mark = rest.find(b"\n$$  // cgo")
    if mark >= 0:
        start = rest.find(b"\n", mark + 1)
        stop = rest.find(b"\n$$", start)
        if start < 0 or stop < 0:
            raise InputError(
                f"cannot find end of // cgo section in {file}",
                file=file,
                remedy="rebuild the package; the file is damaged",
            )
        cgo = rest[start:stop].decode("utf-8", "surrogateescape")
    return Preamble(main, cgo, end)


def _truncated(what: str, file: str, expected: str) -> InputError:
    return InputError(
        f"truncated object file: {what}",
        file=file,
        label="",
        expected=expected,
        found="the end of the file",
        remedy="rebuild the package; the file was cut short",
    )


def _find_end(text: bytes) -> int:
    at, markers = 0, 0
    start = text.find(b"\n")
    while True:
        at = text.find(b"\n!\n", max(start, 0))
        if at < 0:
            return -1
        markers += text.count(b"\n$$", start, at + 1)
        if markers % 2 == 0:
            return at + 3
        start = at + 1
