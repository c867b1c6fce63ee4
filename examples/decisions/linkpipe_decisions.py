"""An observer that writes down what a link decided, for people who build plugins.

    pip install ./examples/decisions
    LINKPIPE_OBSERVE=decisions:file=FILE go build -toolexec=linkpipe-toolexec …

appends one line of JSON for each link to FILE:

- ``exports``: the symbols that a plugin lists in its ptab, for plugin.Lookup;
- ``relro``: the sections that become read-only once they are relocated, name -> bytes;
- ``addmoduledata``: the initialiser that was put in: its code, and what the code refers to;
- ``hostlink``: the arguments with which the C compiler was called.

It reads facts of the Link and changes none, and needs nothing that a pass of linkpipe has not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from linkpipe.api import Link, Observer


@attrs.frozen
class DecisionsOptions:
    """Attributes:
    file: the file to append to.
    """

    file: str = "decisions.json"


class Decisions(Observer):
    """Observer "decisions"."""

    options = DecisionsOptions

    def __init__(self, options: DecisionsOptions) -> None:
        self.file = Path(options.file)

    def on_end(self, link: Link) -> None:
        """Write the line, after the last pass."""
        told = {
            "output": link.options.o,
            "mode": {
                "external": link.mode.external,
                "reason": link.mode.reason,
                "dynlink": link.mode.dynlink,
            },
            "exports": exports(link),
            "relro": relro(link),
            "addmoduledata": addmoduledata(link),
            "hostlink": hostlink(link),
        }
        with self.file.open("a") as file:
            file.write(json.dumps(told) + "\n")


def exports(link: Link) -> list[str]:
    """The names in the ptab: each entry refers to a name and to a type."""
    table = link.symbols.lookup("go:plugin.tabs")
    if not table:
        return []
    named = (target for target, _ in references(link, table))
    prefix = "type:.namedata."
    return [name.removeprefix(prefix).rstrip(".") for name in named if name.startswith(prefix)]


def relro(link: Link) -> dict[str, int]:
    """Sections of data that only relocation writes to."""
    return {
        section.name: int(section.size)
        for section in link.sections.items
        if section.segment == "relro" or section.name.startswith(".data.rel.ro")
    }


def addmoduledata(link: Link) -> dict[str, Any] | None:
    """The injected function, if there is one."""
    symbols = link.symbols
    stub = symbols.lookup("go:link.addmoduledata")
    entry = symbols.lookup("go:link.addmoduledatainit")
    if not (stub and entry):
        return None
    return {
        "code": bytes(symbols.data(stub)).hex(" "),
        "refers to": [f"{target} at +{offset:#x}" for target, offset in references(link, stub)],
        "called through": [f"{target}, in .init_array" for target, _ in references(link, entry)],
    }


def references(link: Link, symbol: int) -> list[tuple[str, int]]:
    """(target's name, offset) of a symbol's relocations."""
    rows = link.relocs.rows_of(symbol)
    targets, offsets = link.relocs.target[rows].tolist(), link.relocs.offset[rows].tolist()
    names = (link.symbols.name(target) for target in targets)
    return list(zip(names, offsets, strict=True))


def hostlink(link: Link) -> list[str]:
    """The arguments of the host link, where there was one."""
    if "hostlink" not in link.facts:
        return []
    return [str(word) for word in link.fact("hostlink").command]
