"""The pages about what plugins are written against: entry points, hooks, names of linkpipe.api."""

from __future__ import annotations

import inspect

from linkpipe import api
from linkpipe.engine import hookspecs
from linkpipe.observe.dump import Dumper
from tools.reference import markdown as md
from tools.reference.python import first_words, methods, page_of, places, signature, whole


def hooks() -> str:
    """Entry points, hooks, and the methods of what plugins derive from."""
    groups = [
        ("passes", "a `Pass`, made by `linkpass`"),
        ("pipelines", "the path of a pipeline file"),
        ("observers", "a class derived from `Observer`"),
        ("dumpers", "a `Dumper`, a format of dumps"),
        ("arches", "an `Architecture`"),
        ("releases", "a `Release`"),
        ("plugins", "a module with hooks"),
    ]
    parts = [
        "# Entry points and hooks",
        (
            "What an installed package offers, it offers by entry points; hooks are for one that "
            "computes what it offers: each link imports its module, so that imports little. "
            "To install a package changes no link, but where it offers "
            "what there is already under the same name: that is refused."
        ),
        "## Entry points",
        md.table(("group", "what it names"), [(f"`linkpipe.{g}`", what) for g, what in groups]),
        "## Hooks",
    ]
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("linkpipe_"):
            parts += [
                f"### {name}",
                md.code(signature(name, function)),
                md.prose(inspect.getdoc(function)),
            ]
    for cls in (hookspecs.Offer, api.Observer, Dumper):
        parts += whole(cls, "##")
    return md.page(*parts)


def promised() -> str:
    """Every name of linkpipe.api."""
    parts = [
        "# linkpipe.api",
        (
            "Every name that other people's code may rely on; [what is promised](../api.md). "
            "Columns of tables stand on [a page of their own](tables.md), methods of observers "
            "and dump formats among [the hooks](hooks.md)."
        ),
    ]
    hooked = {api.Observer, Dumper, hookspecs.Offer}
    for name in api.__all__:
        value = getattr(api, name)
        if inspect.ismodule(value) or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if not str(value.__module__).startswith("linkpipe"):
            continue
        if inspect.isclass(value) and (value in hooked or value in places()):
            there = "hooks" if value in hooked else page_of(value)
            parts += [
                f"## {name}",
                md.prose(first_words(value)),
                f"Its fields: [{value.__name__}]({there}.md#{value.__name__.lower()}).",
                methods(value) if there == "tables" else "",
            ]
        elif inspect.isclass(value):
            parts += whole(value, "##", name)
        else:
            parts += [
                f"## {name}",
                md.code(signature(name, value)),
                md.prose(inspect.getdoc(value)),
            ]
    return md.page(*parts)
