"""hostlink: let the C compiler's linker finish the job.

linkpipe's part of an external link is one relocatable object, ``go.o``. It is written to a
temporary folder beside copies of the C objects that came with the packages, and the C compiler
is called to link them all. Which flags it gets depends on the build mode, on whether Go is
linked dynamically, on what cgo directives ask for, and on which flags it knows, which is asked
first (linkpipe/hosttools.py).

A program's FIPS checksum covers code that the host linker has patched, so it is computed
from the finished file and written into it. The output takes its place when all is done: a
link that fails leaves what was there before. So that it can, the host linker writes to a
temporary name beside the output; everything else in its argument list is as the oracle's.

Reads `image`, `cgo`, `packages`, `objects`, `mode`; provides `output` and `hostlink`.
Source: cmd/link/internal/ld/lib.go:1254-2172 (hostlinksetup, hostlink), fips140.go:300-.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from linkpipe.errors import UserError
from linkpipe.fips import seal_file
from linkpipe.hosttools import (
    BUILD_ID,
    COMPRESS,
    EXPORT,
    NO_PIE,
    UNUSED,
    Prober,
    compiler,
    run,
)
from linkpipe.options import Options
from linkpipe.outfile import replacing
from linkpipe.pass_api import Link, linkpass
from linkpipe.tables.hostlink import HostLink
from linkpipe.tables.symbols import Flag

_LONG = 30 << 10
"""Bytes of arguments from which they are passed in a file (cmd/internal/sys/args.go)."""


@linkpass(
    requires=("image", "symbols", "cgo", "packages", "objects", "mode", "prober"),
    provides=("output", "hostlink"),
)
def hostlink(link: Link) -> Link:
    """Write go.o and the C objects, and call the C compiler."""
    options = link.options
    prober = link.prober
    asked = _Asked(prober)
    try:
        with _tmpdir(options) as folder:
            objects = _write_objects(link, folder)
            with _output(options.o) as target:
                before, after = _arguments(link, asked)
                command = [*before, "-o", target, *after[0], *objects, *after[1]]
                printed = run(_shorten(command, folder, asked)).output
                if options.buildmode != "plugin":
                    seal_file(target, link.arch)
    finally:
        prober.close()
    if options.v:
        words = "".join(f' "{word}"' for word in command)
        sys.stdout.write(f"host link:{words}\n")
    # Warnings of a linker that succeeds are shown, as the oracle does.
    sys.stdout.write(printed.decode("utf-8", "replace"))
    fact = HostLink(
        command=(*before, "-o", options.o, *after[0], *objects, *after[1]),
        answers=tuple(asked.answers.items()),
        objects=tuple(objects),
        output=options.o,
    )
    return link.evolve(output=options.o, hostlink=fact)


class _Asked:
    """The answers that decided the argument list, for the record."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self.answers: dict[str, bool] = {}

    def supports(self, flag: str) -> bool:
        self.answers[flag] = self._prober.supports(flag)
        return self.answers[flag]


def _arguments(link: Link, asked: _Asked) -> tuple[list[str], tuple[list[str], list[str]]]:
    """The argument list in three parts: before ``-o``, between the output and the objects, and
    after the objects."""
    options, dynlink = link.options, link.mode.dynlink
    first = [*compiler(options), *link.arch.host_flags]
    if options.s or options.w:
        first.append("-s" if options.s else "-Wl,-S")
    if options.buildmode == "plugin":
        # Data that only relocation writes to becomes read-only when the plugin is loaded.
        first += ["-Wl,-z,relro", "-shared"]
    if dynlink or options.bindnow:
        # Lazy binding may need more stack than a goroutine has.
        first.append("-Wl,-z,now")
    if dynlink:
        # Copy relocations would move symbols out of sections whose layout is fixed.
        first.append("-Wl,-z,nocopyreloc")
    if asked.supports(BUILD_ID):
        note = options.build_note()
        if note:
            first.append(f"-Wl,--build-id=0x{note.hex()}")
        elif options.B == "none":
            first.append("-Wl,--build-id=none")

    middle: list[str] = []
    if options.r:
        middle.append(f"-Wl,-rpath,{options.r}")
    if options.I:
        middle.append(f"-Wl,--dynamic-linker,{options.I}")
    if dynlink or not asked.supports(EXPORT):
        middle.append("-rdynamic")
    else:
        middle += _exports(link)
    middle += [flag for flag in (UNUSED,) if asked.supports(flag)]
    if options.compressdwarf and asked.supports(COMPRESS):
        middle.append(COMPRESS)

    last = list(link.cgo.ldflags)
    if options.buildmode == "exe":
        # Go code of an ordinary executable is not position-independent.
        last += [flag for flag in NO_PIE if asked.supports(flag)][:1]
    last += options.extldflags
    if "-static" in (*link.cgo.ldflags, *options.extldflags):
        # A static program exports nothing and has no dynamic linker.
        dynamic = ("-rdynamic", "-Wl,--dynamic-linker,")
        middle = ["-static" if word.startswith(dynamic) else word for word in middle]
        last = ["-static" if word == "-rdynamic" else word for word in last]
    return first, (middle, last)


def _exports(link: Link) -> list[str]:
    symbols = link.symbols
    exported = np.flatnonzero(symbols.flags & Flag.CGO_EXPORT_DYNAMIC).tolist()
    names = [symbols.extname(sym).decode("utf-8", "surrogateescape") for sym in exported]
    return sorted(f"-Wl,--export-dynamic-symbol={name}" for name in names)


def _write_objects(link: Link, folder: str) -> list[str]:
    """Write go.o and the packages' C objects; their paths in link order. Times are set to zero,
    so that no linker finds a difference between two equal links."""
    arena = link.objects.arena
    contents = [("go.o", memoryview(link.image))]
    contents += [
        (f"{i:06d}.o", arena.view(host.at, host.size))
        for i, host in enumerate(link.packages.host_objects)
    ]
    paths = []
    for name, content in contents:
        path = os.path.join(folder, name)
        try:
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path, (0, 0))
        except OSError as e:
            raise UserError(
                f"cannot write {path}: {(e.strerror or str(e)).lower()}",
                status=2,
                remedy="make room in the temporary folder, or name another with -tmpdir",
            ) from e
        paths.append(path)
    return paths


def _shorten(command: list[str], folder: str, asked: _Asked) -> list[str]:
    """Pass very long argument lists in a file, if the compiler reads such."""
    if sum(map(len, command)) < _LONG:
        return command
    response = os.path.join(folder, "response")
    lines = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for word in command[1:]]
    with open(response, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("")
    if not asked.supports(f"@{response}"):
        return command
    with open(response, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(lines)
    return [command[0], f"@{response}"]


@contextmanager
def _tmpdir(options: Options) -> Iterator[str]:
    """The folder for temporary files: the user's, which is kept, or one of ours."""
    if options.tmpdir:
        yield options.tmpdir
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="go-link-") as folder:
        yield folder


@contextmanager
def _output(path: str) -> Iterator[str]:
    """The path that the host linker writes to; it takes the output's place at the end."""
    try:
        special = not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        special = False
    if special:
        yield path
    else:
        with replacing(path) as temporary:
            yield temporary
