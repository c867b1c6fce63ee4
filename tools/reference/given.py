"""The pages about what every link begins with: its options, its architecture, its release of Go."""

from __future__ import annotations

import inspect
import re
import sys
from enum import Enum

from tools.reference import markdown as md
from tools.reference.python import PAGES, page_of, places, whole


def options() -> str:
    """The flags of a link as a pass sees them, and the environment."""
    return _page(
        "options",
        "Options of a link",
        "What a link was asked for: `link.options`, which any pass may read. Flags are fields of "
        "their names; `link.options.environment` is what the variables of the go command say, "
        "`link.options.settings` are linkpipe's own flags.",
    )


def architecture() -> str:
    """What an architecture is made of."""
    return _page(
        "architecture",
        "Architectures",
        "What the link is for: `link.arch`, which any pass may read. How one is written: "
        "[adding an architecture](../adding-an-architecture.md). What is no name of "
        "[linkpipe.api](api.md) here is imported from the module that stands beside it.",
    )


def release() -> str:
    """What a release of Go is made of."""
    return _page(
        "release",
        "Releases of Go",
        "By whose rules the link is done: `link.release`, which any pass may read. How one is "
        "written: [adding a release](../adding-a-go-release.md).",
    )


def _page(page: str, title: str, about: str) -> str:
    """The classes of a page that facts lead to, then those of their modules that are no classes of
    attrs."""
    parts = [f"# {title}", about]
    for cls, place in places().items():
        if page_of(cls) == page:
            head, *rest = whole(cls, "##")
            parts += [head, f"`{cls.__module__}`; where it is: `{place}`.", *rest]
    for name in sorted(name for name in sys.modules if name in PAGES and PAGES[name] == page):
        for cls in vars(sys.modules[name]).values():
            if not inspect.isclass(cls) or cls.__module__ != name or cls in places():
                continue
            if issubclass(cls, Enum):
                parts += [f"## {cls.__name__}", md.prose(inspect.getdoc(cls)), _members(cls)]
            elif issubclass(cls, tuple):
                parts += [f"## {cls.__name__}", md.prose(inspect.getdoc(cls))]
    return md.page(*parts)


def _members(cls: type[Enum]) -> str:
    """The members of an enumeration, with what is said of each below it."""
    source = inspect.getsource(cls)
    found = re.findall(r'^    ([A-Z_]+) = .*\n    """([^"]*(?:"[^"]+)*)"""', source, re.MULTILINE)
    return md.table(("name", "what"), [(f"`{name}`", md.text(what)) for name, what in found])
