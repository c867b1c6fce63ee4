"""The facts `pclntab`, `function_data` and `funcdata`: the runtime's function tables, as far as
they are known before layout, and the data that they point to.

The pass pclntab makes the first two; findfunctab adds its index; moduledata reads ids and counts;
pclnbytes writes the contents once addresses are final. What becomes of the data of functions
depends on the release: the pass funcblock lays them out in one block, or funcsymbols leaves them to
the layout of data.
"""

from __future__ import annotations

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I32, I64, U8
from linkpipe.values import Shown

BUCKET, PART = 4096, 256
"""Bytes of text that an entry of runtime.findfunctab, and a part of it, stand for
(internal/abi/symtab.go, FuncTabBucketSize)."""
PARTS = BUCKET // PART


def findfunc_size(text: int) -> int:
    """Bytes of runtime.findfunctab for ``text`` bytes of text."""
    return 4 * -(-text // BUCKET) + -(-text // PART)


@table
class Functab(Shown):
    """runtime.functab before addresses: every word but the entries of functions.

    Attributes:
        words: uint8[n], the table's bytes; entry offsets still zero, and those of data of
            functions until these have their places.
        records: int64[nfunc], where each function's record starts, bytes.
    """

    words: U8
    records: I64


@table
class FunctionData(Shown):
    """Which data (funcdata) the records of functions point to; of functions that have information.

    Attributes:
        records: int64[k], where each one's record starts in runtime.functab, bytes.
        counts: int64[k], how many entries for data it has.
        symbols: int64[sum(counts)], their symbols; 0 for none.
        trees: int64[k], the symbol of its tree of inlined calls, which has no content yet; 0: none.
        inlined: uint8[…], the contents of these, end to end.
    """

    records: I64
    counts: I64
    symbols: I64
    trees: I64
    inlined: U8


@table
class Funcdata(Shown):
    """go:func.*, the data about functions that is laid out in it.

    Attributes:
        symbols: int64[k], in order of address.
        offsets: int64[k], bytes from its start.
        align: of the whole, bytes; 0: not stated.
        content: uint8[size], its bytes; places of relocations not yet patched.
    """

    symbols: I64
    offsets: I64
    align: int
    content: U8


@table
class Pclntab(Shown):
    """Symbol ids, counts, and what does not depend on addresses.

    Attributes:
        carrier: runtime.pclntab, which all the others are carried by.
        pcheader, funcnametab, cutab, filetab, pctab, functab: their symbols (runtime.pcheader …;
            ``functab`` is the oracle's ``pcln.pclntab``). Sizes are in the symbol table.
        findfunctab: its symbol, 0 before the pass findfunctab has run.
        functions: int32[nfunc], the functions in order of address (text_order without
            containers of other functions).
        nfiles: distinct file names.
        functab_data: its content, which needs addresses.
    """

    carrier: int
    pcheader: int
    funcnametab: int
    cutab: int
    filetab: int
    pctab: int
    functab: int
    functions: I32
    nfiles: int
    functab_data: Functab
    findfunctab: int = 0

    @property
    def nfunc(self) -> int:
        """The number of functions."""
        return len(self.functions)

    @property
    def first(self) -> int:
        """The function at the lowest address."""
        return int(self.functions[0])

    @property
    def last(self) -> int:
        """The function at the highest address."""
        return int(self.functions[-1])
