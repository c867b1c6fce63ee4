"""Loading packages: from an importcfg to mapped archives and parsed object headers.

A work list that grows while it is walked: the main package, then what its objects
import, in the order their Autolib blocks name it. The order decides the numbering of
symbols, so it is the oracle's (cmd/link/internal/ld/lib.go loadlib, loadobjfile, ldobj;
ld.go addlib). Two passes use this module: ``load``, and ``forcecgo``, which adds
runtime/cgo to a link that has it only because the host linker finishes it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from linkpipe.arrays.memory import touch_ahead
from linkpipe.errors import InputError, LinkpipeError, UserError, collecting
from linkpipe.flags.goflag import quote
from linkpipe.formats import goobj
from linkpipe.formats.archive import MARKERS, header_line, members, read_preamble
from linkpipe.formats.arena import Arena, MappedFiles
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.packages.checking import checked
from linkpipe.packages.headers import GOOS, Header, foreign_format
from linkpipe.packages.places import Places
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import CgoDirectives, HostObject, Package, Packages
from linkpipe.tables.symbols import STATIC
from linkpipe.values import evolve

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.flags.options import Options
    from linkpipe.release import ObjectFormat, Release

_NO_FINGERPRINT = bytes(8)
_MAPPED = 16 << 10
"""Bytes from which on the oracle maps an object, and so sees only what it needs of one that is cut
short; smaller ones it reads (cmd/internal/bio/buf_mmap.go)."""


class _Object(NamedTuple):
    name: str
    start: int
    at: int
    end: int
    header: goobj.Header
    package: int
    version: int


@attrs.define(eq=False)
class _Pending:
    """A package while it is being loaded."""

    path: str
    file: str
    imported_by: str
    fingerprint: bytes
    shlib: str = ""
    imports: list[int] = attrs.Factory(list)
    objects: list[int] = attrs.Factory(list)
    main: bool = False


class PackageLoader:
    """Maps archives and collects packages and objects, until ``freeze``.

    ``places`` knows every archive that may be loaded but ``main``, that of the main package, and
    ``others`` that a shared library starts from.
    ``header`` says what objects must be of; None: they are not asked. With ``bare`` their package
    data is passed over (flag -g). What is wrong and need not end the work at once is put into
    ``errors``. ``size``: bytes of all the archives.
    """

    def __init__(
        self,
        places: Places,
        main: str,
        header: Header | None = None,
        errors: list[LinkpipeError] | None = None,
        *,
        others: Sequence[str] = (),
        bare: bool = False,
    ) -> None:
        self._places = places
        self._header, self._bare = header, bare
        self._errors = [] if errors is None else errors
        self._want = ""
        self._slots: dict[str, int] = {}
        for file in (main, *others, *places.files.values()):
            self._slots.setdefault(file, len(self._slots))
        sizes = [_size(file) for file in self._slots]
        self.size = sum(sizes)
        self._mapped = MappedFiles(sizes)
        self.arena = self._mapped.arena
        self._packages: list[_Pending] = []
        self._by_path: dict[str, int] = {}
        self._objects: list[_Object] = []
        self._cgo: list[CgoDirectives] = []
        self._host_objects: list[HostObject] = []
        self._markers: dict[str, list[str]] = {marker: [] for marker in MARKERS}
        self._done = 0
        self._version = STATIC

    def add(self, path: str, file: str, imported_by: str) -> int:
        """Put the package on the work list, unless it is there; its row."""
        return self._add(path, file, imported_by, _NO_FINGERPRINT)

    def add_internal(self, path: str) -> None:
        """Put a package that the link itself needs on the work list, if there is one."""
        if path not in self._by_path and self._places.has_internal(path):
            self._add(path, self._places.file(path), "internal", _NO_FINGERPRINT, known=True)

    def load(self) -> None:
        """Load what is on the work list, and all that it imports."""
        while self._done < len(self._packages):
            self._load_package(self._done)
            self._done += 1

    def _add(
        self, path: str, file: str, imported_by: str, fingerprint: bytes, *, known: bool = False
    ) -> int:
        """``known``: it is one of the places' packages, which may be in a shared library."""
        row = self._by_path.get(path)
        if row is None:
            row = self._by_path[path] = len(self._packages)
            shlib = self._places.shlibs.get(path, "") if known else ""
            self._packages.append(_Pending(path, file, imported_by, fingerprint, shlib))
        return row

    def _import(self, path: str, fingerprint: bytes, importer: str) -> int:
        row = self._by_path.get(path)
        if row is None:
            path = posixpath.normpath(path)
            row = self._by_path.get(path)
        if row is None:
            return self._add(path, self._places.file(path), importer, fingerprint, known=True)
        known = self._packages[row]
        if known.fingerprint not in (_NO_FINGERPRINT, fingerprint):
            raise _mismatch(known, known.fingerprint, importer, fingerprint)
        return row

    def _load_package(self, row: int) -> None:
        package = self._packages[row]
        if package.shlib:
            return
        slot = self._slots.get(package.file)
        if slot is None:
            raise InputError(
                f"cannot open file {package.file}: open {package.file}: no such file or directory",
                found=f"an import of {package.path} in {package.imported_by}",
                remedy=self._places.remedy(package.path),
            )
        size = self._mapped.map(slot, package.file)
        base = int(self._mapped.bases[slot])
        data = self.arena.view(base, size)
        for member in members(data, package.file):
            if member.name in MARKERS:
                self._markers[member.name].append(package.path)
                continue
            name = f"{package.file}({member.name})" if member.name else package.file
            body = data[member.at : member.at + member.size]
            at, missing = base + member.at, member.size - len(body)
            if bytes(body[:4]) == b"go o":
                self._check_header(name, member.at, header_line(body, name))
                self._load_object(row, name, at, body, missing)
                continue
            if missing:
                raise _cut_short(f"{package.file}: malformed archive", name, member.size, len(body))
            form = foreign_format(bytes(body[:4]))
            self._host_objects.append(
                HostObject(
                    path_to_prefix(package.path),
                    name,
                    package.file,
                    at,
                    member.size,
                    form,
                    member.at,
                )
            )
        if package.path == "main" and not package.main:
            raise InputError(
                f"{package.file}: not package main",
                file=package.file,
                remedy="link the archive of a main package, or pass -buildmode=plugin",
            )

    def _check_header(self, name: str, at: int, line: str) -> None:
        if not line.startswith("go object "):
            raise InputError(
                f"{name}: not an object file: @{at} {quote(line + chr(10))}",
                file=name,
                label="",
                remedy="rebuild the package; the file is damaged or something else",
            )
        if self._header and not self._want:
            self._want = self._header.expected(line)
        if self._header and line != self._want:
            self._errors.append(self._header.differs(name, line, self._want))

    def _load_object(
        self, row: int, name: str, at: int, body: memoryview, missing: int = 0
    ) -> None:
        package = self._packages[row]
        preamble = read_preamble(body, name)
        if self._bare:
            preamble = evolve(preamble, main=False, cgo="")
        package.main |= preamble.main
        if preamble.cgo:
            self._cgo.append(CgoDirectives(name, path_to_prefix(package.path), preamble.cgo))
        binary = body[preamble.size :]
        if missing and len(binary) + missing < _MAPPED:
            raise _cut_short(
                "cannot read object file: unexpected EOF", name, len(body) + missing, len(body)
            )
        header = goobj.read_header(binary, name)
        if header.flags & goobj.FLAG_UNLINKABLE:
            raise InputError(
                f"link: unlinkable object (from package {package.path}) - "
                "compiler requires -p flag",
                file=name,
                status=1,
                remedy="compile the package with -p and its import path",
            )
        package.objects.append(len(self._objects) + 1)
        self._objects.append(
            _Object(name, at, at + preamble.size, at + len(body), header, row, self._version)
        )
        self._version += 1
        if header.fingerprint != _NO_FINGERPRINT:
            if package.fingerprint == _NO_FINGERPRINT:
                package.fingerprint = header.fingerprint
            if package.fingerprint != header.fingerprint:
                have, want = header.fingerprint, package.fingerprint
                raise _mismatch(package, have, package.imported_by, want)
        importer = path_to_prefix(package.path)
        package.imports += [
            self._import(wanted, fingerprint, importer)
            for wanted, fingerprint in _autolib(binary, header, name, preamble.size)
        ]

    def freeze(
        self, modinfo: bytes | None, form: ObjectFormat, *, debug: bool = True
    ) -> tuple[Packages, Objects]:
        """The packages and objects loaded so far; the objects are checked now.

        ``modinfo``: the importcfg's module information; ``form``: how they are read;
        ``debug``: whether the link reads the symbols of debug information.
        """
        items = tuple(
            Package(
                p.path,
                p.file,
                p.imported_by,
                p.fingerprint,
                tuple(p.imports),
                tuple(p.objects),
                p.main,
                p.shlib,
            )
            for p in self._packages
        )
        packages = Packages(
            items=items,
            modinfo=modinfo,
            by_path=MappingProxyType(dict(self._by_path)),
            postorder=tuple(range(len(items))),
            cgo=tuple(self._cgo),
            host_objects=tuple(self._host_objects),
            flags=MappingProxyType({k: tuple(v) for k, v in self._markers.items()}),
        )
        objects = _objects(self.arena, self._objects, form)
        return packages, checked(objects, packages, debug=debug)


def _objects(arena: Arena, loaded: Sequence[_Object], form: ObjectFormat) -> Objects:
    none = _Object("", 0, 0, 0, goobj.Header(b"", 0, (0,) * goobj.NBLOCKS), 0, 0)
    rows = [none, *loaded]
    names = tuple(o.name for o in rows)
    start, base, end = (np.array([o[at] for o in rows], np.int64) for at in (1, 2, 3))
    offsets = np.array([o.header.offsets for o in rows], np.int64)
    goobj.check_blocks(offsets[1:], (end - base)[1:], names[1:], (base - start)[1:])
    sizes = [
        goobj.count(offsets, block)
        for block in (
            goobj.SYMDEF,
            goobj.HASHED64DEF,
            goobj.HASHEDDEF,
            goobj.NONPKGDEF,
            goobj.NONPKGREF,
        )
    ]
    local_base = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.sum(sizes, axis=0), out=local_base[1:])
    columns: dict[str, Any] = {
        "start": start,
        "base": base,
        "end": end,
        "blocks": base[:, None] + offsets,
        "flags": np.array([o.header.flags for o in rows], np.uint32),
        "package": np.array([o.package for o in rows], np.int32),
        "version": np.array([o.version for o in rows], np.int32),
        "ndef": sizes[0],
        "nhashed64": sizes[1],
        "nhashed": sizes[2],
        "nnonpkg": sizes[3],
        "nref": sizes[4],
        "local_base": local_base,
        "local_to_id": np.zeros(0, np.int32),
        "package_base": np.zeros(len(rows) + 1, np.int64),
        "package_object": np.zeros(0, np.int32),
        "builtins": np.zeros(len(form.builtins), np.int32),
        "faulty": np.zeros(0, np.int64),
        "fault": np.zeros(0, np.uint8),
    }
    return Objects(arena=arena, names=names, format=form, **columns)


def _autolib(
    data: memoryview, header: goobj.Header, file: str, before: int
) -> list[tuple[str, bytes]]:
    """What an object imports: paths and fingerprints."""
    start, end = header.offsets[goobj.AUTOLIB], header.offsets[goobj.AUTOLIB + 1]
    record = goobj.AUTOLIB_RECORD
    if not goobj.HEADER_SIZE <= start <= end <= len(data) or (end - start) % record.size:
        # It is read before the blocks of all objects are checked.
        offsets, size = np.array([header.offsets], np.int64), np.array([len(data)])
        goobj.check_blocks(offsets, size, [file], np.array([before]))
    return [
        (string(data, size, at, file), fingerprint)
        for size, at, fingerprint in record.iter_unpack(data[start:end])
    ]


def string(data: memoryview, size: int, at: int, file: str) -> str:
    """The string [at, at+size) of an object; InputError when it is out of bounds."""
    if at + size > len(data):
        raise InputError(
            "corrupt object file: a string lies outside of the object",
            file=file,
            offset=at,
            expected=f"an end within {len(data)} bytes",
            found=str(at + size),
            remedy="rebuild the package; the file is damaged",
        )
    return str(data[at : at + size], "utf-8", "surrogateescape")


def _cut_short(message: str, name: str, size: int, found: int) -> InputError:
    return InputError(
        message,
        file=name,
        expected=f"{size} bytes",
        found=f"{found} bytes, then the end of the file",
        status=1 if "EOF" in message else None,
        remedy="rebuild the package; the file was cut short",
    )


def _mismatch(package: _Pending, have: bytes, source: str, want: bytes) -> UserError:
    return UserError(
        f"fingerprint mismatch: {package.path} has {have.hex()}, import from {source} "
        f"expecting {want.hex()}",
        status=2,
        remedy=f"rebuild {source}: it was compiled against another build of {package.path}",
    )


def load_packages(
    options: Options, arch: Architecture, release: Release, *, cgo: bool = False
) -> tuple[Packages, Objects]:
    """Load what the link starts from, all that it imports, then what the link itself needs: the
    runtime, what the sanitizers' runtimes are called by, and with ``cgo`` runtime/cgo."""
    places = Places.of(options)
    forced = options.f and release.forced_headers
    header = None if forced else Header.of(options, arch, release)
    with collecting() as errors:
        roots = options.roots
        first, *others = [file for _, file in roots] or [""]
        loader = PackageLoader(places, first, header, errors, others=others, bare=options.g)
        for path, file in roots:
            loader.add(path, file, "command line")
        loader.load()
        for wanted, package in (
            (options.race, "runtime/race"),
            (options.msan, "runtime/msan"),
            (options.asan, "runtime/asan"),
            (True, "runtime"),
        ):
            if wanted:
                loader.add_internal(package)
        loader.load()
        if cgo:
            loader.add_internal("runtime/cgo")
            loader.load()
    if options.environment.goos != GOOS:
        raise UserError(
            f"linking for GOOS={options.environment.goos} is not supported yet",
            status=2,
            label="linkpipe",
            remedy=f"linkpipe links for {GOOS}; use `go tool link`",
        )
    # What nobody reads without debug information is still named when dependencies are printed.
    debug = options.dumpdep or not options.w
    form = release.object_format({kind.name: number for number, kind in arch.relocs.items()})
    # Not before: a file is not mapped while pages are touched.
    touch_ahead(int(loader.size * (_MEMORY_BARE if options.w else _MEMORY)))
    packages, objects = loader.freeze(places.modinfo, form, debug=debug)
    runtime = packages.by_path.get("runtime")
    if runtime is None or not (packages.items[runtime].objects or packages.items[runtime].shlib):
        raise InputError(
            "cannot link without package runtime: there is no Go object of it",
            file="" if runtime is None else packages.items[runtime].file,
            remedy=places.remedy("runtime") if runtime is None else "rebuild the package",
        )
    return packages, objects


# Memory that a link needs at least, as a part of its archives' size: 0.78 for cmd/compile, 0.93 for
# cmd/go, 0.48 without debug information; hello needs more. What is touched for nothing costs time.
_MEMORY, _MEMORY_BARE = 0.75, 0.4


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0  # the open that follows, if the package is needed, says what is wrong
