"""debugframe: how to find the caller's frame from any instruction, .debug_frame.

A function's record says, for each stretch of its code, how far the stack pointer is from where it
was before the call. The compiler knows that as a pc-value table; a kernel writes it as call frame
instructions. Where calls leave the return address in a register,
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
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.debuginfo.sections import with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import pcvalue
from linkpipe.formats.dwarf import Cfa
from linkpipe.formats.funcinfo import read_headers
from linkpipe.formats.leb128 import sleb, uleb
from linkpipe.formats.pcvalue import PcValues
from linkpipe.kernels.frames import encode
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
    register = uleb(arch.dwarf_lr) if arch.has_lr else b""
    content, records = encode(
        np.frombuffer(head, np.uint8),
        *steps,
        length,
        top.view(np.uint8),
        np.frombuffer(register, np.uint8),
        arch.ptrsize,
        0 if arch.has_lr else arch.ptrsize,  # the call has pushed the return address
        arch.endian == ">",
    )
    return Frames(content, records)
