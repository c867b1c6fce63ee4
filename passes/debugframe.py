"""debugframe: how to find the caller's frame from any instruction, .debug_frame.

A function's record says, for each stretch of its code, how far the stack pointer is from where it
was before the call. The compiler knows that as a pc-value table; here all tables are decoded at
once and written as call frame instructions. Where calls leave the return address in a register,
the record also says where it has been saved.

Source: the DWARF 5 standard, section 6.4; cmd/link/internal/ld/dwarf.go (writeframes,
appendPCDeltaCFA).
Reads `dwarf`, `mode`, `symbols`, `objects`, `relocs`, `debug_sections`; provides `symbols`,
`relocs`, `debug_sections`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.align import round_up
from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import owners
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.debuginfo.sections import with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import pcvalue
from linkpipe.formats.dwarf import Cfa
from linkpipe.formats.funcinfo import read_headers
from linkpipe.formats.leb128 import put_leb, sleb, sleb_sizes, uleb
from linkpipe.formats.pcvalue import PcValues
from linkpipe.reloctype import R_ADDR, R_DWARFSECREF
from linkpipe.tables.faults import rows_of
from linkpipe.tables.objects import RelocColumns

_FACTOR = -4
"""Offsets are multiples of this."""
_CIE_VERSION = 3
_TOP_FRAME = 1
"""internal/abi/symtab.go, FuncFlagTopFrame: nobody has called this function."""


@linkpass(
    requires=("dwarf", "mode", "symbols", "objects", "relocs", "debug_sections"),
    provides=("symbols", "relocs", "debug_sections"),
)
def debugframe(link: Link) -> Link:
    """Write call frame information."""
    dwarf, symbols, arch = link.dwarf, link.symbols, link.arch
    text = dwarf.final_text
    functions, record, pcsp = text.functions, text.funcinfo, text.pcsp
    at = np.maximum(symbols.data_at[pcsp], 0)
    size = np.where(pcsp != 0, symbols.data_size[pcsp], 0)
    top = np.zeros(len(functions), np.bool_)
    with rows_of(link.objects, symbols, functions):
        steps = pcvalue.decode(symbols.arena.bytes, at, size, arch.pc_quantum)
        if arch.has_lr:
            flags = read_headers(symbols.arena, symbols.data_at[record], symbols.data_size[record])
            top = (flags["flag"] & _TOP_FRAME) != 0
    length = symbols.data_size[functions]
    frames = encode_frames(common(arch), steps, length, top, arch)

    edit, section = symbols.edit(), dwarf.section["frame"]
    edit.set_content(section, frames.content.tobytes())
    # Each record names its function, and, in an object, the common part.
    kinds = [(8, functions, arch.ptrsize, R_ADDR)]
    if link.mode.external:
        kinds.insert(0, (4, np.full_like(functions, section), 4, R_DWARFSECREF))
    offset = np.stack([frames.records + place for place, *_ in kinds], axis=1).ravel()
    zeros = np.zeros(len(offset), np.int64)
    columns = RelocColumns(
        counts=np.array([len(offset)]),
        offset=offset.astype(np.int32),
        size=np.tile(np.array([size for _, _, size, _ in kinds], np.uint8), len(functions)),
        type=np.tile(np.array([type_ for *_, type_ in kinds], np.uint16), len(functions)),
        weak=zeros.astype(np.bool_),
        add=zeros,
        target=np.stack([target for _, target, _, _ in kinds], axis=1).ravel().astype(np.int32),
    )
    return link.evolve(
        symbols=edit.freeze(),
        relocs=link.relocs.extended(np.array([section]), columns),
        debug_sections=with_debug_section(
            link.debug_sections, link.dwarf, "frame", np.zeros(0, np.int64)
        ),
    )


def common(arch: Architecture) -> bytes:
    """The common information entry: how frames look before a function's first instruction."""
    link_register, stack = uleb(arch.dwarf_lr), uleb(arch.dwarf_sp)
    body = b"\xff" * 4 + bytes((_CIE_VERSION, 0)) + uleb(1) + sleb(_FACTOR) + link_register
    body += bytes((Cfa.DEF_CFA,)) + stack
    if arch.has_lr:
        body += uleb(0) + bytes((Cfa.SAME_VALUE,)) + link_register
        body += bytes((Cfa.VAL_OFFSET,)) + stack + uleb(0)
    else:
        # The call has pushed the return address.
        body += uleb(arch.ptrsize) + bytes((Cfa.OFFSET_EXTENDED,)) + link_register
        body += uleb(arch.ptrsize // -_FACTOR)
    room = 32 if arch.has_lr else 16
    return room.to_bytes(4, arch.byteorder) + body.ljust(room, b"\0")


class Frames(NamedTuple):
    """``content`` uint8[…], and where each function's record is in it, ``records`` int64[n]."""

    content: U8
    records: I64


def encode_frames(
    head: bytes, steps: PcValues, length: I64, top: Bool, arch: Architecture
) -> Frames:
    """The records of n functions of ``length`` bytes, behind ``head``; ``steps`` are the depths of
    their stacks; those in ``top`` (bool[n]) have no caller."""
    owner = owners(steps.counts)
    end = np.where(steps.end == length[owner], steps.end - 1, steps.end)
    kept = end >= steps.start
    owner, depth, delta = owner[kept], steps.value[kept].astype(np.int64), (end - steps.start)[kept]
    register = np.frombuffer(uleb(arch.dwarf_lr), np.uint8)
    cfa = depth if arch.has_lr else depth + arch.ptrsize
    # As Go divides, towards zero.
    factored = -np.sign(cfa) * (np.abs(cfa) // -_FACTOR)
    saved = arch.has_lr & ~top[owner]
    stored = saved & (depth > 0)
    wide = np.select([delta < 0x40, delta < 0x100, delta < 0x10000], [0, 1, 2], 4)
    save_size = np.where(saved, 1 + len(register) + stored * sleb_sizes(-factored), 0)
    cfa_size = 1 + sleb_sizes(factored)
    sizes = save_size + cfa_size + 1 + wide

    n = len(length)
    opening = np.where(arch.has_lr & top, 1 + len(register), 0)
    inner = round_up(opening + np.bincount(owner, sizes, n).astype(np.int64), arch.ptrsize)
    before = 8 + 2 * arch.ptrsize
    records = len(head) + np.cumsum(before + inner) - before - inner
    out = np.zeros(int(len(head) + (before + inner).sum()), np.uint8)
    out[: len(head)] = np.frombuffer(head, np.uint8)
    put_words(out, records, before - 4 + inner, 4, arch.endian)
    put_words(out, records + 8 + arch.ptrsize, length, arch.ptrsize, arch.endian)
    first = (records + before)[opening > 0]
    out[first] = Cfa.UNDEFINED
    out[first[:, None] + 1 + np.arange(len(register))] = register

    total = np.cumsum(sizes) - sizes
    start = np.append(total, 0)[np.searchsorted(owner, np.arange(n))]
    at = (records + before + opening - start)[owner] + total
    some = at[saved]
    out[some] = np.where(stored[saved], Cfa.OFFSET_EXTENDED_SF, Cfa.SAME_VALUE)
    out[some[:, None] + 1 + np.arange(len(register))] = register
    offset = -factored[stored]
    put_leb(out, at[stored] + 1 + len(register), offset, sleb_sizes(offset))
    at = at + save_size
    out[at] = Cfa.DEF_CFA_OFFSET_SF
    put_leb(out, at + 1, factored, cfa_size - 1)
    at = at + cfa_size
    for width, code in ((1, Cfa.ADVANCE_LOC1), (2, Cfa.ADVANCE_LOC2), (4, Cfa.ADVANCE_LOC4)):
        some = wide == width
        out[at[some]] = code
        put_words(out, at[some] + 1, delta[some], width, arch.endian)
    short = wide == 0
    out[at[short]] = Cfa.ADVANCE_LOC + delta[short]
    return Frames(out, records)
