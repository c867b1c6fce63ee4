"""Content made of machine words: numbers, and addresses that become relocations.

The runtime's structures that a linker writes are sequences of words. A pass collects them
here and gives them to a symbol in one go.
"""

from __future__ import annotations

from linkpipe.arch import Architecture
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import RelocsEdit
from linkpipe.tables.symbols import Flag, SymbolsEdit
from linkpipe.tables.words import Address, Word


def go_string(symbols: SymbolsEdit, name: str, text: bytes) -> tuple[Word, ...]:
    """A Go string header for ``text``, whose bytes go into the new symbol ``name``
    (data.go, addgostring)."""
    sym = symbols.own(name)
    symbols.set_content(sym, text)
    symbols.set(sym, kind=SymKind.SRODATA)
    symbols.add_flags(sym, Flag.REACHABLE | Flag.LOCAL)
    return Address(sym), len(text)


def go_slice(target: int, length: int) -> tuple[Word, ...]:
    """A Go slice header, full to its capacity."""
    return Address(target), length, length


def write_words(
    symbols: SymbolsEdit, relocs: RelocsEdit, arch: Architecture, sym: int, words: list[Word]
) -> None:
    """Give ``sym`` these words as its content, and a relocation for each address."""
    relocs.clear(sym)
    content = bytearray()
    for word in words:
        if isinstance(word, Address):
            relocs.add(
                sym,
                offset=len(content),
                size=arch.ptrsize,
                type=R_ADDR,
                target=word.target,
                add=word.add,
            )
            word = 0
        content += word.to_bytes(arch.ptrsize, arch.byteorder)
    symbols.set_content(sym, bytes(content))
