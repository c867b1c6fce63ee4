"""filesizes: print how large the parts of the file are (-c).

Where the file is loaded as it is, its program headers are in the segment of the code.

Source: cmd/link/internal/ld/asmb.go:118 (asmb2), elf.go:1802 (asmbElf).
Reads `sections`, `elf_symtab`, `mode`; provides nothing.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import elf
from linkpipe.output.stdout import say


@linkpass(requires=("sections", "elf_symtab", "mode"), provides=())
def filesizes(link: Link) -> Link:
    """Print the sizes of code, data and symbol table, in bytes."""
    text, data, arch = link.sections.segment("text"), link.sections.segment("data"), link.arch
    code = text.filesize
    if not link.mode.external:
        code += text.fileoff - elf.header_size(arch.elf_class)
    symbols = len(link.elf_symtab) * elf.symbol_dtype(arch.elf_class, arch.endian).itemsize
    say(
        f"textsize={code}\ndatsize={data.filesize}\nbsssize={data.size - data.filesize}\n"
        f"symsize={symbols}\nlcsize=0\ntotal={code + data.size + symbols}\n"
    )
    return link
