"""Records of Go objects: what symbols say of themselves, and which say something that cannot be.

An object's blocks are named by their numbers in formats/goobj.py, which has the layout of records
too; here they stand as offsets within a record. The types that callers see, numpy's, stand in
records.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

SOUND, NAME, ABI, ALIGN, DATA, RELOCS, AUXS, RELOC, AUX, TABLE, SIZE = range(11)
"""What is wrong with a symbol, the first thing that is: nothing; its name lies outside of the
object; no such ABI; its alignment is no power of two; its content, its relocations or its auxiliary
symbols lie outside of their block, or end before they begin; one of its relocations, or of its
auxiliary symbols, refers to a symbol that there is not; it has a table about a function and is
none; it is larger than LARGEST.

Content comes first of what a symbol has: where anything else is wrong, it can be read."""

BUILTIN = 11
"""One of its relocations refers to a symbol of the runtime's that nobody defines, or to debug
information that is not read. That is found later, when names have been resolved."""

LARGEST = 2_000_000_000
"""Most bytes in a symbol (cmd/link/internal/ld/data.go, cutoff)."""

_NAME = cython.declare(cython.uchar, NAME)
_ABI = cython.declare(cython.uchar, ABI)
_ALIGN = cython.declare(cython.uchar, ALIGN)
_RELOCS = cython.declare(cython.uchar, RELOCS)
_AUXS = cython.declare(cython.uchar, AUXS)
_DATA = cython.declare(cython.uchar, DATA)
_RELOC = cython.declare(cython.uchar, RELOC)
_AUX = cython.declare(cython.uchar, AUX)
_TABLE = cython.declare(cython.uchar, TABLE)
_SIZE = cython.declare(cython.uchar, SIZE)
_LARGEST = cython.declare(cython.longlong, LARGEST)

_BLOCKS = cython.declare(cython.longlong, 19)
_SYMDEF = cython.declare(cython.longlong, 3)
_RELOCIDX = cython.declare(cython.longlong, 11)
_AUXIDX = cython.declare(cython.longlong, 12)
_DATAIDX = cython.declare(cython.longlong, 13)
_RELOCBLOCK = cython.declare(cython.longlong, 14)
_AUXBLOCK = cython.declare(cython.longlong, 15)
_DATABLOCK = cython.declare(cython.longlong, 16)
_SYM_SIZE = cython.declare(cython.longlong, 21)
_RELOC_SIZE = cython.declare(cython.longlong, 23)
_AUX_SIZE = cython.declare(cython.longlong, 9)
_LOW = cython.declare(cython.longlong, 0xFFFFFFFF)
_SIGN = cython.declare(cython.longlong, 0x80000000)
# Kinds of auxiliary symbols: function information, and from the first to the last pc-value table.
_FUNCINFO = cython.declare(cython.uchar, 1)
_FIRST_TABLE = cython.declare(cython.uchar, 7)
_LAST_TABLE = cython.declare(cython.uchar, 11)
_STATIC = cython.declare(cython.longlong, 0xFFFF)
# The first of the five package indexes with a meaning of their own, the second, and the last.
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
def _unknown(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    end: cython.longlong,
    step: cython.longlong,
    first: cython.longlong,
    count: cython.longlong,
    limit: cython.const[cython.uint][::1],
) -> cython.bint:
    """Whether one of the references that stand ``step`` bytes apart from ``at`` on names a symbol
    that there is not."""
    pkg: cython.longlong
    while at < end:
        pkg = _u32(data, at)
        if pkg < _SELF:
            pkg += 5
        elif pkg <= _NONE:
            pkg -= _SELF
        else:
            return True
        if pkg >= count or _u32(data, at + 4) >= limit[first + pkg]:
            return True
        at += step
    return False


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _symbol(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    base: cython.longlong,
    end: cython.longlong,
    defined: cython.bint,
) -> cython.uchar:
    """What is wrong with the symbol record at ``at`` of the object from ``base`` to ``end``."""
    number: cython.longlong = _u32(data, at + 8) & 0xFFFF
    if _u32(data, at) + _u32(data, at + 4) > end - base:
        return _NAME
    if number > 1 and number != _STATIC:
        return _ABI
    number = _u32(data, at + 17)
    if defined and not number >> 31 and number & (number - 1):
        return _ALIGN
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _parts(
    data: cython.const[cython.uchar][::1],
    block: cython.const[cython.longlong][::1],
    row: cython.longlong,
    i: cython.longlong,
    end: cython.longlong,
    first: cython.longlong,
    count: cython.longlong,
    limit: cython.const[cython.uint][::1],
    function: cython.bint,
) -> cython.uchar:
    """What is wrong with what belongs to symbol ``i``; its object's blocks start at ``row``."""
    at: cython.longlong = block[row + _DATAIDX] + 4 * i
    low: cython.longlong = _u32(data, at)
    high: cython.longlong = _u32(data, at + 4)
    if high < low or (high > low and block[row + _DATABLOCK] + high > end):
        return _DATA
    at = block[row + _RELOCIDX] + 4 * i
    start: cython.longlong = block[row + _RELOCBLOCK]
    low = _u32(data, at)
    high = _u32(data, at + 4)
    if high < low or start + high * _RELOC_SIZE > min(block[row + _AUXBLOCK], end):
        return _RELOCS
    if _unknown(
        data,
        start + low * _RELOC_SIZE + 15,
        start + high * _RELOC_SIZE,
        _RELOC_SIZE,
        first,
        count,
        limit,
    ):
        return _RELOC
    at = block[row + _AUXIDX] + 4 * i
    start = block[row + _AUXBLOCK]
    low = _u32(data, at)
    high = _u32(data, at + 4)
    if high < low or start + high * _AUX_SIZE > min(block[row + _DATABLOCK], end):
        return _AUXS
    if _unknown(
        data, start + low * _AUX_SIZE + 1, start + high * _AUX_SIZE, _AUX_SIZE, first, count, limit
    ):
        return _AUX
    if not function:
        for i in range(low, high):
            at = start + i * _AUX_SIZE
            if data[at] == _FUNCINFO or _FIRST_TABLE <= data[at] <= _LAST_TABLE:
                return _TABLE
    return 0


def faults(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    base: cython.const[cython.longlong][::1],
    ends: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    defined: cython.const[cython.longlong][::1],
    first: cython.const[cython.uint][::1],
    counts: cython.const[cython.uint][::1],
    limit: cython.const[cython.uint][::1],
    passed: cython.const[cython.uchar][::1],
    functions: cython.const[cython.uchar][::1],
):
    """What is wrong with each symbol, one of the numbers above: uint8[local[-1]].

    Object i lies in ``data`` from ``base[i]`` to ``ends[i]`` (i > 0), its blocks begin at
    ``blocks[19 * i]`` and on and are as check_blocks wants them; its symbols are ``local[i]`` to
    ``local[i + 1]``, the ``defined[i]`` that it defines first. A reference to package index p is to
    one of ``limit[first[i] + q]`` symbols, q being its place (below ``counts[i]``): p - PKG_SELF
    for the five special indexes, p + 5 for the others. Of symbols whose kind (as objects number it)
    is ``passed`` nothing is read but their record; ``functions`` are kinds of functions.

    ``[_symbol(…) or _parts(…) for each object for each of its symbols]``
    """
    n: cython.longlong = base.shape[0]
    if (
        blocks.shape[0] != _BLOCKS * n
        or local.shape[0] != n + 1
        or min(ends.shape[0], defined.shape[0], first.shape[0], counts.shape[0]) < n
        or passed.shape[0] != 256
        or functions.shape[0] != 256
    ):
        raise ValueError("columns of objects differ in length")
    found = np.zeros(local[n] if n else 0, np.uint8)
    fault: cython.uchar[::1] = found
    o: cython.longlong
    i: cython.longlong
    at: cython.longlong
    row: cython.longlong
    bad: cython.uchar
    for o in range(1, n):
        if not 0 <= base[o] <= ends[o] <= data.shape[0]:
            raise IndexError(f"object {o} lies outside of its {data.shape[0]} bytes")
        if not 0 <= first[o] <= limit.shape[0] - counts[o]:
            raise IndexError(f"references of object {o} lie outside of their table")
    with cython.nogil:
        for o in range(1, n):
            row = _BLOCKS * o
            for i in range(local[o + 1] - local[o]):
                at = blocks[row + _SYMDEF] + _SYM_SIZE * i
                bad = _symbol(data, at, base[o], ends[o], i < defined[o])
                if bad == 0 and i < defined[o] and not passed[data[at + 10]]:
                    bad = _parts(
                        data,
                        blocks,
                        row,
                        i,
                        ends[o],
                        first[o],
                        counts[o],
                        limit,
                        functions[data[at + 10]],
                    )
                    if bad == 0 and _u32(data, at + 13) > _LARGEST:
                        bad = _SIZE
                fault[local[o] + i] = bad
    return found


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _flags(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    flag2: cython.const[cython.uchar][::1],
) -> cython.uint:
    """The flags of the symbol record at ``at``."""
    return data[at + 11] | cython.cast(cython.uint, flag2[data[at + 12]]) << 8


@cython.cfunc
def _check_symbols(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    room: cython.longlong,
):
    """Raise IndexError for records that lie outside of ``data``, or places beyond ``room``."""
    n: cython.longlong = local.shape[0] - 1
    if (
        n < 0
        or blocks.shape[0] != _BLOCKS * n
        or classes.shape[0] != 5 * n
        or not 0 <= local[0] <= local[n] <= room
    ):
        raise ValueError("columns of objects differ in length")
    o: cython.longlong
    i: cython.longlong
    count: cython.longlong
    at: cython.longlong
    start: cython.longlong
    defined: cython.longlong
    for o in range(n):
        count = local[o + 1] - local[o]
        at = blocks[_BLOCKS * o + _SYMDEF]
        start = blocks[_BLOCKS * o + _DATAIDX]
        defined = 0
        for i in range(4):
            defined += max(classes[5 * o + i], 0)
        if count < 0:
            raise ValueError("symbols of objects are not in their order")
        if count and (
            count != defined + classes[5 * o + 4]
            or not 0 <= at <= data.shape[0] - _SYM_SIZE * count
            or not 0 <= start <= data.shape[0] - 4 * (defined + 1)
        ):
            raise IndexError(f"symbols of object {o} lie outside of its {data.shape[0]} bytes")


def count_symbols(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    left_out: cython.const[cython.uchar][::1],
    flag2: cython.const[cython.uchar][::1],
    debug: cython.const[cython.uchar][::1],
    rooting: cython.uint,
    with_debug: cython.bint,
):
    """How many rows `symbols` makes of the same; and the place of the first symbol of a ``debug``
    kind that has one of the flags ``rooting``, -1 where there is none."""
    _check_symbols(data, blocks, local, classes, left_out.shape[0])
    if min(flag2.shape[0], debug.shape[0]) < 256:
        raise ValueError("columns of kinds differ in length")
    o: cython.longlong
    i: cython.longlong
    at: cython.longlong
    rows: cython.longlong = 0
    root: cython.longlong = -1
    with cython.nogil:
        for o in range(local.shape[0] - 1):
            at = blocks[_BLOCKS * o + _SYMDEF]
            for i in range(local[o + 1] - local[o]):
                if not debug[data[at + 10]]:
                    rows += left_out[local[o] + i] == 0
                else:
                    rows += with_debug and left_out[local[o] + i] == 0
                    if root < 0 and _flags(data, at, flag2) & rooting:
                        root = local[o] + i
                at += _SYM_SIZE
    return rows, root


def marked(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    marks: cython.const[cython.uchar][::1],
    whole: cython.const[cython.uchar][::1],
):
    """The places, int64[k], of symbols that are found by name whose second byte of flags has a mark
    (``marks`` uint8[256], not 0), and of all those in objects that are ``whole``. Objects as in
    `symbols`.

    ``[place for each object for each definition by name and reference if marks[flag2] or whole]``
    """
    n: cython.longlong = local.shape[0] - 1
    _check_symbols(data, blocks, local, classes, local[n] if n >= 0 else 0)
    if whole.shape[0] != n or marks.shape[0] != 256:
        raise ValueError("columns of objects differ in length")
    o: cython.longlong
    i: cython.longlong
    at: cython.longlong
    first: cython.longlong
    room: cython.longlong = 0
    for o in range(n):
        i = classes[5 * o + 3] + classes[5 * o + 4]
        if min(classes[5 * o + 3], classes[5 * o + 4]) < 0 or i > local[o + 1] - local[o]:
            raise IndexError(f"object {o} has no {i} symbols")
        room += i
    found = np.empty(room, np.int64)
    place: cython.longlong[::1] = found
    count: cython.longlong = 0
    with cython.nogil:
        for o in range(n):
            first = local[o + 1] - classes[5 * o + 3] - classes[5 * o + 4]
            at = blocks[_BLOCKS * o + _SYMDEF] + _SYM_SIZE * (first - local[o]) + 12
            for i in range(first, local[o + 1]):
                if whole[o] or marks[data[at]]:
                    place[count] = i
                    count += 1
                at += _SYM_SIZE
    return found[:count]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _version(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    static: cython.int,
    abis: cython.bint,
) -> cython.int:
    """The version of the symbol record at ``at``, of an object whose own symbols are ``static``."""
    abi: cython.longlong = _u32(data, at + 8) & 0xFFFF
    if abi == _STATIC:
        return static
    return cython.cast(cython.int, abi) if abis else 0


def symbols(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    base: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    left_out: cython.const[cython.uchar][::1],
    static: cython.const[cython.int][::1],
    flag2: cython.const[cython.uchar][::1],
    debug: cython.const[cython.uchar][::1],
    abis: cython.bint,
    with_debug: cython.bint,
    place: cython.int[::1],
    cls: cython.uchar[::1],
    name_at: cython.longlong[::1],
    name_size: cython.int[::1],
    version: cython.int[::1],
    flags: cython.uint[::1],
    size: cython.uint[::1],
    align: cython.int[::1],
):
    """Read the symbol records of objects, but those at the places ``left_out``, and those whose
    kind (as objects number it) is ``debug`` only ``with_debug``, into the columns of
    linkpipe.tables.records.Records, in its order.

    Objects as in `faults`; ``local`` and ``classes[5 * i]`` and on: how many symbols object i has
    of each class. ``static``: the version of symbols that are static to an object; ``flag2``
    translates an object's bits; without ``abis`` all versions but the static ones are 0. Raises
    IndexError for records that lie outside of ``data``, ValueError when there are other than
    `count_symbols` rows.

    ``[(o, i, struct.unpack("<IIHBBBII", record)) for each object for each of its symbols]``
    """
    _check_symbols(data, blocks, local, classes, left_out.shape[0])
    n: cython.longlong = local.shape[0] - 1
    if min(base.shape[0], static.shape[0]) < n or min(flag2.shape[0], debug.shape[0]) < 256:
        raise ValueError("columns of objects differ in length")
    room: cython.longlong = place.shape[0]
    if not (
        cls.shape[0] == name_at.shape[0] == name_size.shape[0] == version.shape[0] == room
        and flags.shape[0] == size.shape[0] == align.shape[0] == room
    ):
        raise ValueError("columns of rows differ in length")
    if local[n] > 0x7FFFFFFF:
        raise ValueError(f"{local[n]} symbols are too many")
    o: cython.longlong
    i: cython.longlong
    at: cython.longlong
    within: cython.longlong
    c: cython.longlong
    row: cython.longlong = 0
    with cython.nogil:
        for o in range(n):
            at = blocks[_BLOCKS * o + _SYMDEF] - _SYM_SIZE
            c = 0
            within = classes[5 * o]
            for i in range(local[o + 1] - local[o]):
                at += _SYM_SIZE
                while c < 4 and i >= within:
                    c += 1
                    within += classes[5 * o + c]
                if left_out[local[o] + i] or (debug[data[at + 10]] and not with_debug):
                    continue
                row += 1
                if row > room:
                    continue
                place[row - 1] = cython.cast(cython.int, local[o] + i)
                cls[row - 1] = cython.cast(cython.uchar, c)
                name_size[row - 1] = cython.cast(cython.int, _signed(_u32(data, at)))
                name_at[row - 1] = base[o] + _u32(data, at + 4)
                version[row - 1] = _version(data, at, static[o], abis)
                flags[row - 1] = _flags(data, at, flag2)
                size[row - 1] = cython.cast(cython.uint, _u32(data, at + 13))
                align[row - 1] = cython.cast(cython.int, max(_signed(_u32(data, at + 17)), 0))
    if row != room:
        raise ValueError(f"there are {row} rows, and room for {room}")


def describe(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    base: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    static: cython.const[cython.int][::1],
    flag2: cython.const[cython.uchar][::1],
    kinds: cython.const[cython.uchar][::1],
    own: cython.const[cython.uint][::1],
    hashed: cython.uint,
    abis: cython.bint,
    places: cython.const[cython.int][::1],
    obj: cython.int[::1],
    number: cython.int[::1],
    version: cython.int[::1],
    kind: cython.uchar[::1],
    size: cython.longlong[::1],
    align: cython.int[::1],
    flags: cython.uint[::1],
    name_at: cython.longlong[::1],
    name_size: cython.int[::1],
    data_at: cython.longlong[::1],
    data_size: cython.longlong[::1],
):
    """What the symbol records at ``places`` say, as the columns of linkpipe.tables.symbols.Symbols
    that are named so: a row for each place. A reference says its name and version, no more.

    The rest as in `symbols`, all objects; ``kinds`` translates an object's numbers; ``own``: flags
    that all symbols of an object have, and those found by a long hash have ``hashed`` too. Raises
    IndexError for a place that there is not, and records that lie outside of ``data``.

    ``[struct.unpack("<IIHBBBII", record at place) for place in places]``
    """
    n: cython.longlong = local.shape[0] - 1
    _check_symbols(data, blocks, local, classes, local[n] if n >= 0 else 0)
    if (
        min(base.shape[0], static.shape[0], own.shape[0]) < n
        or min(kinds.shape[0], flag2.shape[0]) < 256
    ):
        raise ValueError("columns of objects differ in length")
    rows: cython.longlong = places.shape[0]
    if not (
        obj.shape[0] == number.shape[0] == version.shape[0] == kind.shape[0] == rows
        and size.shape[0] == align.shape[0] == flags.shape[0] == name_at.shape[0] == rows
        and name_size.shape[0] == data_at.shape[0] == data_size.shape[0] == rows
    ):
        raise ValueError("columns of rows differ in length")
    row: cython.longlong
    i: cython.longlong
    at: cython.longlong
    place: cython.longlong
    beyond: cython.longlong
    o: cython.longlong = 0
    # Of the object at hand: its first symbol with a long hash, the one behind the last, and how
    # many it defines.
    long: cython.longlong = 0
    named: cython.longlong = 0
    defined: cython.longlong = 0
    start: cython.longlong = 0
    end: cython.longlong = 0
    bad: cython.longlong = -1
    with cython.nogil:
        for row in range(rows):
            place = places[row]
            if place < start or place >= end:
                if place < local[0] or place >= local[n]:
                    bad = row
                    break
                # The last object that begins at the place or before it.
                o = 0
                beyond = n
                while beyond - o > 1:
                    i = (o + beyond) // 2
                    if local[i] <= place:
                        o = i
                    else:
                        beyond = i
                start = local[o]
                end = local[o + 1]
                long = classes[5 * o] + classes[5 * o + 1]
                named = long + classes[5 * o + 2]
                defined = named + classes[5 * o + 3]
            i = place - start
            at = blocks[_BLOCKS * o + _SYMDEF] + _SYM_SIZE * i
            name_size[row] = cython.cast(cython.int, _signed(_u32(data, at)))
            name_at[row] = base[o] + _u32(data, at + 4)
            version[row] = _version(data, at, static[o], abis)
            obj[row] = 0
            number[row] = 0
            kind[row] = 0
            size[row] = 0
            align[row] = 0
            flags[row] = 0
            data_at[row] = -1
            data_size[row] = 0
            if i >= defined:
                continue
            obj[row] = cython.cast(cython.int, o)
            number[row] = cython.cast(cython.int, i)
            kind[row] = kinds[data[at + 10]]
            flags[row] = own[o] | _flags(data, at, flag2) | (hashed if long <= i < named else 0)
            size[row] = _u32(data, at + 13)
            align[row] = cython.cast(cython.int, max(_signed(_u32(data, at + 17)), 0))
            at = blocks[_BLOCKS * o + _DATAIDX] + 4 * i
            place = _signed(_u32(data, at + 4) - _u32(data, at))
            if place:
                data_size[row] = place
                data_at[row] = blocks[_BLOCKS * o + _DATABLOCK] + _u32(data, at)
    if bad >= 0:
        raise IndexError(f"there is no symbol at place {places[bad]}")


def numbered(
    leader: cython.const[cython.int][::1],
    stage: cython.const[cython.uchar][::1],
):
    """Number symbols from 1 on: rows that lead themselves are new ones, first those of stage 0 in
    their order, then those of 1, of 2. Returns the number of each row's leader, int32[n], and the
    rows by number, int32[m]. Raises IndexError for a leader that does not lead itself.

    ``rows = [i for s in range(3) for i in range(n) if leader[i] == i and stage[i] == s]``, then
    ``[1 + rows.index(leader[i]) for i in range(n)], rows``
    """
    n: cython.longlong = leader.shape[0]
    if stage.shape[0] != n:
        raise ValueError("columns of rows differ in length")
    numbers = np.zeros(n, np.int32)
    number: cython.int[::1] = numbers
    order = np.empty(n, np.int32)
    rows: cython.int[::1] = order
    i: cython.longlong
    s: cython.longlong
    count: cython.longlong = 0
    bad: cython.longlong = -1
    with cython.nogil:
        for s in range(3):
            for i in range(n):
                if leader[i] == i and stage[i] == s:
                    rows[count] = cython.cast(cython.int, i)
                    count += 1
                    number[i] = cython.cast(cython.int, count)
        for i in range(n):
            if leader[i] < 0 or leader[i] >= n or number[leader[i]] == 0:
                bad = i
                break
            number[i] = number[leader[i]]
    if bad >= 0:
        raise IndexError(f"row {bad} is led by one that does not lead itself")
    return numbers, order[:count]


def shared(
    ids: cython.const[cython.int][::1],
    winner: cython.const[cython.int][::1],
    refers: cython.const[cython.uchar][::1],
    flags: cython.const[cython.uint][::1],
    align: cython.const[cython.int][::1],
    sticky: cython.uint,
    all_flags: cython.uint[::1],
    most_align: cython.int[::1],
):
    """Give symbols what rows other than their winners say: the ``sticky`` ones of their flags, and
    the largest alignment. Row i is of symbol ``ids[i]``, of which it is the winner when ``winner``
    of the symbol is i; a row that ``refers``, and defines nothing, has no alignment. Raises
    IndexError for symbols that there are not.

    ``for i, s in enumerate(ids): all_flags[s] |= flags[i] & sticky; most_align[s] max= align[i]``
    """
    n: cython.longlong = ids.shape[0]
    symbols: cython.longlong = winner.shape[0]
    if not (refers.shape[0] == flags.shape[0] == align.shape[0] == n) or not (
        all_flags.shape[0] == most_align.shape[0] == symbols
    ):
        raise ValueError("columns differ in length")
    i: cython.longlong
    s: cython.longlong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(n):
            s = ids[i]
            if s < 0 or s >= symbols:
                bad = i
                break
            if refers[i]:
                all_flags[s] |= flags[i] & sticky
            elif winner[s] != i:
                all_flags[s] |= flags[i] & sticky
                most_align[s] = max(most_align[s], align[i])
    if bad >= 0:
        raise IndexError(f"row {bad} is of symbol {ids[bad]}, and there are {symbols}")
