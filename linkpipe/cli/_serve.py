"""The process of a link server: ``python -P -m linkpipe.cli._serve FOLDER LOCK NAME``, where the
first two are open files. A client starts it (linkpipe/server/client.py)."""

from __future__ import annotations

import os
import sys

from linkpipe.cli._safepath import leave_out_working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from linkpipe.engine.entrypoints import EntryPoint


def main(folder: int, lock: int, name: str) -> None:
    """Import what links need, and serve. Nothing of who started it is kept: no terminal, no pipe,
    no working directory, no limit that it could be without."""
    import time

    from linkpipe.server import place

    begun, identity = time.time(), place.identity()
    for first, last in ((3, min(folder, lock)), (min(folder, lock) + 1, max(folder, lock))):
        os.closerange(first, last)
    os.closerange(max(folder, lock) + 1, os.sysconf("SC_OPEN_MAX"))
    for file in (folder, lock):
        os.set_inheritable(file, False)
    os.setsid()
    os.chdir("/")
    # As in a link: numpy's library for linear algebra would start threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    import gc
    import resource
    from contextlib import suppress

    from linkpipe.engine.entrypoints import scan

    gc.disable()
    for limit in (getattr(resource, each) for each in dir(resource) if each.startswith("RLIMIT_")):
        hard = resource.getrlimit(limit)[1]
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (hard, hard))
    entries = scan()
    roots = ready(entries)

    from functools import partial

    from linkpipe.server.host import Host
    from linkpipe.server.stamps import Stamps

    stamps = Stamps.take(roots)
    late = stamps.later_than(begun)
    if late:
        sys.exit(f"{late} has changed while the server was starting")

    from linkpipe.cli import link

    Host(folder, lock, name, identity, stamps, partial(link.main, entries=entries)).serve()


def ready(entries: Iterable[EntryPoint]) -> set[str]:
    """Import all that a link by the default pipeline needs; the folders of linkpipe's modules.
    ``entries`` are the entry points of what is installed."""
    from importlib import import_module

    from linkpipe.cli import link
    from linkpipe.engine import session
    from linkpipe.engine.pipeline import load_pipeline
    from linkpipe.engine.plugins import Catalog

    del link, session
    catalog = Catalog([entry for entry in entries if entry.dist == "linkpipe"])
    for step in load_pipeline("").steps:
        catalog.load("passes", step.name)
    for kind in ("arches", "releases"):
        for name in catalog.offers(kind):
            catalog.load(kind, name)
    for name in LATER:
        import_module(name)
    ours = {entry.module for entry in catalog.entries}
    return {
        os.path.dirname(os.path.abspath(sys.modules[package].__file__ or ""))
        for package in {"linkpipe", *(each.rpartition(".")[0] for each in ours)}
        if package in sys.modules and getattr(sys.modules[package], "__file__", None)
    }


LATER = (
    "numpy.ma",
    "hashlib",
    "hmac",
    "shutil",
    "subprocess",
    "tempfile",
    "difflib",
    "json",
    "linkpipe.hostlinker.hosttools",
    "linkpipe.observe.misplaced",
)
"""What links import when they need it."""


if __name__ == "__main__":
    leave_out_working_directory(first=True)
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
