"""hostlink: let the C compiler's linker finish the job.

linkpipe's part of an external link is one relocatable object, ``go.o``. It is written to a
temporary folder beside copies of the C objects that came with the packages, and the C compiler
is called to link them all. Which flags it gets depends on the build mode, on whether Go is
linked dynamically, on what cgo directives ask for, and on which flags it knows, which is asked
first (linkpipe/hostlinker/hosttools.py).

A program's FIPS checksum covers code that the host linker has patched, so it is computed
from the finished file and written into it.

Some host linkers (gold) write the name of the output, as it is given, into the file; so the name
is given as the oracle gives it. What was there before is set aside meanwhile: it comes back when
the link fails or is interrupted.

Where the architecture needs sums of relocations, a linker that does not add them up is refused
(linkpipe/hostlinker/reloc_sums.py).

Source: cmd/link/internal/ld/lib.go:1254-2172 (hostlinksetup, hostlink), fips140.go:304-324.
Reads `image`, `external_relocs`, `symbols`, `cgo`, `packages`, `objects`, `mode`, `compiler_flags`,
`shlibs` if it is there; provides `output`, `hostlink`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing, suppress

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import HostLinkError, InputError
from linkpipe.flags.goflag import quote
from linkpipe.formats.sharedlib import find_library
from linkpipe.hostlinker.hosttools import (
    BUILD_ID,
    COMPRESS,
    EXPORT,
    GOLD,
    NO_PIE,
    UNUSED,
    Prober,
    check_gold,
    compiler,
    exports_all,
    gnu_ld_version,
    prober_for,
    run,
)
from linkpipe.hostlinker.objectfiles import write_file, write_objects
from linkpipe.hostlinker.reloc_sums import check_sums
from linkpipe.output.checkimage import check_file
from linkpipe.output.fips import seal_file
from linkpipe.output.outfile import made_elsewhere
from linkpipe.output.stdout import say
from linkpipe.packages.places import library_folders
from linkpipe.process.litter import folder as temporary_folder
from linkpipe.tables.hostlink import HostLink
from linkpipe.tables.symbols import Flag

_LONG = 30 << 10
"""Bytes of arguments from which they are passed in a file (cmd/internal/sys/args.go)."""


@linkpass(
    requires=(
        *("image", "external_relocs", "symbols"),
        *("cgo", "packages", "objects", "mode", "compiler_flags"),
    ),
    optional=("shlibs",),
    provides=("output", "hostlink"),
)
def hostlink(link: Link) -> Link:
    """Write go.o and the C objects, and call the C compiler."""
    options = link.options
    answers = link.compiler_flags.value
    check_file(link.image, link.set_by.get("image", ""))
    asking = prober_for(options, link.arch, link.release, link.cgo.ldflags, answers)
    with closing(asking) as prober, link.until_end() as end:
        asked = _Asked(prober)
        folder = options.tmpdir or end.enter_context(temporary_folder())
        output = end.enter_context(made_elsewhere(options.o, folder))
        objects = write_objects(
            link.image, link.packages, link.objects.arena, folder, tell=bool(options.v)
        )
        before, after = _arguments(link, asked)
        command = (*before, "-o", output, *after[0], *objects, *after[1])
        long = _response(command, folder, asked)
        real = (command[0], f"@{long}") if long else command
        if options.v:
            say(f"host link: {' '.join(map(quote, real))}\n")
        printed = run(real)
        _refuse_folder(output, command, printed)
        with suppress(OSError):
            check_sums(link.arch, link.external_relocs, output, command)
        if options.buildmode != "plugin":
            _seal(output, options.fipso)
    # Warnings of a linker that succeeds are shown, as the oracle does.
    say(printed)
    fact = HostLink(
        command=command,
        answers=tuple(asked.answers.items()),
        objects=tuple(objects),
        output=options.o,
    )
    return link.evolve(output=options.o, hostlink=fact)


def _refuse_folder(path: str, command: Sequence[str], printed: str) -> None:
    if os.path.isdir(path):
        raise HostLinkError(
            f"running {command[0]} failed: it left a directory as {path}",
            command=tuple(command),
            output=printed,
            status=2,
            remedy="name a C compiler that links with -extld (the go command: CC)",
        )


def _seal(path: str, copy: str) -> None:
    """Write the FIPS checksum, if the file has a place for it. The oracle does not look at whether
    that worked: what flags have made something else of the output (-###, a map, a binary
    without sections) is what the user asked for, and a program without the checksum says so
    itself when it is started in FIPS mode."""
    with suppress(InputError, OSError):
        seal_file(path, copy)


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
    if options.s or (options.w and link.release.strip_debug):
        first.append("-s" if options.s else "-Wl,-S")
    if options.buildmode != "exe":
        # Data that only relocation writes to becomes read-only when the output is loaded.
        first += ["-Wl,-z,relro", "-pie" if options.buildmode == "pie" else "-shared"]
    if options.buildmode == "c-shared":
        # The runtime cannot be unloaded, and is not to be mixed with another library's.
        first += ["-Wl,-z,nodelete", "-Wl,-Bsymbolic"]
    if dynlink or options.bindnow:
        # Lazy binding may need more stack than a goroutine has.
        first.append("-Wl,-z,now")
    if dynlink:
        # Copy relocations would move symbols out of sections whose layout is fixed.
        first.append("-Wl,-z,nocopyreloc")
        first += _other_linker(link)
    if asked.supports(BUILD_ID):
        note = options.build_note(link.release.hash)
        if note:
            first.append(f"-Wl,--build-id=0x{note.hex()}")
        elif options.B == "none":
            first.append("-Wl,--build-id=none")

    middle: list[str] = []
    if options.r:
        middle.append(f"-Wl,-rpath,{options.r}")
    if options.I:
        middle.append(f"-Wl,--dynamic-linker,{options.I}")
    if exports_all(options, dynlink=dynlink) or not asked.supports(EXPORT):
        middle.append("-rdynamic")
    else:
        middle += _exports(link)
    middle += [flag for flag in (UNUSED,) if asked.supports(flag)]
    if options.compressdwarf and asked.supports(COMPRESS):
        middle.append(COMPRESS)

    last = [*_shared_libraries(link), *link.cgo.ldflags]
    if options.fixed:
        # Go code of an ordinary executable is not position-independent.
        last += [flag for flag in NO_PIE if asked.supports(flag)][:1]
    last += options.extldflags
    if "-static" in (*link.cgo.ldflags, *options.extldflags):
        # A static program exports nothing and has no dynamic linker.
        dynamic = ("-rdynamic", "-Wl,--dynamic-linker,")
        middle = ["-static" if word.startswith(dynamic) else word for word in middle]
        last = ["-static" if word == "-rdynamic" else word for word in last]
    return first, (middle, last)


def _shared_libraries(link: Link) -> list[str]:
    """The shared libraries of Go that the link uses, and those that they need; the folder of each,
    for the linker and, unless -r names others, for the dynamic linker (lib.go:1913-1943)."""
    words: list[str] = []
    folders, names = set(), set()
    places = library_folders(link.options)
    for library in link.shlibs.items if link.has("shlibs") else ():
        needs = [find_library(name, places) for name in library.needs]
        for path in (library.path, *needs):
            folder = path[: path.rfind("/") + 1]
            if folder not in folders:
                folders.add(folder)
                words.append(f"-L{folder}")
                if link.options.r is None:
                    words.append(f"-Wl,-rpath={link.options.moved.get(folder, folder)}")
            name = path[len(folder) :].removesuffix(".so").removeprefix("lib")
            if name not in names:
                names.add(name)
                words.append(f"-l{name}")
    return words


def _other_linker(link: Link) -> list[str]:
    """gold, where the C compiler would take a GNU ld that is too old (lib.go:1730)."""
    named = f"{link.arch.name.upper()} external linker must be"
    if link.arch.needs_gold:
        check_gold(link.options, f"{named} gold (issue #15696, 22040)")
        return [GOLD]
    oldest = link.arch.oldest_ld
    version = gnu_ld_version(link.options) if oldest else None
    if oldest is None or version is None or version >= oldest:
        return []
    at_least = ".".join(map(str, oldest))
    check_gold(
        link.options,
        f"{named} ld>={at_least} or gold (issue #15696, 22040)",
    )
    return [GOLD]


def _exports(link: Link) -> list[str]:
    symbols = link.symbols
    exported = np.flatnonzero(symbols.flags & Flag.CGO_EXPORT_DYNAMIC).tolist()
    names = [symbols.extname(sym).decode("utf-8", "surrogateescape") for sym in exported]
    return sorted(f"-Wl,--export-dynamic-symbol={name}" for name in names)


def _response(command: tuple[str, ...], folder: str, asked: _Asked) -> str:
    """The path of a file with the arguments, for a list that is very long, if the compiler reads
    such; otherwise ""."""
    if sum(map(len, command)) < _LONG:
        return ""
    path = os.path.join(folder, "response")
    write_file(path, b"")
    if not asked.supports(f"@{path}"):
        return ""
    text = "".join(f"{quote(word)}\n" for word in command[1:])
    write_file(path, text.encode("utf-8", "surrogateescape"))
    return path
