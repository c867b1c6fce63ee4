"""How a GC program is written, instruction by instruction: the reference of kernels/gcprog.py.

Source: cmd/internal/gcprog.
"""

from __future__ import annotations

import numpy as np

from linkpipe.formats.leb128 import uleb

_MOST_LITERAL = 127
"""Bits that one instruction can write as they are."""
_LONG = 32
"""Zeros from here on are written by repetition."""


class ProgramWriter:
    """Writes a GC program; ``index`` is the number of words described so far."""

    def __init__(self) -> None:
        self.index = 0
        self._out = bytearray()
        self._bits = bytearray()  # one byte for each bit not written yet

    def pointer(self, word: int) -> None:
        """That word is a pointer; those between are not. ValueError if it was passed already."""
        self.zero_until(word)
        self._bits.append(1)
        self.index += 1

    def zero_until(self, word: int) -> None:
        """The words up to that one are no pointers."""
        skip = word - self.index
        if skip < 0:
            raise ValueError(f"word {word} comes after word {self.index}")
        if skip < _LONG:
            self._bits += bytes(skip)
            self.index = word
            return
        self._bits.append(0)
        self.index += 1
        self.repeat(1, skip - 1)

    def repeat(self, words: int, times: int) -> None:
        """The last ``words`` words are repeated ``times`` times more."""
        if not words or not times:
            return
        self._flush()
        if words < 128:
            self._out.append(0x80 | words)
        else:
            self._out.append(0x80)
            self._out += uleb(words)
        self._out += uleb(times)
        self.index += words * times

    def finish(self) -> bytes:
        """The program."""
        self._flush()
        self._out.append(0)
        return bytes(self._out)

    def _flush(self) -> None:
        bits = np.frombuffer(bytes(self._bits), np.uint8)
        self._bits.clear()
        for start in range(0, len(bits), _MOST_LITERAL):
            part = bits[start : start + _MOST_LITERAL]
            self._out.append(len(part))
            self._out += np.packbits(part, bitorder="little").tobytes()
