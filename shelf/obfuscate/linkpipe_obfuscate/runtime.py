"""obfuscate.runtime: function tables that tools for Go's do not read, for a runtime that does.

The tables begin with a magic number by which tools find them, and each function's record with its
entry. A runtime that is rebuilt with the file that ``overlay`` makes wants another magic number,
and entries combined with the name's place and a key:

    entry ^ name * key      in 32 bits

Both numbers are variables of that runtime, and this pass takes them from there: it can be no other
key. For a runtime that has none it does nothing. The index from addresses to records stays.

It stands behind pclnbytes, which writes the tables.
Source: runtime/symtab.go (moduledataverify1, funcInfo.entry), runtime/runtime2.go (_func).
Reads `symbols`, `pclntab`; provides `symbols`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from linkpipe.api import Link, UserError, linkpass
from linkpipe_obfuscate.secret import Secret

_MAGIC, _KEY = "obfuscateMagic", "obfuscateKey"
_INLINED = 0xFFFFFFFF
"""The entry of a record that is none (runtime/symtab.go, isInlined)."""


@linkpass(
    name="obfuscate.runtime",
    requires=("symbols", "pclntab"),
    provides=("symbols",),
    changes=("symbols.contents", "symbols.data_at", "symbols.data_size"),
)
def runtime(link: Link) -> Link:
    """Write the tables for a runtime that is rebuilt."""
    symbols, tables, arch = link.symbols, link.pclntab, link.arch
    numbers = [symbols.lookup(f"runtime.{name}") for name in (_MAGIC, _KEY)]
    if not all(numbers):
        return link
    magic, key = (int.from_bytes(symbols.data(sym), arch.byteorder) for sym in numbers)
    header = bytearray(symbols.data(tables.pcheader))
    header[:4] = magic.to_bytes(4, arch.byteorder)
    functab = np.frombuffer(symbols.data(tables.functab), f"{arch.endian}u4").astype("u4")
    at = tables.functab_data.records // 4
    functab[at] ^= functab[at + 1] * np.uint32(key)
    if (functab[at] == _INLINED).any():
        raise UserError(
            "obfuscate.runtime: the runtime would take a function for an inlined one",
            remedy="build with another key",
        )
    edit = symbols.edit()
    edit.set_content(tables.pcheader, bytes(header), grow=False)
    content = functab.astype(f"{arch.endian}u4").tobytes()
    edit.set_content(tables.functab, content, grow=False)
    return link.evolve(symbols=edit.freeze())


def overlay(goroot: Path, secret: Secret) -> tuple[Path, str]:
    """A file of Go's runtime, and the text to compile in its place. Raises UserError where the
    release's is not as it is known."""
    file = goroot / "src/runtime/symtab.go"
    try:
        text = file.read_text("utf-8")
    except OSError as e:
        raise UserError(
            f"obfuscate: cannot read {file}: {e.strerror}",
            remedy="GOROOT has to be a whole Go, with its sources",
        ) from e
    for pattern, new in (
        (r"\bhdr\.magic != [\w.]+", f"uint32(hdr.magic) != {_MAGIC}"),
        (
            r"return f\.datap\.textAddr\(f\.entryOff\)",
            f"return f.datap.textAddr(f.entryOff ^ uint32(f.nameOff)*{_KEY})",
        ),
    ):
        text, count = re.subn(pattern, new, text)
        if count != 1:
            raise UserError(
                f"obfuscate: {file} is not as it is known: {pattern} is there {count} times",
                remedy="use a release of Go from 1.24 to 1.27, or leave the runtime as it is",
            )
    numbers = {_MAGIC: secret.number(b"magic"), _KEY: secret.number(b"entry")}
    variables = "".join(f"var {name} uint32 = {value:#x}\n" for name, value in numbers.items())
    return file, f"{text}\n{variables}"
