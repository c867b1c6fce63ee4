"""order: put functions next to each other that run together.

A program's code is read from the file page by page as it is run, and the processor's caches hold
lines and pages. Go lays functions out package by package, so that what runs at the start, or in the
one hot loop, is strewn over the whole text. This pass puts chosen functions in front of all others:

    list    names of functions, one a line, in that order; # at the begin of a line, or behind a
            blank, begins a comment
    pprof   a profile as runtime/pprof writes it: the hottest first
    perf    what `perf script` prints: in the order in which they first appear

Several may be given; the list comes first, then perf, then pprof. Nothing but the order of code
changes, and what tells of it: line tables, symbol table, debug information. Functions that the
program does not have, or that were inlined everywhere, are passed over.

Names are those of `go tool nm`. In a profile the type arguments of generic functions are written
[...]: that stands for all instances.

It stands directly behind linksetup, which makes the default order, before anybody reads it.
Reads `symbols`, `text_order`; provides `text_order`, `order.placed`, how many it placed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs
import numpy as np

from linkpipe.api import I32, I64, Link, Symbols, UserError, functions_first, linkpass
from linkpipe_order import perf, pprof

Parse = Callable[[bytes], Iterable[str]]
_LATER = ("dwarf_gathered", "trampolines", "pclntab")
"""What is made by passes that read the order."""
_COMMENT = re.compile(r"(?:^|\s)#")


@attrs.frozen
class OrderOptions:
    """Attributes:
    list, pprof, perf: files that say the order.
    """

    list: Path | None = None
    pprof: Path | None = None
    perf: Path | None = None


@linkpass(
    name="order",
    requires=("symbols", "text_order"),
    optional=_LATER,
    provides=("text_order", "order.placed"),
    options=OrderOptions,
    inputs=("list", "pprof", "perf"),
)
def order(link: Link, options: OrderOptions) -> Link:
    """Put the functions of a profile or a list in front."""
    if any(link.has(fact) for fact in _LATER):
        raise UserError(
            "order: others have read the order of functions already",
            remedy='let it stand directly behind linksetup: after = "linksetup"',
            status=2,
            label="linkpipe",
        )
    names = [
        *(_read(options.list, _listed) if options.list else ()),
        *(_read(options.perf, perf.functions) if options.perf else ()),
        *(_read(options.pprof, pprof.functions) if options.pprof else ()),
    ]
    if not (options.list or options.perf or options.pprof):
        raise UserError(
            "order: nothing says the order",
            remedy='name a file: options = { list = "order.txt" }',
            status=2,
            label="linkpipe",
        )
    chosen = find(link.symbols, link.text_order, names)
    if not len(chosen):
        raise UserError(
            "order: the program has none of the functions that are named",
            remedy="names are those of `go tool nm`: main.main, net/http.(*Server).Serve",
        )
    placed = functions_first(link.symbols, link.text_order, chosen)
    return link.evolve({"text_order": placed, "order.placed": len(chosen)})


def _read(file: Path, parse: Parse) -> Iterable[str]:
    try:
        return parse(file.read_bytes())
    except (OSError, ValueError, EOFError) as e:
        raise UserError(
            f"order: cannot read {file}: {getattr(e, 'strerror', None) or e}",
            remedy="check that it is what the option says: list, pprof or perf",
            status=2,
            label="linkpipe",
        ) from e


def _listed(data: bytes) -> list[str]:
    lines = data.decode("utf-8", "surrogateescape").splitlines()
    return [name for line in lines if (name := _COMMENT.split(line, 1)[0].strip())]


def find(symbols: Symbols, text_order: I32, names: Iterable[str]) -> I64:
    """The functions of these names, in their order, each once: int64[k]. Of a function that has a
    symbol for each ABI both are meant."""
    known: dict[bytes, list[int]] = {}
    plain: dict[bytes, list[int]] = {}
    for sym, name in zip(text_order.tolist(), symbols.names(text_order), strict=True):
        known.setdefault(name, []).append(sym)
        if b"[" in name:
            plain.setdefault(_without_arguments(name), []).append(sym)
    found: dict[int, None] = {}
    for text in names:
        name = text.encode("utf-8", "surrogateescape")
        for sym in known.get(name, []) or plain.get(name, []):
            found[sym] = None
    return np.array([*found], np.int64)


def _without_arguments(name: bytes) -> bytes:
    """A generic function's name as profiles have it."""
    return re.sub(rb"\[.*\]", b"[...]", name)
