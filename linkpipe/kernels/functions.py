"""What objects say of functions: records, and tables about their code.

Every row and offset is checked here. The types that callers see, numpy's, stand in functions.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

# linkpipe.formats.goobj, kinds of auxiliary symbols.
_FUNCINFO = cython.declare(cython.longlong, 1)
_FUNCDATA = cython.declare(cython.longlong, 2)
_PCSP = cython.declare(cython.longlong, 7)
_PCINLINE = cython.declare(cython.longlong, 10)
_PCDATA = cython.declare(cython.longlong, 11)

_LONGEST = cython.declare(cython.longlong, 10)  # bytes of a number of 64 bits
_ALL = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


def tables(
    counts: cython.const[cython.longlong][::1],
    kinds: cython.const[cython.uchar][::1],
    targets: cython.const[cython.int][::1],
):
    """Sort the auxiliary symbols of n functions: ``counts[i]`` each, of one kind and target each.

    Returns int32[5 * n], of each function its record, then of each its tables of stack depths, of
    files, lines and inlined calls, 0: none; int64[n] twice, how much pcdata and funcdata each one
    with a record has; and these, int32[…] twice. Of records the first counts, of tables the last.
    Raises IndexError where there are not so many auxiliary symbols.

    ``record, *tables = (dict of the last of each kind, or the first)``
    """
    n: cython.longlong = counts.shape[0]
    if kinds.shape[0] != targets.shape[0]:
        raise ValueError("columns of auxiliary symbols differ in length")
    ones = np.zeros(5 * n, np.int32)
    pcdatas = np.zeros(n, np.int64)
    funcdatas = np.zeros(n, np.int64)
    one: cython.int[::1] = ones
    npcdata: cython.longlong[::1] = pcdatas
    nfuncdata: cython.longlong[::1] = funcdatas
    i: cython.longlong
    j: cython.longlong
    k: cython.longlong
    at: cython.longlong = 0
    kind: cython.longlong
    recorded: cython.bint
    p: cython.longlong = 0
    f: cython.longlong = 0
    with cython.nogil:
        for i in range(n):
            if not 0 <= counts[i] <= kinds.shape[0] - at:
                at = -1
                break
            recorded = False
            for j in range(at, at + counts[i]):
                kind = kinds[j]
                if kind == _PCDATA:
                    npcdata[i] += 1
                elif kind == _FUNCDATA:
                    nfuncdata[i] += 1
                elif kind == _FUNCINFO:
                    if not recorded:
                        one[i] = targets[j]
                    recorded = True
                elif _PCSP <= kind <= _PCINLINE:
                    one[(1 + kind - _PCSP) * n + i] = targets[j]
            if one[i] == 0:
                npcdata[i] = 0
                nfuncdata[i] = 0
            p += npcdata[i]
            f += nfuncdata[i]
            at += counts[i]
    if at < 0:
        raise IndexError(f"function {i} has auxiliary symbols that there are not")
    listed_pcdata = np.empty(p, np.int32)
    listed_funcdata = np.empty(f, np.int32)
    pcdata: cython.int[::1] = listed_pcdata
    funcdata: cython.int[::1] = listed_funcdata
    p = 0
    f = 0
    at = 0
    with cython.nogil:
        for i in range(n):
            if one[i] != 0:
                for k in range(at, at + counts[i]):
                    if kinds[k] == _PCDATA:
                        pcdata[p] = targets[k]
                        p += 1
                    elif kinds[k] == _FUNCDATA:
                        funcdata[f] = targets[k]
                        f += 1
            at += counts[i]
    return ones, pcdatas, funcdatas, listed_pcdata, listed_funcdata


def burdened(
    data: cython.const[cython.uchar][::1],
    relocidx: cython.const[cython.longlong][::1],
    objects: cython.const[cython.int][::1],
    locals_: cython.const[cython.int][::1],
    flags: cython.const[cython.uint][::1],
    name_size: cython.const[cython.int][::1],
    ids: cython.const[cython.int][::1],
    some: cython.uint,
):
    """The first of ``ids``, by its place, that is a symbol with a name, with relocations or with
    one of the flags ``some``; -1: none. Those of object 0 are not looked at.

    ``objects`` to ``name_size`` are columns of symbols; ``relocidx[o]`` is where in ``data`` the
    numbers of relocations of object o begin. Raises IndexError for what there is not.

    ``any(name_size[i] or flags[i] & some or relocations(i) for i in ids)``
    """
    n: cython.longlong = objects.shape[0]
    if locals_.shape[0] != n or flags.shape[0] != n or name_size.shape[0] != n:
        raise ValueError("columns of symbols differ in length")
    i: cython.longlong
    s: cython.longlong
    o: cython.longlong
    at: cython.longlong
    k: cython.longlong
    found: cython.longlong = -1
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(ids.shape[0]):
            s = ids[i]
            if not 0 <= s < n:
                bad = i
                break
            o = objects[s]
            if o == 0:
                continue
            if not 0 <= o < relocidx.shape[0] or locals_[s] < 0:
                bad = i
                break
            at = relocidx[o]
            if at < 0 or at > data.shape[0] - 8 - 4 * cython.cast(cython.longlong, locals_[s]):
                bad = i
                break
            at += 4 * cython.cast(cython.longlong, locals_[s])
            if flags[s] & some or name_size[s] > 0:
                found = i
                break
            for k in range(at, at + 4):
                if data[k] != data[k + 4]:
                    found = i
            if found >= 0:
                break
    if bad >= 0:
        raise IndexError(f"symbol {bad}, or its object, is one that there is not")
    return found


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _wrap(x: cython.ulonglong) -> cython.ulonglong:
    """Sums and products wrap in C; in Python they must be cut off."""
    return x if cython.compiled else x & _ALL


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _signed(x: cython.ulonglong) -> cython.longlong:
    """The number that the same 64 bits are with a sign."""
    if cython.compiled:
        return cython.cast(cython.longlong, x)
    return (x + (1 << 63)) % (1 << 64) - (1 << 63)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _int(x: cython.ulonglong) -> cython.int:
    """The number that the low 32 bits are with a sign."""
    if cython.compiled:
        return cython.cast(cython.int, x)
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _number(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    end: cython.longlong,
    found: cython.ulonglong[::1],
) -> cython.longlong:
    """Read a LEB128 number into ``found``: how many bytes it has, 0: it is not whole at ``end``."""
    i: cython.longlong = 0
    value: cython.ulonglong = 0
    while at + i < end:
        if i < _LONGEST:
            value |= _wrap(cython.cast(cython.ulonglong, data[at + i] & 0x7F) << (7 * i))
        i += 1
        if data[at + i - 1] < 0x80:
            found[0] = value
            return i
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _pairs(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    end: cython.longlong,
    quantum: cython.longlong,
    found: cython.ulonglong[::1],
    row: cython.longlong,
    start: cython.longlong[::1],
    until: cython.longlong[::1],
    value: cython.int[::1],
    write: cython.bint,
) -> cython.longlong:
    """Read the pairs of a table, and write them from ``row`` on, or count them; -1 or below, what
    is wrong with it: see `pcvalues`."""
    count: cython.longlong = 0
    n: cython.longlong
    change: cython.ulonglong
    pc: cython.ulonglong = 0
    sum_: cython.ulonglong = _ALL
    while at < end:
        n = _number(data, at, end, found)
        if n == 0:
            return -1
        if n > _LONGEST:
            return -n
        change = found[0]
        at += n
        if change == 0 and count > 0:
            break
        if at >= end:
            return -2
        n = _number(data, at, end, found)
        if n == 0:
            return -1
        if n > _LONGEST:
            return -n
        at += n
        if write:
            # Zigzag: 0, -1, 1, -2 ... as 0, 1, 2, 3 ...
            sum_ = _wrap(sum_ + ((change >> 1) ^ (_ALL if change & 1 else 0)))
            start[row + count] = _signed(pc)
            pc = _wrap(pc + _wrap(found[0] * cython.cast(cython.ulonglong, quantum)))
            until[row + count] = _signed(pc)
            value[row + count] = _int(sum_)
        count += 1
    return count


def pcvalues(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.longlong][::1],
    quantum: cython.longlong,
):
    """Decode n pc-value tables, of which each is the ``size[i]`` bytes of ``data`` from ``at[i]``
    on: the columns of linkpipe.formats.pcvalue.PcValues, counts int64[n], start and end int64[k],
    value int32[k]; and before them the first table that is damaged, -1: none, and what is wrong
    with it: a number that is not whole (1), a pair that is not (2), or a number of so many bytes.
    Raises IndexError for a table that does not lie in the data.

    ``while at < end: change, at = uleb(at); units, at = uleb(at)``
    """
    n: cython.longlong = at.shape[0]
    if size.shape[0] != n or quantum < 1:
        raise ValueError("at and size differ in length, or no quantum")
    counts = np.zeros(n, np.int64)
    count: cython.longlong[::1] = counts
    found: cython.ulonglong[::1] = memoryview(np.zeros(1, np.uint64))
    none = np.zeros(0, np.int64)
    start: cython.longlong[::1] = none
    until: cython.longlong[::1] = none
    value: cython.int[::1] = none.astype(np.int32)
    i: cython.longlong
    total: cython.longlong = 0
    bad: cython.longlong = -1
    wrong: cython.longlong = 0
    for i in range(n):
        if size[i] < 0 or not 0 <= at[i] <= data.shape[0] - size[i]:
            raise IndexError(f"table {i} lies outside of its bytes")
    with cython.nogil:
        for i in range(n):
            count[i] = _pairs(
                data, at[i], at[i] + size[i], quantum, found, 0, start, until, value, False
            )
            if count[i] < 0:
                bad = i
                wrong = -count[i]
                break
            total += count[i]
    if bad >= 0:
        return bad, wrong, counts, none, none, none.astype(np.int32)
    starts, ends, values = (
        np.empty(total, np.int64),
        np.empty(total, np.int64),
        np.empty(total, "i4"),
    )
    start, until, value = starts, ends, values
    total = 0
    with cython.nogil:
        for i in range(n):
            total += _pairs(
                data, at[i], at[i] + size[i], quantum, found, total, start, until, value, True
            )
    return bad, wrong, counts, starts, ends, values
