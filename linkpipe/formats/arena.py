"""One address space for every input byte.

The linker's kernels work on all objects at once, so every input file is mapped
into one contiguous span of memory and a byte is named by one integer: its
offset in the arena. Files are mapped, not read: pages that no kernel touches
(debug information, export data, unreachable code) are never loaded.

The span is reserved first, no more than addresses; each file is then mapped over its
slice of it. Where that is refused the file is read into its slice.

Behind the files is room for contents that the linker makes many at once, so that kernels read
them as they read those of files.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import table
from linkpipe.arrays.filememory import map_over, reserve
from linkpipe.arrays.types import I64, U8, U32, U64, Structs
from linkpipe.errors import InputError, UserError, os_error
from linkpipe.process import ledger

_LARGEST = 1 << 46
"""Bytes; no machine has addresses for more, and sums stay far from 2**63."""
_LEFT_OUT = -1
_ROOM = 1 << 20
"""Bytes for contents that are made, beside a quarter of what the files take: debug information of
what is kept is far less."""
_SPARE = 8
"""Bytes behind the last content: gathers of 8-byte words may read past its end."""
_MORE = "give the link more address space (ulimit -v); or is the file no archive of a package?"


def _no_room(content: memoryview) -> int:
    return -1


@table
class Arena:
    """A contiguous, read-only span of bytes that input files are mapped into.

    Attributes:
        bytes: uint8[n], all of the span; pages past the end of a file are zero.
        made: the offset behind the files, where contents begin that were made.
        put: copies a content of k bytes behind those that were made before and tells its
            offset, -1 where there is no room for it. Nothing is ever put in its place.
        let_go: takes the files' pages out of this process's memory, which grows with every page
            that is touched and, around it, with 15 more; one that is touched again comes from the
            page cache. Does nothing where a file had to be read into its slice.
    """

    bytes: U8
    made: int = _LARGEST
    put: Callable[[memoryview], int] = _no_room
    let_go: Callable[[], object] = bool

    def view(self, at: int, size: int) -> memoryview:
        """The bytes [at, at+size) without a copy."""
        return memoryview(self.bytes)[at : at + size]

    def u32_at(self, at: int) -> int:
        """One little-endian 32-bit word."""
        return int.from_bytes(self.view(at, 4), "little")

    def u32(self, at: I64) -> U32:
        """Little-endian 32-bit words at the (unaligned) offsets ``at``: uint32[len(at)]."""
        return self._words("<u4", at)

    def u64(self, at: I64) -> U64:
        """Little-endian 64-bit words at the (unaligned) offsets ``at``: uint64[len(at)]."""
        return self._words("<u8", at)

    def records(self, at: I64, dtype: np.dtype[np.void]) -> Structs:
        """Packed records of ``dtype`` at the offsets ``at``: dtype[len(at)]."""
        # Gathered as opaque bytes: numpy copies those four times as fast as records with fields.
        return self._words(f"V{dtype.itemsize}", at).view(dtype)

    def field(self, at: I64, dtype: np.dtype[np.void], name: str) -> npt.NDArray[Any]:
        """A field of such records: ``records(at, dtype)[name]``."""
        assert dtype.fields is not None
        kind, offset, *_ = dtype.fields[name]
        return self._words(kind, at + offset)

    def _words(self, dtype: npt.DTypeLike, at: I64) -> npt.NDArray[Any]:
        dt = np.dtype(dtype)
        # A view whose elements overlap: element i is the word that starts at byte i.
        count = len(self.bytes) - dt.itemsize + 1
        return np.ndarray((count,), dt, buffer=self.bytes.data, strides=(1,))[at]


class MappedFiles:
    """Maps files into the span of an arena.

    ``sizes`` are upper bounds in bytes, one for each file that may be mapped;
    slices start at page boundaries, in the given order. Where there are not addresses
    enough for all of them, the largest are left out: perhaps nobody needs them.

    Attributes:
        arena: the span, to read from; only ``map`` writes to it.
        bases: int64[len(sizes)], the offset where each file's slice starts.
    """

    def __init__(self, sizes: npt.ArrayLike) -> None:
        page = mmap.PAGESIZE
        self._sizes = np.array(sizes, np.int64)
        self._sizes[self._sizes > _LARGEST] = _LEFT_OUT
        room = _ROOM + int(np.maximum(self._sizes, 0).sum()) // 4
        while True:
            # One spare page after each file: gathers of 8-byte words may read past a file's end.
            ends = np.cumsum(round_up(np.maximum(self._sizes, 0), page) + page)
            self.bases = np.concatenate(([0], ends[:-1])).astype(np.int64)
            end = int(ends[-1]) if len(ends) else page
            try:
                self._span = reserve(end + room)
                break
            except OSError as e:
                if room:
                    room = 0
                    continue
                if self._sizes.max(initial=0) <= 0:
                    raise UserError(
                        f"cannot reserve {end} bytes of address space: {os_error(e)}",
                        status=2,
                        remedy=_MORE,
                    ) from e
                self._sizes[np.argmax(self._sizes)] = _LEFT_OUT
        whole = np.frombuffer(memoryview(self._span).toreadonly(), np.uint8)
        self._read: list[int] = []
        self.arena = Arena(
            whole, end, _putting(self._span, end), _letting_go(self._span, self._read, end)
        )
        self._address: int = whole.ctypes.data

    def map(self, slot: int, path: str) -> int:
        """Map the file ``path`` over slice ``slot``; return its size in bytes.

        Raises InputError when the file cannot be opened, or has grown since it was measured.
        """
        base, limit = int(self.bases[slot]), int(self._sizes[slot])
        try:
            # A pipe without a writer is none to wait for: what is mapped is a file.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as e:
            # No path has a NUL in it, says Python before it asks.
            why = os_error(e) if isinstance(e, OSError) else f"open {path}: invalid argument"
            raise InputError(
                f"cannot open file {path}: {why}", file=path, remedy="check the importcfg"
            ) from e
        try:
            size = os.fstat(fd).st_size
            if limit == _LEFT_OUT:
                raise InputError(
                    f"cannot open file {path}: there is no address space for its {size} bytes",
                    file=path,
                    remedy=_MORE,
                )
            if size > limit:
                raise InputError(
                    "file changed while it was being linked",
                    file=path,
                    expected=f"{limit} bytes",
                    found=f"{size} bytes",
                    remedy="do not rebuild packages during a link; link again",
                )
            ledger.opened(size, path)
            if size and not self._mapped(fd, base, size):
                self._read.append(slot)
                with open(fd, "rb", closefd=False) as f:
                    f.readinto(memoryview(self._span)[base : base + size])
            return size
        except OSError as e:
            raise InputError(
                f"reading input: read {path}: {(e.strerror or str(e)).lower()}",
                file=path,
                status=1,
                remedy="check its permissions and that it is a regular file",
            ) from e
        finally:
            os.close(fd)

    def _mapped(self, fd: int, base: int, size: int) -> bool:
        try:
            map_over(self._address + base, size, fd)
        except OSError:
            return False
        return True


# What an arena does, of its span alone: with the files it would be a cycle.


def _letting_go(span: mmap.mmap, read: Sequence[int], end: int) -> Callable[[], None]:
    def let_go() -> None:
        if not read:
            span.madvise(mmap.MADV_DONTNEED, 0, end)

    return let_go


def _putting(span: mmap.mmap, end: int) -> Callable[[memoryview], int]:
    lock, used = threading.Lock(), end  # passes may run beside others

    def put(content: memoryview) -> int:
        nonlocal used
        with lock:
            start = used
            if len(content) > len(span) - start - _SPARE:
                return -1
            used += len(content)
        memoryview(span)[start : start + len(content)] = content
        return start

    return put
