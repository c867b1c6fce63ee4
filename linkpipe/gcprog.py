"""GC programs: where pointers lie in a stretch of memory, as a small program of bits.

A program emits one bit for each word, 1 where there is a pointer. Its instructions are
``0nnnnnnn`` (emit the n bits that follow, eight to a byte, lowest first), ``1nnnnnnn c`` (repeat
the last n bits c times; c is a varint), ``10000000 n c`` (the same with n as a varint) and
``00000000`` (stop). Source: cmd/internal/gcprog/gcprog.go, runtime/mbitmap.go (runGCProg).
"""

from __future__ import annotations

_MOST = 127
"""Most bits in one instruction."""

_SHORT = 32
"""From so many zeros on, they are repeated instead of written out."""


class GCProgram:
    """A program being written, from the first word on."""

    def __init__(self) -> None:
        self.index = 0
        """Words described so far."""
        self._out = bytearray()
        self._bits = 0
        self._pending = 0

    def pointer(self, index: int) -> None:
        """Word ``index`` holds a pointer; those between the last one described and it do not."""
        self.zeros_until(index)
        self._make_room()
        self._bits |= 1 << self._pending
        self._pending += 1
        self.index += 1

    def zeros_until(self, index: int) -> None:
        """No word from here up to ``index`` holds a pointer."""
        count = index - self.index
        if count < 0:
            raise ValueError(f"word {index} has been described already")
        if count >= _SHORT:
            self._zeros(1)
            self.repeat(1, count - 1)
        else:
            self._zeros(count)

    def repeat(self, words: int, times: int) -> None:
        """What the last ``words`` words hold comes ``times`` times again."""
        if not words or not times:
            return
        self._flush()
        if words <= _MOST:
            self._out.append(0x80 | words)
        else:
            self._out.append(0x80)
            self._varint(words)
        self._varint(times)
        self.index += words * times

    def end(self, words: int) -> bytes:
        """The whole program for a stretch of ``words`` words."""
        self.zeros_until(words)
        self._flush()
        self._out.append(0)
        return bytes(self._out)

    def _zeros(self, count: int) -> None:
        self.index += count
        while count:
            self._make_room()
            some = min(count, _MOST - self._pending)
            self._pending += some
            count -= some

    def _make_room(self) -> None:
        if self._pending == _MOST:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._out.append(self._pending)
            self._out += self._bits.to_bytes((self._pending + 7) // 8, "little")
            self._bits = self._pending = 0

    def _varint(self, value: int) -> None:
        while value >= 0x80:
            self._out.append(0x80 | value & 0x7F)
            value >>= 7
        self._out.append(value)


def run(program: bytes) -> list[int]:
    """The bits that a program emits (for tests and dumps; the runtime has its own).

    Raises ValueError when it does not stop where its bytes end.
    """
    bits: list[int] = []
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = program[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    try:
        while code := program[at]:
            at += 1
            if code < 0x80:
                literal = int.from_bytes(program[at : at + (code + 7) // 8], "little")
                at += (code + 7) // 8
                bits += [literal >> i & 1 for i in range(code)]
                continue
            words = code & 0x7F or varint()
            times = varint()
            if words > len(bits):
                raise ValueError(f"{words} bits are repeated, there are {len(bits)}")
            bits += bits[-words:] * times
    except IndexError:
        raise ValueError("the program does not stop") from None
    if at + 1 != len(program):
        raise ValueError(f"the program stops at byte {at} of {len(program)}")
    return bits
