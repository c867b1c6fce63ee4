"""hostobjects: link what a C compiler has made for the program's packages.

cgo splits a package in two: Go code, and an object that the C compiler has made of its C code. Most
links with such objects are finished by a host linker. Those of the standard library's packages are
simple enough to be linked here, and others may be, where one asks for it (-linkmode=internal).

Objects come in the order in which their archives have them. What they refer to and nobody defines
may be in the compiler's own library (libgcc), whose members are taken as they are needed; the
compiler says where it is. What shared libraries define was imported by `cgo`.

Functions of C objects come before all others; `host_text` is int32[n], their order, sections before
what lies in them. `host_files` is the object's name by the symbol of each section, for messages.

Source: cmd/link/internal/ld/lib.go:600-686, 1224-1260, 3110-3160 (loadlib, hostobjs,
captureHostObj), ar.go (hostArchive); what objects become is in linkpipe/hostobjects.
Reads `symbols`, `objects`, `packages`, `cgo`; provides `symbols`, `relocs`, `cgo`, `host_text`,
`host_files`.
"""

from __future__ import annotations

import os
from types import MappingProxyType

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import COMMAND, InputError, UserError, os_error
from linkpipe.formats.hostobject import Relocatable, Target, read
from linkpipe.hostlinker.hosttools import compiler
from linkpipe.hostobjects.entering import Entering
from linkpipe.hostobjects.libraries import NONE, compilers_file, open_library
from linkpipe.output.stdout import say
from linkpipe.packages.headers import foreign_format
from linkpipe.tables.packages import HostObject
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag
from linkpipe.values import evolve


@linkpass(
    requires=("symbols", "objects", "packages", "cgo"),
    provides=("symbols", "relocs", "cgo", "host_text", "host_files"),
)
def hostobjects(link: Link) -> Link:
    """Take in the objects of C compilers."""
    linkage, symbols = link.arch.linkage, link.symbols
    assert linkage is not None, "the pass linkmode leaves them to a host linker"
    exported = np.flatnonzero(symbols.flags & Flag.CGO_EXPORT_STATIC)
    entering = Entering(
        symbols,
        {symbols.name_bytes(sym): sym for sym in exported.tolist()},
        {number: reloc.width for number, reloc in linkage.host.items()},
        int(link.objects.version.max()) + 1,
        marks=linkage.marks,
    )
    loading = _Loading(link, entering)
    for host in link.packages.host_objects:
        loading.load(host, link.objects.arena.bytes)
    lacking = loading.libraries()
    text = np.array(entering.text, np.int32)
    made, owners, columns = entering.freeze()
    relocs = Relocs.gather(len(made), owners, columns)
    imports = {s: i for s, i in link.cgo.imports.items() if s not in entering.defined}
    cgo = evolve(link.cgo, imports=MappingProxyType(imports), lacking=lacking)
    cgo = evolve(cgo, elf_flags=loading.elf_flags)
    return link.evolve(
        symbols=made,
        relocs=relocs,
        cgo=cgo,
        host_text=frozen(text),
        host_files=MappingProxyType(entering.files),
    )


class _Loading:
    """Objects on their way into the symbol table."""

    def __init__(self, link: Link, entering: Entering) -> None:
        arch = link.arch
        self.link, self.options, self.entering = link, link.options, entering
        self.target = Target(arch.name, arch.elf_class, arch.endian, arch.elf_machine)
        self.captured = 0
        self.elf_flags: int | None = None

    def load(self, host: HostObject, data: U8) -> None:
        """Take in an object, which lies at ``host.at`` in the bytes ``data``."""
        content = data[host.at : host.at + host.size]
        if host.format != "elf":
            raise InputError(
                f"{host.name}: unrecognized object file format",
                file=host.name,
                label=COMMAND,
                expected="an ELF object",
                remedy="rebuild it for this system, or link with -ldflags=-linkmode=external",
            )
        found = read(content, host.name, self.target)
        self.entering.enter(found, host.package)
        self._header_flags(found)
        if self.options.capturehostobjs:
            self._capture(host, content)

    def _header_flags(self, found: Relocatable) -> None:
        """See what an object says of the ELF header."""
        linkage = self.link.arch.linkage
        rule = linkage.header_flags if linkage else None
        for section, name in enumerate(found.names if rule else ()):
            if rule and name == rule.section and found.sections["type"][section] == rule.type:
                before = self.link.arch.elf_flags if self.elf_flags is None else self.elf_flags
                try:
                    self.elf_flags = rule.read(before, found.content(section).tobytes())
                except ValueError as e:
                    raise found.wrong(f"corrupt {found.section_name(section)}", found=f"{e}") from e

    def _capture(self, host: HostObject, content: U8) -> None:
        """Write a copy of an object, and what it is, into the folder of -capturehostobjs."""
        path = os.path.join(self.options.capturehostobjs, f"captured-obj-{self.captured}")
        self.captured += 1
        about = (
            f"pkg: {host.package}\npn: {host.name}\nfile: {host.file}\n"
            f"off: {host.offset}\nlen: {host.size}\n"
        )
        for name, written, what in (
            (f"{path}.txt", about.encode("utf-8", "surrogateescape"), "host obj info"),
            (f"{path}.o", content.tobytes(), "host object"),
        ):
            try:
                with open(name, "wb") as file:
                    file.write(written)
            except OSError as e:
                raise UserError(
                    f"error writing captured {what} {name}: {os_error(e)}",
                    remedy="name a folder that is there with -capturehostobjs",
                ) from e
        say(f"link: info: captured host object {host.file} to {path}.o\n", 2)

    def libraries(self) -> str:
        """Take from the compiler's libraries what nobody has defined; why they have not been looked
        into, "" when they have. The link goes on, for it may not be needed what is missing."""
        options, arch = self.options, self.link.arch
        if not self.entering.undefined():
            return ""
        question = "--print-libgcc-file-name"
        libgcc = options.libgcc or compilers_file(options, arch, question)
        there = self._library(libgcc)
        if b"__stack_chk_fail_local" in self.entering.undefined():
            for name in ("libc_nonshared.a", "libssp_nonshared.a"):
                self._library(compilers_file(options, arch, f"--print-file-name={name}"))
        if there or options.libgcc == NONE:
            return ""
        command = " ".join((*compiler(options), *arch.host_flags, question))
        if libgcc == NONE:
            return (
                f"it may be in the C compiler's library, but {command} failed, or printed nothing"
            )
        said = "-libgcc" if options.libgcc else command
        return (
            f"it may be in the C compiler's library, but {said} names {libgcc}, which is not there"
        )

    def _library(self, path: str) -> bool:
        """Take the members of an archive that define what is undefined, and what those need;
        whether there is such an archive."""
        library = None if path == NONE else open_library(path)
        if library is None:
            return False
        taken: dict[int, None] = {}
        while True:
            places = [library.where.get(name, 0) for name in self.entering.undefined()]
            new = dict.fromkeys(at for at in places if at and at not in taken)
            if not new:
                return True
            taken |= new
            for at in new:
                member = library.member(at)
                name = f"{path}({member.name})"
                magic = library.data[member.at : member.at + 4].tobytes()
                form, at = foreign_format(magic), member.at
                host = HostObject(library.package, name, path, at, member.size, form, at)
                self.load(host, library.data)
