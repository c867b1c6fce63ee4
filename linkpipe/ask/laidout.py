"""What is in the output: every symbol that is laid out, where, how large, and whose.

Reachable is not laid out. Some symbols that can be reached have no bytes of their own (names for
places, references to what a shared library defines), and the linker lays out others that no search
finds (tables, notes, debug information). What counts is what the sections list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I16, I32, I64
from linkpipe.ask.modules import Modules
from linkpipe.engine.context import Link
from linkpipe.errors import MissingFact
from linkpipe.tables.listing import InNotebook


@table
class LaidOut(InNotebook):
    """The n symbols in the output, section by section in the order of their addresses. Two overlap
    only where they are names for the same bytes, as C code may have. What lies between them is
    padding, and what sections of C objects hold that has no name.

    Attributes:
        symbol: int32[n], ids, rows of Symbols.
        address: int64[n]. In an object for a host linker they count from the start of the text, and
            of a section that is not loaded (".debug_info") they mean nothing when the program runs.
        size: int64[n], bytes. Those of .bss and the like take none in the file, and those of a
            section that is ``compressed`` fewer.
        section: int16[n], rows of Sections, places in ``sections``.
        package: int64[n], places in ``packages``.
        sections: the names of all sections.
        packages: import paths, and at the end two names in brackets, for what the linker makes and
            for what packages share (Modules.owners).
        names: of each symbol, "" for those that have none.
    """

    symbol: I32
    address: I64
    size: I64
    section: I16
    package: I64
    sections: tuple[str, ...]
    packages: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.symbol)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict for each symbol, with names instead of numbers."""
        told = (self.symbol, self.address, self.size, self.section, self.package)
        numbers = zip(*(column.tolist() for column in told), strict=True)
        for name, (symbol, address, size, section, package) in zip(
            self.names, numbers, strict=True
        ):
            yield {
                "symbol": symbol,
                "name": name,
                "address": address,
                "size": size,
                "section": self.sections[section],
                "package": self.packages[package],
            }


def laid_out(link: Link) -> LaidOut:
    """Every symbol that is in the output, of a link that has come to the barrier
    ``addresses-final``, or further. A pass that asks requires `symbols`, `sections`, `objects` and
    `packages`. Who only carries others (a section of a C object with its functions) is left out.

    Raises MissingFact where sections or their addresses are not known yet.
    """
    symbols, items = link.symbols, link.sections.items
    if not link.sections.segments:
        raise MissingFact(
            "where symbols lie is not known yet",
            fact="sections.segments",
            remedy="ask further on, when the layout is done",
        )
    carriers = np.zeros(len(symbols), np.bool_)
    listed = np.concatenate([np.zeros(0, np.int32), *(section.symbols for section in items)])
    carriers[symbols.container[listed]] = True
    own = [section.symbols[~carriers[section.symbols]] for section in items]
    ids = np.concatenate([np.zeros(0, np.int32), *own])
    package, packages = Modules(link).owners(ids)
    return LaidOut(
        symbol=ids,
        address=symbols.value[ids],
        size=symbols.size[ids],
        section=np.repeat(np.arange(len(items)), [len(each) for each in own]).astype(np.int16),
        package=package,
        sections=tuple(section.name for section in items),
        packages=packages,
        names=tuple(name.decode("utf-8", "surrogateescape") for name in symbols.names(ids)),
    )
