"""Call frame information: how far the stack pointer is from the caller's frame, stretch by stretch.

The types that callers see, numpy's, stand in frames.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

# DWARF 5, section 7.24, call frame instructions.
_ADVANCE_LOC = cython.declare(cython.longlong, 0x40)
_ADVANCE_LOC1 = cython.declare(cython.longlong, 2)
_UNDEFINED = cython.declare(cython.longlong, 7)
_SAME_VALUE = cython.declare(cython.longlong, 8)
_OFFSET_EXTENDED_SF = cython.declare(cython.longlong, 0x11)
_DEF_CFA_OFFSET_SF = cython.declare(cython.longlong, 0x13)
_FACTOR = cython.declare(cython.longlong, 4)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _word(
    out: cython.uchar[::1],
    at: cython.longlong,
    value: cython.longlong,
    width: cython.longlong,
    big: cython.bint,
) -> cython.longlong:
    """Write a number of ``width`` bytes; where the next one stands."""
    k: cython.longlong
    for k in range(width):
        out[at + (width - 1 - k if big else k)] = cython.cast(cython.uchar, value >> (8 * k) & 0xFF)
    return at + width


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _sleb(
    out: cython.uchar[::1], at: cython.longlong, value: cython.longlong, write: cython.bint
) -> cython.longlong:
    """Write a number as signed LEB128, or only count; where the next one stands."""
    low: cython.longlong
    more: cython.bint = True
    while more:
        low = value & 0x7F
        value >>= 7
        more = not ((value == 0 and low < 0x40) or (value == -1 and low >= 0x40))
        if write:
            out[at] = cython.cast(cython.uchar, low | (0x80 if more else 0))
        at += 1
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _of_register(
    out: cython.uchar[::1],
    at: cython.longlong,
    code: cython.longlong,
    register: cython.const[cython.uchar][::1],
    write: cython.bint,
) -> cython.longlong:
    """Write an instruction about the register with the return address, or only count."""
    k: cython.longlong
    if write:
        out[at] = cython.cast(cython.uchar, code)
        for k in range(register.shape[0]):
            out[at + 1 + k] = register[k]
    return at + 1 + register.shape[0]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _instructions(
    out: cython.uchar[::1],
    at: cython.longlong,
    first: cython.longlong,
    behind: cython.longlong,
    start: cython.const[cython.longlong][::1],
    end: cython.const[cython.longlong][::1],
    value: cython.const[cython.int][::1],
    length: cython.longlong,
    register: cython.const[cython.uchar][::1],
    below: cython.longlong,
    top: cython.bint,
    big: cython.bint,
    write: cython.bint,
) -> cython.longlong:
    """The instructions of one function, from ``at`` on; where the next one stands."""
    row: cython.longlong
    last: cython.longlong
    depth: cython.longlong
    factored: cython.longlong
    width: cython.longlong
    if top and register.shape[0]:
        at = _of_register(out, at, _UNDEFINED, register, write)
    for row in range(first, behind):
        last = end[row] - (1 if end[row] == length else 0)
        if last < start[row]:
            continue
        depth = cython.cast(cython.longlong, value[row]) + below
        # As Go divides, towards zero.
        factored = -(depth // _FACTOR) if depth >= 0 else -depth // _FACTOR
        if register.shape[0] and not top:
            if depth > 0:
                at = _of_register(out, at, _OFFSET_EXTENDED_SF, register, write)
                at = _sleb(out, at, -factored, write)
            else:
                at = _of_register(out, at, _SAME_VALUE, register, write)
        if write:
            out[at] = cython.cast(cython.uchar, _DEF_CFA_OFFSET_SF)
        at = _sleb(out, at + 1, factored, write)
        last -= start[row]
        width = 0 if last < 0x40 else 1 if last < 0x100 else 2 if last < 0x10000 else 4
        if write and width == 0:
            out[at] = cython.cast(cython.uchar, _ADVANCE_LOC + last)
        elif write:
            out[at] = cython.cast(cython.uchar, _ADVANCE_LOC1 + width // 2)
            _word(out, at + 1, last, width, big)
        at += 1 + width
    return at


def encode(
    head: cython.const[cython.uchar][::1],
    counts: cython.const[cython.longlong][::1],
    start: cython.const[cython.longlong][::1],
    end: cython.const[cython.longlong][::1],
    value: cython.const[cython.int][::1],
    length: cython.const[cython.longlong][::1],
    top: cython.const[cython.uchar][::1],
    register: cython.const[cython.uchar][::1],
    ptrsize: cython.longlong,
    below: cython.longlong,
    big: cython.bint,
):
    """The records of n functions of ``length`` bytes behind ``head``: uint8[…], and where each
    begins, int64[n].

    Function i has ``counts[i]`` stretches, from ``start`` to ``end`` (bytes from its entry), in
    which the stack is ``value`` bytes deep and the caller's frame ``below`` bytes further; those in
    ``top`` have no caller. ``register`` is that with the return address, as LEB128, empty where
    calls push it. Raises ValueError when columns differ in length.

    Where instructions lie is counted before they are written, by the same loop.
    """
    n: cython.longlong = counts.shape[0]
    i: cython.longlong
    row: cython.longlong = 0
    at: cython.longlong = head.shape[0]
    before: cython.longlong = 8 + 2 * ptrsize
    inner: cython.longlong
    bad: cython.bint = False
    if not (
        length.shape[0] == top.shape[0] == n
        and start.shape[0] == end.shape[0] == value.shape[0]
        and ptrsize in (4, 8)
    ):
        raise ValueError("columns differ in length")
    found = np.empty(n + 1, np.int64)
    place: cython.longlong[::1] = found
    out: cython.uchar[::1] = np.zeros(0, np.uint8)
    with cython.nogil:
        for i in range(n):
            place[i] = at
            if not 0 <= counts[i] <= start.shape[0] - row:
                bad = True
                break
            inner = _instructions(
                out, 0, row, row + counts[i], start, end, value, length[i], register, below,
                top[i] != 0, big, False,
            )  # fmt: skip
            row += counts[i]
            at += before + (inner + ptrsize - 1) // ptrsize * ptrsize
        place[n] = at
    if bad or row != start.shape[0]:
        raise ValueError("the stretches of functions are not all stretches")
    content = np.zeros(at, np.uint8)
    out = content
    with cython.nogil:
        for i in range(head.shape[0]):
            out[i] = head[i]
        row = 0
        for i in range(n):
            at = _word(out, place[i], place[i + 1] - place[i] - 4, 4, big)
            at = _word(out, at + 4 + ptrsize, length[i], ptrsize, big)
            _instructions(
                out, at, row, row + counts[i], start, end, value, length[i], register, below,
                top[i] != 0, big, True,
            )  # fmt: skip
            row += counts[i]
    return content, found[:n]
