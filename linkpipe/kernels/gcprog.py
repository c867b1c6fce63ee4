"""GC programs: where pointers lie in a stretch of memory, as a short program.

A program is a sequence of instructions, each a byte and its operands; run, it writes one bit for
each word of memory, 1 for a pointer:

    00000000        stop
    0nnnnnnn        write the n bits of the next (n+7)/8 bytes, least significant bit first
    10000000 n c    write the last n bits c times more (n, c: LEB128)
    1nnnnnnn c      the same with n in the instruction

Source: cmd/internal/gcprog; the runtime runs them in mbitmap.go (progToPointerMask). The types that
callers see, numpy's, stand in gcprog.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

_MOST_LITERAL = cython.declare(cython.longlong, 127)  # bits that one instruction can write
_LONG = cython.declare(cython.longlong, 32)  # zeros from here on are written by repetition
_FAR = cython.declare(cython.longlong, 1 << 62)  # no memory has so many words
_STEP = cython.declare(cython.longlong, 40)  # more bytes than zeros and a repetition can take

# What the writers below hand on: the bytes written; where the last instruction that writes bits
# stands; how many it has (0: the next bit needs another).
_END = cython.declare(cython.longlong, 0)
_HEAD = cython.declare(cython.longlong, 1)
_BITS = cython.declare(cython.longlong, 2)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _byte(
    out: cython.uchar[::1], state: cython.longlong[::1], value: cython.longlong
) -> cython.void:
    out[state[_END]] = cython.cast(cython.uchar, value)
    state[_END] += 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _bit(
    out: cython.uchar[::1], state: cython.longlong[::1], value: cython.longlong
) -> cython.void:
    """Write a bit, if need be with an instruction of its own."""
    bits: cython.longlong = state[_BITS]
    if bits == 0:
        state[_HEAD] = state[_END]
        _byte(out, state, 0)
    if bits & 7 == 0:
        _byte(out, state, 0)
    out[state[_END] - 1] |= cython.cast(cython.uchar, value << (bits & 7))
    out[state[_HEAD]] += 1
    state[_BITS] = bits + 1 if bits + 1 < _MOST_LITERAL else 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _uleb(
    out: cython.uchar[::1], state: cython.longlong[::1], value: cython.longlong
) -> cython.void:
    while value >= 128:
        _byte(out, state, value & 127 | 128)
        value >>= 7
    _byte(out, state, value)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _repeat(
    out: cython.uchar[::1],
    state: cython.longlong[::1],
    words: cython.longlong,
    times: cython.longlong,
) -> cython.void:
    """The last so many words come so many times more."""
    if words == 0 or times == 0:
        return
    state[_BITS] = 0
    if words < 128:
        _byte(out, state, 128 | words)
    else:
        _byte(out, state, 128)
        _uleb(out, state, words)
    _uleb(out, state, times)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _zeros(
    out: cython.uchar[::1], state: cython.longlong[::1], count: cython.longlong
) -> cython.void:
    """So many words are no pointers."""
    if count >= _LONG:
        _bit(out, state, 0)
        _repeat(out, state, 1, count - 1)
    else:
        while count:
            _bit(out, state, 0)
            count -= 1


def program(
    words: cython.const[cython.longlong][::1],
    types: cython.const[cython.longlong][::1],
    first: cython.const[cython.longlong][::1],
    at: cython.const[cython.longlong][::1],
    lengths: cython.const[cython.longlong][::1],
    times: cython.const[cython.longlong][::1],
    size: cython.longlong,
):
    """The program for values that lie at ``words`` and have the types ``types``, in a stretch of
    ``size`` words: uint8[k]; and for each value whether one of its pointers lies before what the
    values before it come to (it is not described any further): bool[n].

    The steps of type t are the rows ``first[t]:first[t + 1]`` of the last three columns; with
    ``times`` -1 a step is a pointer, at word ``at`` of the value; else what ends there and is
    ``lengths`` words long comes so many times more. Raises IndexError for a type without steps in
    these columns, and ValueError for a negative word or length.
    """
    if words.shape[0] != types.shape[0]:
        raise ValueError("words and types differ in length")
    if at.shape[0] != lengths.shape[0] or at.shape[0] != times.shape[0]:
        raise ValueError("at, lengths and times differ in length")
    i: cython.longlong
    j: cython.longlong
    total: cython.longlong = 0
    for i in range(types.shape[0]):
        j = types[i]
        if words[i] < 0:
            raise ValueError(f"value {i} lies before the first word")
        if not (0 <= j < first.shape[0] - 1 and 0 <= first[j] <= first[j + 1] <= at.shape[0]):
            raise IndexError(f"value {i} has no steps")
        total += first[j + 1] - first[j]
    for i in range(at.shape[0]):
        if at[i] < 0 or lengths[i] < 0:
            raise ValueError(f"step {i} is negative")
    overlaps = np.zeros(types.shape[0], np.bool_)
    made = np.empty((total + 1) * _STEP, np.uint8)
    wrong: cython.uchar[::1] = overlaps.view(np.uint8)
    out: cython.uchar[::1] = made
    state: cython.longlong[::1] = np.zeros(3, np.int64)
    index: cython.longlong = 0  # words that are described
    word: cython.longlong
    with cython.nogil:
        for i in range(types.shape[0]):
            for j in range(first[types[i]], first[types[i] + 1]):
                word = words[i] + at[j] if at[j] <= _FAR - words[i] else _FAR
                if word < index:
                    wrong[i] = 1
                    break
                _zeros(out, state, word - index)
                if times[j] < 0:
                    _bit(out, state, 1)
                    index = word + 1
                else:
                    _repeat(out, state, lengths[j], times[j])
                    index = word
                    if lengths[j] and times[j] > (_FAR - word) // lengths[j]:
                        index = _FAR
                    else:
                        index += lengths[j] * times[j]
        if size > index:
            _zeros(out, state, size - index)
        _byte(out, state, 0)
    return made[: state[_END]], overlaps
