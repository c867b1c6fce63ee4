"""What helps to test passes, promised as ``linkpipe.api`` is.

pytest finds the fixtures by itself (``linkpipe.testing.fixtures``):

    def test_counts_functions(linked, run_pass):
        link = run_pass(count, linked(until="reachability"))
        assert link.fact("acme.functions") > 1000

``linked`` gives the link of a small program that the go command has compiled, ``run_pass`` runs one
pass as a link does: held to what it declared, its result checked. For what no compiler writes,
``Tiny`` makes a link of a handful of symbols, and ``write_archive`` an archive of objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linkpipe.testing.links import EXTERNAL as EXTERNAL
    from linkpipe.testing.links import INTERNAL as INTERNAL
    from linkpipe.testing.links import PLUGIN as PLUGIN
    from linkpipe.testing.links import Tiny as Tiny
    from linkpipe.testing.objects import Obj as Obj
    from linkpipe.testing.objects import Reloc as Reloc
    from linkpipe.testing.objects import Sym as Sym
    from linkpipe.testing.objects import object_header as object_header
    from linkpipe.testing.objects import write_archive as write_archive
    from linkpipe.testing.objects import write_object as write_object
    from linkpipe.testing.running import run_pass as run_pass

# pytest imports this package in every run of whoever has linkpipe installed: nothing heavy here.
_HOME = {
    **dict.fromkeys(("EXTERNAL", "INTERNAL", "PLUGIN", "Tiny"), "links"),
    **dict.fromkeys(
        ("Obj", "Reloc", "Sym", "object_header", "write_archive", "write_object"), "objects"
    ),
    "run_pass": "running",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - a list of strings


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'linkpipe.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"linkpipe.testing.{_HOME[name]}"), name)
