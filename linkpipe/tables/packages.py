"""Packages: what the importcfg names and the import graph reaches, in load order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from linkpipe.arrays.columns import table
from linkpipe.tables.listing import InNotebook
from linkpipe.values import Shown, record


@record
class CgoDirectives(Shown):
    """The cgo directives of one package.

    Attributes:
        file: the object that they came from.
        package: import path.
        text: they themselves, still JSON.
    """

    file: str
    package: str
    text: str


@record
class Package(Shown):
    """One loaded package.

    Attributes:
        path: import path ("main" for the main package, the plugin path for a plugin's).
        file: its archive.
        imported_by: what asked for it, for error messages.
        fingerprint: 8 bytes of export-data hash; zero for packages that only hold assembly.
        imports: rows of imported packages, in the order of the objects' Autolib blocks.
        objects: rows in Objects of its Go objects, in archive order.
        main: whether the export data says it is a ``package main``.
        shlib: the shared library that has it, "" where its archive is linked.
    """

    path: str
    file: str
    imported_by: str
    fingerprint: bytes
    imports: tuple[int, ...]
    objects: tuple[int, ...]
    main: bool
    shlib: str = ""


@table
class Packages(InNotebook, Shown):
    """Packages in load order, and the order in which their text is laid out.

    Attributes:
        items: all packages in load order.
        modinfo: the module information that the importcfg gives, for ``runtime.modinfo``.
        by_path: import path -> row.
        postorder: rows in dependency order, imports first (set by linksetup; load order before).
        cgo: cgo directives in load order.
        host_objects: C objects found in archives, in load order.
        flags: marker members found: package paths by "dynimportfail" and "preferlinkext".
    """

    items: tuple[Package, ...]
    modinfo: bytes | None
    by_path: Mapping[str, int]
    postorder: tuple[int, ...]
    cgo: tuple[CgoDirectives, ...]
    host_objects: tuple[HostObject, ...]
    flags: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.items)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict for each package, in load order, for dumps."""
        for row, p in enumerate(self.items):
            yield {
                "row": row,
                "path": p.path,
                "file": p.file,
                "fingerprint": p.fingerprint.hex(),
                "imports": [self.items[i].path for i in p.imports],
                "objects": list(p.objects),
            }


@record
class HostObject(Shown):
    """An object file of a C compiler inside a package's archive. It is linked here, or the host
    linker gets it unread.

    Attributes:
        package: import path.
        name: of the member of the archive.
        file: the archive.
        at: where in the arena it begins.
        size: bytes.
        format: "elf", "foreign" (another system's) or "unknown".
        offset: bytes from the start of the archive.
    """

    package: str
    name: str
    file: str
    at: int
    size: int
    format: str
    offset: int = 0
