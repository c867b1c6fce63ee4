"""textsectmap: the table of text sections.

A host linker with short calls may spread the text over several sections; the runtime turns
offsets in the text into addresses by this table. Each row: where the section starts and
ends, counted from the first one, and its address.

`textsectmap` is (symbol, rows).
Source: cmd/link/internal/ld/symtab.go:369-415, runtime/symtab.go (textsect).
Reads `symbols`, `relocs`, `sections`; provides `symbols`, `relocs`, `textsectmap`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.datawords import write_words
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from linkpipe.tables.words import Address, Word


@linkpass(requires=("symbols", "relocs", "sections"), provides=("symbols", "relocs", "textsectmap"))
def textsectmap(link: Link) -> Link:
    """Write the table of text sections."""
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    table = symbols.own("runtime.textsectionmap")
    symbols.set(table, kind=SymKind.SRODATA)
    symbols.add_flags(table, Flag.REACHABLE)
    words: list[Word] = []
    text = [s for s in link.sections.items if s.name == ".text"]
    for i, section in enumerate(text):
        name = f"runtime.text.{i}" if i else "runtime.text"
        start = symbols.lookup(name)
        if not start:
            raise InputError(
                f"Unable to find symbol {name}",
                status=2,
                remedy="it is created by the pass textaddress; see the pipeline",
            )
        offset = section.vaddr - text[0].vaddr
        words += [offset, offset + section.size, Address(start)]
    write_words(symbols, relocs, link.arch, table, words)
    return link.evolve(
        symbols=symbols.freeze(), relocs=relocs.freeze(), textsectmap=(table, len(text))
    )
