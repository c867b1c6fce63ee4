"""relocate: put every symbol's bytes into the file and patch them with addresses.

A link has a million relocations of some dozen kinds. Those that are plain are applied first, in one
loop (linkpipe/output/patching.py). The others are taken as arrays: their rows in file order, then
one group for each (kind, width). A group's values are computed by the kind's kernel
(`Architecture.relocs`), checked for range and scattered into the image, all at once. No Python
statement runs once for each relocation. Where C objects have several for one place, these are
applied in their order.

In a link that the host linker finishes, most references to other sections become relocations of
the object instead: the kind's `ElfRule` says which, and what their addends are. They are kept in
file order, which is the order of the object's .rela sections.

Errors (targets nobody defines, values that do not fit) are collected over the whole link.

`image` is uint8, the file up to the end of its last segment.
Source: cmd/link/internal/ld/data.go:178-760 (relocsym, extreloc).
Reads `symbols`, `objects`, `relocs`, `sections`, `elf`, `mode`, `tlsg`, `dwarf` if it is there,
`labels` if it is there, `host_files` if it is there, `cgo` if it is there; provides `image`,
`external_relocs`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from linkpipe.arrays.reuse import sealed
from linkpipe.arrays.threads import each, pieces
from linkpipe.arrays.types import I64
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, collecting
from linkpipe.functab.lines import source_lines
from linkpipe.output.contents import Laid, fill_image, laid_out
from linkpipe.output.hostrelocs import HostRelocs
from linkpipe.output.patching import patch_plain
from linkpipe.output.relocrows import RelocRows
from linkpipe.output.relocvalues import RelocValues
from linkpipe.tables.symbols import Flag

_NONE = np.zeros(0, np.int32)


@linkpass(
    requires=("symbols", "objects", "relocs", "sections", "elf", "mode", "tlsg"),
    optional=("dwarf", "labels", "host_files", "cgo"),
    provides=("image", "external_relocs"),
)
def relocate(link: Link) -> Link:
    """Copy contents into the image and apply relocations."""
    arena = link.objects.arena
    arena.let_go()  # from here on, contents are read and no more
    laid = laid_out(link.sections, link.symbols)
    _check_places(link, laid)
    path = link.options.o if link.alone and not link.mode.external else ""
    image = fill_image(link.sections, link.symbols, laid, link.arch.code_pad, path)
    # Without debug information no function has a place in a table of addresses.
    index = link.dwarf.index if link.has("dwarf") else _NONE
    of = RelocRows(link, laid, image, *patch_plain(link, laid, image, index))
    host = HostRelocs(of, link.labels if link.has("labels") else _NONE)
    values = RelocValues(of, host, index)
    of.check()
    for kind, rows in of.groups():
        values.apply(kind, rows)
    arena.let_go()
    if of.errors:
        with collecting() as errors:
            for error in of.errors.sorted(partial(_source_lines, link)):
                if error.status == 1:
                    raise error
                errors.append(error)
    return link.evolve(image=sealed(image), external_relocs=host.table())


def _source_lines(link: Link, places: list[tuple[int, int]]) -> list[str]:
    goroot = link.options.environment.goroot
    return source_lines(link.objects, link.symbols, places, link.arch.pc_quantum, goroot)


def _check_places(link: Link, laid: Laid) -> None:
    """Refuse contents that are longer than their symbols, for they would run into the next; and
    symbols that two sections claim, as code and as data of functions: only one knows where they
    are. A part of another symbol is only a name."""
    symbols, base = link.symbols, link.sections.vaddrs()
    ends = np.array([*(section.vaddr + section.size for section in link.sections.items), 0])

    def misplaced(some: slice) -> I64:
        ids, section, address = laid.ids[some], laid.section[some], laid.address[some]
        content = symbols.data_size[ids]
        bad = (address < base[section]) | (address + content > ends[section])
        bad |= content > symbols.size[ids]
        return some.start + np.flatnonzero(bad & ~symbols.has(ids, Flag.INTERIOR))

    bad = np.concatenate(each(misplaced, pieces(len(laid.ids))))
    if len(bad):
        row = int(bad[0])
        sym, start = int(laid.ids[row]), int(laid.address[row])
        hosts = link.host_files if link.has("host_files") else {}
        size, end = int(symbols.size[sym]), start + int(symbols.data_size[sym])
        what = f"addr={end:#x} value+size={start + size:#x}"
        expected, found = f"at most {size} bytes, the symbol's size", f"{end - start} bytes"
        if end - start <= size:
            section = link.sections[int(laid.section[row])]
            what = f"val={start:#x} sect={section.name} sect.addr={section.vaddr:#x}"
            expected, found = f"an address in {section.name}", f"{start:#x}"
        raise InputError(
            f"phase error: {what}",
            symbol=symbols.name(sym) or f"sym {sym}",
            file=link.objects.names[int(symbols.object[sym])] or hosts.get(sym, ""),
            expected=expected,
            found=found,
            remedy="rebuild the package; the file is damaged",
            status=2,
        )
