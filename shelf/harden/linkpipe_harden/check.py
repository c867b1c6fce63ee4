"""harden.check: refuse a binary that is easier to attack than it need be.

It looks at the finished file, whoever finished it, through pyelftools, not at what was asked for:

    relro        what the dynamic linker writes to is read-only afterwards (PT_GNU_RELRO)
    now          it writes there before the program starts (DF_BIND_NOW, DF_1_NOW, DT_BIND_NOW)
    noexecstack  the stack is not executable (PT_GNU_STACK without X)
    no_rwx       no segment is writable and executable
    build_id     the file has a GNU build id, by which its debug information is found
    host_paths   no path of the machine that built it is in it

A file without a dynamic section needs no relro and no now: nobody writes to it when it is loaded.
Paths are those of the home directory, of the working directory, of GOROOT, and what the option
`paths` adds; debug information is looked at uncompressed.

It stands behind `output-final`, when the output is whole and has not taken its place yet: a link
that it refuses leaves the old file. Archives (`-buildmode=c-archive`) are for another linker to
finish, and are not looked at.

Reads `image`, `mode`, `output`; provides nothing.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from linkpipe.api import InputError, Link, Refused, UserError, checkpoint, finished, linkpass

_W, _X = 2, 1
_BIND_NOW, _NOW = 0x8, 0x1
_REMEDY = {
    "relro": "link with the pass harden.set and -linkmode=external, or -buildmode=pie",
    "now": "link with the pass harden.set, or -ldflags=-bindnow",
    "noexecstack": "C or assembly asks for it: mark its objects with .note.GNU-stack",
    "no_rwx": "find the section that is both: `linkpipe show`, or readelf -S",
    "build_id": "link with the pass harden.set, or -ldflags='-B gobuildid'; without a "
    "Go build id (-buildid=) name one: -B 0x…",
    "host_paths": "build with -trimpath; for C, with CGO_CFLAGS=-ffile-prefix-map=…",
}


@attrs.frozen
class HardenOptions:
    """Attributes:
    relro, now, noexecstack, no_rwx, build_id, host_paths: whether to check it.
    paths: more paths that may not be in the file, absolute ones.
    """

    relro: bool = True
    now: bool = True
    noexecstack: bool = True
    no_rwx: bool = True
    build_id: bool = True
    host_paths: bool = True
    paths: tuple[str, ...] = ()


@linkpass(
    name="harden.check",
    requires=("image", "mode"),
    optional=("output",),
    options=HardenOptions,
)
def check(link: Link, options: HardenOptions) -> Link:
    """Check the finished file."""
    if link.options.buildmode == "c-archive":
        return link
    data = finished(link).tobytes()
    try:
        found = dict(_problems(data, options, _paths(link, options)))
    except (ELFError, ValueError, KeyError, zlib.error) as e:
        raise InputError(
            f"harden: the output cannot be read: {e}",
            file=link.options.o,
            remedy="check the linker's output",
        ) from e
    checkpoint(
        Refused(f"harden: the output: {text}", remedy=_REMEDY[kind]) for kind, text in found.items()
    )
    return link


def _paths(link: Link, options: HardenOptions) -> tuple[str, ...]:
    """The folders that may not be in the file, nor what is in them; "/" is everywhere."""
    for path in options.paths:
        if path and not os.path.isabs(path):
            raise UserError(
                f'harden: "{path}" is no absolute path',
                remedy='write paths = ["/build/agent"]',
                status=2,
                label="linkpipe",
            )
    own = (os.path.expanduser("~"), os.getcwd(), link.options.environment.goroot, *options.paths)
    return tuple(sorted({path.rstrip("/") for path in own if os.path.isabs(path)} - {""}))


def _problems(
    data: bytes, options: HardenOptions, paths: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """What is wrong: kind, and words."""
    elf = ELFFile(io.BytesIO(data))
    checks: dict[str, Callable[[], str]] = {
        "relro": lambda: _relro(elf),
        "now": lambda: _now(elf),
        "noexecstack": lambda: _stack(elf),
        "no_rwx": lambda: _rwx(elf),
        "build_id": lambda: _build_id(elf),
        "host_paths": lambda: _host_paths(elf, paths),
    }
    for kind, look in checks.items():
        text = look() if getattr(options, kind) else ""
        if text:
            yield kind, text


def _segments(elf: ELFFile, kind: str) -> list[Any]:
    return [segment for segment in elf.iter_segments() if segment["p_type"] == kind]


def _relro(elf: ELFFile) -> str:
    if _segments(elf, "PT_DYNAMIC") and not _segments(elf, "PT_GNU_RELRO"):
        return "what the dynamic linker writes to stays writable (no relro)"
    return ""


def _now(elf: ELFFile) -> str:
    dynamic = _segments(elf, "PT_DYNAMIC")
    tags = [(tag.entry.d_tag, tag.entry.d_val) for each in dynamic for tag in each.iter_tags()]
    now = any(
        tag == "DT_BIND_NOW"
        or (tag == "DT_FLAGS" and value & _BIND_NOW)
        or (tag == "DT_FLAGS_1" and value & _NOW)
        for tag, value in tags
    )
    return "" if now or not dynamic else "symbols are resolved when they are first used (no now)"


def _stack(elf: ELFFile) -> str:
    stack = _segments(elf, "PT_GNU_STACK")
    return "" if stack and not stack[0]["p_flags"] & _X else "its stack is executable"


def _rwx(elf: ELFFile) -> str:
    for segment in _segments(elf, "PT_LOAD"):
        if segment["p_flags"] & _W and segment["p_flags"] & _X:
            return f"the segment at {segment['p_vaddr']:#x} is writable and executable"
    return ""


def _build_id(elf: ELFFile) -> str:
    # Go's own linker puts it into a section that no PT_NOTE covers, and tools look there, too.
    holders: list[Any] = [*_segments(elf, "PT_NOTE"), *elf.iter_sections("SHT_NOTE")]
    notes = (note for each in holders for note in each.iter_notes())
    found = any(note["n_type"] == "NT_GNU_BUILD_ID" for note in notes)
    return "" if found else "it has no GNU build id"


def _host_paths(elf: ELFFile, paths: tuple[str, ...]) -> str:
    # A folder's own name has to stand alone: as the end of another it says nothing.
    quoted = {path: re.escape(os.fsencode(path)) for path in paths}
    looks = {p: re.compile(rb"%b/|(?<![\w.-])%b(?=\0)" % (q, q)) for p, q in quoted.items()}
    for section in elf.iter_sections():
        data = b"" if section["sh_type"] == "SHT_NOBITS" else section.data()
        for path, look in looks.items():
            found = look.search(data)
            if found:
                text = data[found.start() :][:200].split(b"\0")[0].decode("utf-8", "replace")
                shown = text if text.isprintable() else path
                return f"a path of this machine is in {section.name}: {shown[:100]}"
    return ""
