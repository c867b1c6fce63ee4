"""Links of hand-made object files, resolved, for tests of passes that read objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.flags.options import Options
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.passes.resolve import resolve
from linkpipe.tables.mode import Mode
from linkpipe.tables.relocs import Relocs
from linkpipe.testing.links import object_format, release
from tests.goobj_writer import Obj, write_archive
from tests.tiny import INTERNAL


def resolved(
    folder: Path,
    objects: Sequence[Obj],
    *,
    mode: Mode = INTERNAL,
    arch: Architecture = ARCH,
    **flags: Any,
) -> Link:
    """One package for each object, loaded in order and resolved; without init tasks."""
    files = {obj.package: write_archive(folder / f"{i}.a", obj) for i, obj in enumerate(objects)}
    loader = PackageLoader(Places(files), next(iter(files.values())))
    for path, file in files.items():
        loader.add(path, file, "test")
    loader.load()
    packages, loaded = loader.freeze(None, object_format())
    options = Options(**{"E": "_rt0", "buildmode": "exe", "w": True, **flags})
    facts = {"packages": packages, "objects": loaded, "arch": arch, "options": options}
    facts["release"] = release()
    link = resolve.run(Link({**facts, "mode": mode}))
    return link.evolve(relocs=Relocs.empty(len(link.symbols)), inittasks=(0, 0))
