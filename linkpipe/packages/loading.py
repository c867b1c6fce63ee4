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
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import attrs
import numpy as np

from linkpipe.errors import InputError, UserError
from linkpipe.flags.goflag import quote
from linkpipe.formats import elf, goobj
from linkpipe.formats.archive import MARKERS, members, read_preamble
from linkpipe.formats.arena import Arena, MappedFiles
from linkpipe.formats.builtins import BUILTINS
from linkpipe.formats.importcfg import read_importcfg
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import CgoDirectives, HostObject, Package, Packages
from linkpipe.tables.symbols import STATIC

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.flags.options import Options

_NO_FINGERPRINT = bytes(8)


class _Import(NamedTuple):
    path: str
    fingerprint: bytes


class _Object(NamedTuple):
    name: str
    at: int
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
    imports: list[int] = attrs.Factory(list)
    objects: list[int] = attrs.Factory(list)
    main: bool = False


class Header(NamedTuple):
    """What an object's header line has to say: who compiled it, for what, and with which
    experiments (cmd/internal/objabi/util.go, HeaderString). ``version`` "" stands for any one
    version; ``setting`` is the variable that chooses among the architecture's variants."""

    goos: str
    goarch: str
    version: str
    setting: str
    value: str
    experiments: tuple[str, ...]

    @classmethod
    def of(cls, options: Options, arch: Architecture) -> Header:
        """What the environment of the link asks for."""
        environment = options.environment
        variable = value = ""
        if arch.setting:
            variable = arch.setting.variable
            try:
                value = arch.setting.value(environment.variables)
            except ValueError as e:
                raise UserError(
                    str(e), status=2, label="link", remedy=f"correct {variable}, or leave it unset"
                ) from e
        enabled = environment.enabled(regabi=arch.regabi)
        return cls("linux", arch.goarch, environment.version, variable, value, enabled)

    def expected(self, line: str) -> str:
        """The line that the link wants, given the line of its first object."""
        words = line.split(" ")
        version = self.version or (words[4] if len(words) > 4 else "")
        setting = f" {self.setting}={self.value}" if self.setting and self.value else ""
        return f"go object {self.goos} {self.goarch} {version}{setting} X:" + ",".join(
            self.experiments
        )

    def differs(self, name: str, have: str, want: str) -> InputError:
        """The error for an object of another kind."""
        chosen = ", ".join(filter(None, ("Go version", "GOARCH", self.setting)))
        return InputError(
            f"{name}: linked object header mismatch:\n"
            f"have {quote(have + chr(10))}\nwant {quote(want + chr(10))}",
            file=name,
            remedy=f"rebuild the package with the {chosen} and GOEXPERIMENT of this link",
        )


def _format(magic: bytes) -> str:
    """The format of an object that is not Go's, by its first four bytes, as the oracle tells them
    apart (lib.go:2430-2495): ELF, Mach-O, PE and XCOFF are known."""
    if magic == elf.MAGIC:
        return "elf"
    number = int.from_bytes(magic, "big")
    known = number & ~1 == 0xFEEDFACE or number & ~0x01000000 == 0xCEFAEDFE
    known |= magic[:2] in (b"\x4c\x01", b"\x64\x86", b"\xc4\x01", b"\x64\xaa")
    known |= magic[:2] in (b"\x01\xd7", b"\x01\xf7")
    return "foreign" if known else "unknown"


class PackageLoader:
    """Maps archives and collects packages and objects, until ``freeze``.

    ``files`` maps import paths to archives; every archive that may be loaded is in it.
    ``header`` says what objects must be of; None: they are not asked.
    """

    def __init__(self, files: Mapping[str, str], main: str, header: Header | None) -> None:
        self._files = files
        self._header = header
        self._want = ""
        self._slots = {main: 0}
        for file in files.values():
            self._slots.setdefault(file, len(self._slots))
        self._mapped = MappedFiles([_size(file) for file in self._slots])
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

    def add_internal(self, path: str) -> bool:
        """Put a package that the link itself needs on the work list; False when the
        importcfg does not have it."""
        if path not in self._by_path and path not in self._files:
            return False
        self._add(path, self._files.get(path, ""), "internal", _NO_FINGERPRINT)
        return True

    def load(self) -> None:
        """Load what is on the work list, and all that it imports."""
        while self._done < len(self._packages):
            self._load_package(self._done)
            self._done += 1

    def _add(self, path: str, file: str, imported_by: str, fingerprint: bytes) -> int:
        row = self._by_path.get(path)
        if row is None:
            row = self._by_path[path] = len(self._packages)
            self._packages.append(_Pending(path, file, imported_by, fingerprint))
        return row

    def _import(self, wanted: _Import, importer: str) -> int:
        path = posixpath.normpath(wanted.path)
        row = self._by_path.get(path)
        if row is not None and self._packages[row].fingerprint != _NO_FINGERPRINT:
            known = self._packages[row]
            _check_fingerprint(known, known.fingerprint, importer, wanted.fingerprint)
            return row
        file = self._files.get(path)
        if file is None:
            raise InputError(
                f"cannot find package {path} (using -importcfg)",
                found=f"an import of it in {importer}",
                remedy=f"add a line 'packagefile {path}=FILE' to the importcfg",
            )
        return self._add(path, file, importer, wanted.fingerprint)

    def _load_package(self, row: int) -> None:
        package = self._packages[row]
        slot = self._slots[package.file]
        size = self._mapped.map(slot, package.file)
        base = int(self._mapped.bases[slot])
        data = self.arena.view(base, size)
        for member in members(data, package.file):
            if member.name in MARKERS:
                self._markers[member.name].append(package.path)
                continue
            name = f"{package.file}({member.name})" if member.name else package.file
            body = data[member.at : member.at + member.size]
            at = base + member.at
            if bytes(body[:4]) == b"go o":
                self._load_object(row, name, at, body)
                continue
            form = _format(bytes(body[:4]))
            if form == "unknown" and not member.name and package.path != "main":
                line = bytes(body[:80]).partition(b"\n")[0].decode("utf-8", "backslashreplace")
                raise InputError(
                    f'{name}: not an object file: @{member.at} "{line}"',
                    file=name,
                    remedy="rebuild the package; the file is damaged or something else",
                )
            self._host_objects.append(
                HostObject(path_to_prefix(package.path), name, package.file, at, member.size, form)
            )
        if package.path == "main" and not package.main:
            raise InputError(
                f"{package.file}: not package main",
                file=package.file,
                remedy="link the archive of a main package, or pass -buildmode=plugin",
            )

    def _load_object(self, row: int, name: str, at: int, body: memoryview) -> None:
        package = self._packages[row]
        preamble = read_preamble(body, name)
        if self._header and not self._want:
            self._want = self._header.expected(preamble.header)
        if self._header and preamble.header != self._want:
            raise self._header.differs(name, preamble.header, self._want)
        package.main |= preamble.main
        if preamble.cgo:
            self._cgo.append(CgoDirectives(name, path_to_prefix(package.path), preamble.cgo))
        binary = body[preamble.size :]
        header = goobj.read_header(binary, name)
        if header.flags & goobj.FLAG_UNLINKABLE:
            raise InputError(
                f"unlinkable object (from package {package.path}) - compiler requires -p flag",
                file=name,
                status=1,
                remedy="compile the package with -p and its import path",
            )
        package.objects.append(len(self._objects) + 1)
        self._objects.append(_Object(name, at + preamble.size, header, row, self._version))
        self._version += 1
        if header.fingerprint != _NO_FINGERPRINT:
            if package.fingerprint == _NO_FINGERPRINT:
                package.fingerprint = header.fingerprint
            _check_fingerprint(
                package, header.fingerprint, package.imported_by, package.fingerprint
            )
        for wanted in _autolib(binary, header, name):
            package.imports.append(self._import(wanted, path_to_prefix(package.path)))

    def freeze(self, modinfo: bytes | None, builtins: int) -> tuple[Packages, Objects]:
        """The packages and objects loaded so far.

        ``modinfo``: the importcfg's module information; ``builtins``: length of the builtin list.
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
        return packages, _objects(self.arena, self._objects, builtins)


def _objects(arena: Arena, loaded: Sequence[_Object], builtins: int) -> Objects:
    none = _Object("", 0, goobj.Header(b"", 0, (0,) * goobj.NBLOCKS), 0, 0)
    rows = [none, *loaded]
    counts = [
        [o.header.count(block) if o.at else 0 for o in rows]
        for block in (
            goobj.SYMDEF,
            goobj.HASHED64DEF,
            goobj.HASHEDDEF,
            goobj.NONPKGDEF,
            goobj.NONPKGREF,
        )
    ]
    base = np.array([o.at for o in rows], np.int64)
    sizes = np.array(counts, np.int64)
    local_base = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(sizes.sum(axis=0), out=local_base[1:])
    columns = {
        "base": base,
        "blocks": base[:, None] + np.array([o.header.offsets for o in rows], np.int64),
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
        "builtins": np.zeros(builtins, np.int32),
    }
    return Objects(arena=arena, names=tuple(o.name for o in rows), **columns)


def _autolib(data: memoryview, header: goobj.Header, file: str) -> list[_Import]:
    start, end = header.offsets[goobj.AUTOLIB], header.offsets[goobj.AUTOLIB + 1]
    records = np.frombuffer(data[start:end], goobj.AUTOLIB_RECORD)
    return [
        _Import(string(data, size, at, file), fingerprint)
        for size, at, fingerprint in zip(
            records["size"].tolist(),
            records["at"].tolist(),
            (bytes(f) for f in records["fingerprint"]),
            strict=True,
        )
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
    return bytes(data[at : at + size]).decode("utf-8", "surrogateescape")


def _check_fingerprint(package: _Pending, have: bytes, source: str, want: bytes) -> None:
    if have != want:
        raise UserError(
            f"fingerprint mismatch: {package.path} has {have.hex()}, import from {source} "
            f"expecting {want.hex()}",
            status=2,
            remedy=f"rebuild {source}: it was compiled against another build of {package.path}",
        )


def load_packages(
    options: Options, arch: Architecture, internal: Sequence[str]
) -> tuple[Packages, Objects]:
    """Load the main package of the link, all that it imports, then the ``internal`` packages."""
    main, modinfo = options.main, None
    if options.importcfg:
        config = read_importcfg(options.importcfg)
        files, modinfo = config.packages, config.modinfo
    else:
        files = _search(options.L)
    loader = PackageLoader(files, main, None if options.f else Header.of(options, arch))
    path = options.pluginpath if options.buildmode == "plugin" else "main"
    loader.add(path, main, "command line")
    loader.load()
    for needed in internal:
        if loader.add_internal(needed):
            loader.load()
        elif needed == "runtime" and not options.importcfg:
            raise UserError(
                "error: unable to find runtime.a", remedy="pass -importcfg or -L", status=2
            )
    return loader.freeze(modinfo, len(BUILTINS))


def _search(directories: Sequence[str]) -> dict[str, str]:
    """What lies under the -L directories: import path -> archive; the first directory wins."""
    files: dict[str, str] = {}
    for suffix in (".a", ".o"):
        for directory in directories:
            for folder, _, names in os.walk(directory):
                for name in sorted(names):
                    if name.endswith(suffix):
                        file = os.path.join(folder, name)
                        path = os.path.relpath(file, directory)[: -len(suffix)]
                        files.setdefault(path, file)
    return files


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return 0  # the open that follows, if the package is needed, says what is wrong
