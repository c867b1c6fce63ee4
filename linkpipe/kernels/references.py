"""References of Go objects: relocations and auxiliary symbols, and what can be reached by them.

Records and blocks are those of formats/goobj.py, as in kernels/records.py, which has looked at them
before. The types that callers see, numpy's, stand in references.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

FOLLOW, NOTE = 1, 2
"""What `flood` does about a relocation."""

_FOLLOW = cython.declare(cython.uchar, FOLLOW)
_NOTE = cython.declare(cython.uchar, NOTE)
_BLOCKS = cython.declare(cython.longlong, 19)
_RELOCIDX = cython.declare(cython.longlong, 11)
_AUXIDX = cython.declare(cython.longlong, 12)
_RELOCBLOCK = cython.declare(cython.longlong, 14)
_AUXBLOCK = cython.declare(cython.longlong, 15)
_RELOC_SIZE = cython.declare(cython.longlong, 23)
_AUX_SIZE = cython.declare(cython.longlong, 9)
_LOW = cython.declare(cython.longlong, 0xFFFFFFFF)
_SIGN = cython.declare(cython.longlong, 0x80000000)
_WEAK = cython.declare(cython.longlong, 0x8000)
# The first of the five package indexes with a meaning of their own, and the last.
_SELF = cython.declare(cython.longlong, 0x7FFFFFFB)
_NONE = cython.declare(cython.longlong, 0x7FFFFFFF)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _u32(data: cython.const[cython.uchar][::1], at: cython.longlong) -> cython.longlong:
    """The little-endian number of four bytes at ``at``."""
    if not cython.compiled:
        return int.from_bytes(data[at : at + 4], "little")
    # Behind one address the four bytes are one load; the last one is named to be checked, in builds
    # that check indexes.
    first: cython.pointer[cython.const[cython.uchar]] = cython.address(data[at])
    cython.address(data[at + 3])
    return (
        cython.cast(cython.longlong, first[0])
        | cython.cast(cython.longlong, first[1]) << 8
        | cython.cast(cython.longlong, first[2]) << 16
        | cython.cast(cython.longlong, first[3]) << 24
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _signed(x: cython.longlong) -> cython.longlong:
    """The low 32 bits as a number with a sign."""
    return ((x & _LOW) ^ _SIGN) - _SIGN


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _target(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    first: cython.longlong,
    count: cython.longlong,
    start: cython.const[cython.uint][::1],
    ids: cython.const[cython.int][::1],
) -> cython.longlong:
    """The symbol that the reference at ``at`` is to, -1 where there is none such."""
    place: cython.longlong = _u32(data, at)
    if place < _SELF:
        place += 5
    elif place <= _NONE:
        place -= _SELF
    else:
        return -1
    if place >= count:
        return -1
    place = start[first + place] + _u32(data, at + 4)
    return ids[place] if place < ids.shape[0] else -1


def owned(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    objects: cython.const[cython.int][::1],
    locals_: cython.const[cython.int][::1],
    skipped: cython.const[cython.uchar][::1],
    first: cython.const[cython.uint][::1],
    counts: cython.const[cython.uint][::1],
    start: cython.const[cython.uint][::1],
    auxs: cython.bint,
):
    """Where in ``data`` the relocations of the definitions (objects[i], locals_[i]) begin, or their
    auxiliary symbols, and how many each has: int64[n] both.

    Objects and references as in `faults`. Object 0 has none, nor has what is ``skipped`` (uint8[n],
    or of no length). Raises IndexError for records outside of ``data``.
    """
    index: cython.longlong = _AUXIDX if auxs else _RELOCIDX
    block: cython.longlong = _AUXBLOCK if auxs else _RELOCBLOCK
    size: cython.longlong = _AUX_SIZE if auxs else _RELOC_SIZE
    n: cython.longlong = objects.shape[0]
    if (
        locals_.shape[0] != n
        or skipped.shape[0] not in (0, n)
        or counts.shape[0] != first.shape[0]
        or blocks.shape[0] != _BLOCKS * first.shape[0]
    ):
        raise ValueError("columns differ in length")
    o: cython.longlong
    for o in range(1, first.shape[0]):
        if not 0 <= first[o] <= start.shape[0] - counts[o]:
            raise IndexError(f"references of object {o} lie outside of their table")
    begins = np.zeros(n, np.int64)
    numbers = np.zeros(n, np.int64)
    begin: cython.longlong[::1] = begins
    number: cython.longlong[::1] = numbers
    i: cython.longlong
    at: cython.longlong
    low: cython.longlong
    high: cython.longlong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(n):
            o = objects[i]
            if o == 0 or (skipped.shape[0] and skipped[i]):
                continue
            if o < 0 or o >= first.shape[0] or locals_[i] < 0:
                bad = i
                break
            at = blocks[_BLOCKS * o + index] + 4 * cython.cast(cython.longlong, locals_[i])
            if at < 0 or at > data.shape[0] - 8:
                bad = i
                break
            low = _u32(data, at)
            high = _u32(data, at + 4)
            at = blocks[_BLOCKS * o + block]
            if high < low or at < 0 or at + high * size > data.shape[0]:
                bad = i
                break
            begin[i] = at + low * size
            number[i] = high - low
    if bad >= 0:
        raise IndexError(f"records of symbol {bad} lie outside of their {data.shape[0]} bytes")
    return begins, numbers


def relocations(
    data: cython.const[cython.uchar][::1],
    objects: cython.const[cython.int][::1],
    begin: cython.const[cython.longlong][::1],
    number: cython.const[cython.longlong][::1],
    first: cython.const[cython.uint][::1],
    counts: cython.const[cython.uint][::1],
    start: cython.const[cython.uint][::1],
    ids: cython.const[cython.int][::1],
    types: cython.const[cython.ushort][::1],
    offset: cython.int[::1],
    size: cython.uchar[::1],
    kind: cython.ushort[::1],
    weak: cython.uchar[::1],
    add: cython.longlong[::1],
    target: cython.int[::1],
):
    """Read the relocations that begin at ``begin[i]``, ``number[i]`` of them in object
    ``objects[i]``, into the columns of linkpipe.tables.objects.RelocColumns. Returns the numbers i,
    int64[k], of which one refers to a symbol that has no id: nobody defines it, or it is not read.

    References as in `faults`; symbol s of row r of references is ``ids[start[r] + s]``. ``types``
    translates an object's numbers, without the weak bit. Raises IndexError for records outside of
    ``data``, and references to nothing.

    ``[struct.unpack("<iBHqII", record) for each record]``
    """
    if types.shape[0] != _WEAK:
        raise ValueError("types differ in length")
    if not (
        objects.shape[0] == begin.shape[0] == number.shape[0]
        and first.shape[0] == counts.shape[0]
        and offset.shape[0] == size.shape[0] == kind.shape[0]
        and offset.shape[0] == weak.shape[0] == add.shape[0] == target.shape[0]
    ):
        raise ValueError("columns differ in length")
    marks = np.zeros(objects.shape[0], np.uint8)
    undefined: cython.uchar[::1] = marks
    i: cython.longlong
    _j: cython.longlong
    o: cython.longlong
    at: cython.longlong
    value: cython.longlong
    row: cython.longlong = 0
    bad: cython.longlong = -1
    lost: cython.longlong = -1
    with cython.nogil:
        for i in range(objects.shape[0]):
            at = begin[i]
            o = objects[i]
            if not (
                0 <= o < first.shape[0]
                and 0 <= number[i] <= offset.shape[0] - row
                and (
                    number[i] == 0
                    or (
                        0 <= at <= data.shape[0] - number[i] * _RELOC_SIZE
                        and first[o] <= start.shape[0] - counts[o]
                    )
                )
            ):
                lost = i
                break
            for _j in range(number[i]):
                offset[row] = cython.cast(cython.int, _signed(_u32(data, at)))
                size[row] = data[at + 4]
                value = data[at + 5] | cython.cast(cython.longlong, data[at + 6]) << 8
                kind[row] = types[value & (_WEAK - 1)]
                weak[row] = value >= _WEAK
                add[row] = _u32(data, at + 7) + (_signed(_u32(data, at + 11)) << 32)
                value = _target(data, at + 15, first[o], counts[o], start, ids)
                if value < 0:
                    bad = i
                    break
                target[row] = cython.cast(cython.int, value)
                if value == 0 and (_u32(data, at + 15) or _u32(data, at + 19)):
                    undefined[i] = 1
                row += 1
                at += _RELOC_SIZE
            if bad >= 0:
                break
    if lost >= 0:
        raise IndexError(f"relocations of symbol {lost} lie outside of their {data.shape[0]} bytes")
    if bad >= 0:
        raise IndexError(f"a relocation of symbol {bad} is to a symbol that there is not")
    return np.flatnonzero(marks)


def auxiliaries(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    objects: cython.const[cython.int][::1],
    locals_: cython.const[cython.int][::1],
    skipped: cython.const[cython.uchar][::1],
    first: cython.const[cython.uint][::1],
    counts: cython.const[cython.uint][::1],
    start: cython.const[cython.uint][::1],
    ids: cython.const[cython.int][::1],
    wanted: cython.const[cython.uchar][::1],
):
    """The auxiliary symbols of the definitions (objects[i], locals_[i]) whose kind is ``wanted``
    (uint8[256]), as columns of linkpipe.tables.objects.AuxColumns. The rest as in `owned` and
    `relocations`.

    ``[struct.unpack("<BII", record) for each definition for each of its records]``
    """
    if wanted.shape[0] != 256:
        raise ValueError("wanted differs in length")
    begins, numbers = owned(data, blocks, objects, locals_, skipped, first, counts, start, True)
    begin: cython.longlong[::1] = begins
    number: cython.longlong[::1] = numbers
    i: cython.longlong
    j: cython.longlong
    _j: cython.longlong
    o: cython.longlong
    at: cython.longlong
    total: cython.longlong = 0
    with cython.nogil:
        for i in range(objects.shape[0]):
            for j in range(number[i]):
                total += wanted[data[begin[i] + j * _AUX_SIZE]] != 0
    kinds = np.empty(total, np.uint8)
    targets = np.empty(total, np.int32)
    kind: cython.uchar[::1] = kinds
    target: cython.int[::1] = targets
    found: cython.longlong
    row: cython.longlong = 0
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(objects.shape[0]):
            at = begin[i]
            o = objects[i]
            total = row
            for _j in range(number[i]):
                if wanted[data[at]]:
                    found = _target(data, at + 1, first[o], counts[o], start, ids)
                    if found < 0:
                        bad = i
                        break
                    kind[row] = data[at]
                    target[row] = cython.cast(cython.int, found)
                    row += 1
                at += _AUX_SIZE
            if bad >= 0:
                break
            number[i] = row - total
    if bad >= 0:
        raise IndexError(f"an auxiliary symbol of symbol {bad} is one that there is not")
    return numbers, kinds, targets


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _owned(
    data: cython.const[cython.uchar][::1],
    index: cython.longlong,
    block: cython.longlong,
    size: cython.longlong,
) -> cython.longlong:
    """How many records there are between the two entries at ``index``, -1 where these, or some of
    the records, lie outside of ``data``."""
    if not 0 <= index <= data.shape[0] - 8 or not 0 <= block <= data.shape[0]:
        return -1
    low: cython.longlong = _u32(data, index)
    high: cython.longlong = _u32(data, index + 4)
    return high - low if low <= high and block + size * high <= data.shape[0] else -1


def flood(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    objects: cython.const[cython.int][::1],
    locals_: cython.const[cython.int][::1],
    first: cython.const[cython.uint][::1],
    counts: cython.const[cython.uint][::1],
    start: cython.const[cython.uint][::1],
    ids: cython.const[cython.int][::1],
    rule: cython.const[cython.uchar][::1],
    rules: cython.const[cython.uchar][::1],
    wanted: cython.const[cython.uchar][::1],
    reached: cython.uchar[::1],
    waiting: cython.int[::1],
    waits: cython.longlong,
    owner: cython.int[::1],
    at: cython.longlong[::1],
):
    """Mark in ``reached`` uint8[n] what can be reached from the first ``waits`` symbols of
    ``waiting`` int32[n], which are marked; what is marked otherwise is not looked into.

    Symbol s is the definition (objects[s], locals_[s]), and needs those to which its auxiliary
    symbols of a ``wanted`` kind refer, and its relocations of a type t, weak bit included, for
    which ``rules[rule[s] << 16 | t]`` is FOLLOW. Those for which it is NOTE are noted: whose they
    are in ``owner``, and where in ``data`` in ``at``. A symbol whose rule there is not has no
    records. The rest as in `relocations`; what is damaged refers to nothing, or to what can be made
    out.

    Returns how many symbols are still waiting, and how many relocations were noted. Some wait when
    the next one could have more to note than there is room for.

    ``while waits: s = waiting[waits := waits - 1]; new = what s needs, not reached; reached |= new;
    waiting[waits : waits := waits + len(new)] = new``
    """
    n: cython.longlong = objects.shape[0]
    if not (
        locals_.shape[0] == rule.shape[0] == reached.shape[0] == waiting.shape[0] == n
        and wanted.shape[0] == 256
        and rules.shape[0] % 65536 == 0
        and owner.shape[0] == at.shape[0]
        and counts.shape[0] == first.shape[0]
        and blocks.shape[0] == _BLOCKS * first.shape[0]
        and 0 <= waits <= n
    ):
        raise ValueError("columns differ in length")
    o: cython.longlong
    for o in range(1, first.shape[0]):
        if not 0 <= first[o] <= start.shape[0] - counts[o]:
            raise IndexError(f"references of object {o} lie outside of their table")
    noted: cython.longlong = 0
    symbol: cython.longlong = 0
    target: cython.longlong
    place: cython.longlong
    _i: cython.longlong
    number: cython.longlong
    base: cython.longlong
    kind: cython.longlong
    what: cython.uchar
    bad: cython.bint = False
    with cython.nogil:
        while waits:
            symbol = waiting[waits - 1]
            if symbol < 0 or symbol >= n:
                bad = True
                break
            o = objects[symbol]
            if o < 0 or o >= first.shape[0] or locals_[symbol] < 0:
                bad = True
                break
            base = cython.cast(cython.longlong, rule[symbol]) << 16
            if o == 0 or base >= rules.shape[0]:
                waits -= 1
                continue
            place = blocks[_BLOCKS * o + _RELOCIDX] + 4 * cython.cast(
                cython.longlong, locals_[symbol]
            )
            number = _owned(data, place, blocks[_BLOCKS * o + _RELOCBLOCK], _RELOC_SIZE)
            if number > owner.shape[0] - noted:
                break
            waits -= 1
            if number > 0:
                place = blocks[_BLOCKS * o + _RELOCBLOCK] + _RELOC_SIZE * _u32(data, place)
            for _i in range(number):
                kind = data[place + 5] | cython.cast(cython.longlong, data[place + 6]) << 8
                what = rules[base + kind]
                if what == _FOLLOW:
                    target = _target(data, place + 15, first[o], counts[o], start, ids)
                    if 0 < target < n and not reached[target] and waits < n:
                        reached[target] = 1
                        waiting[waits] = cython.cast(cython.int, target)
                        waits += 1
                elif (
                    what == _NOTE
                    and _target(data, place + 15, first[o], counts[o], start, ids) >= 0
                ):
                    owner[noted] = cython.cast(cython.int, symbol)
                    at[noted] = place
                    noted += 1
                place += _RELOC_SIZE
            place = blocks[_BLOCKS * o + _AUXIDX] + 4 * cython.cast(
                cython.longlong, locals_[symbol]
            )
            number = _owned(data, place, blocks[_BLOCKS * o + _AUXBLOCK], _AUX_SIZE)
            if number > 0:
                place = blocks[_BLOCKS * o + _AUXBLOCK] + _AUX_SIZE * _u32(data, place)
            for _i in range(number):
                if wanted[data[place]]:
                    target = _target(data, place + 1, first[o], counts[o], start, ids)
                    if 0 < target < n and not reached[target] and waits < n:
                        reached[target] = 1
                        waiting[waits] = cython.cast(cython.int, target)
                        waits += 1
                place += _AUX_SIZE
    if bad:
        raise IndexError(f"symbol {symbol} is not among the {n}, or in no object")
    return waits, noted
