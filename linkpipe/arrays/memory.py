"""The C allocator, set up for a program that makes and drops large arrays.

By default glibc gives every large block back to the kernel when it is freed and asks for it
again a moment later; touching fresh pages then costs as much as the work done in them. A link
is short and makes thousands of such arrays, so freed memory is kept for the next one. The first
touch of each page is left, up to a quarter of a link's time: what a link will need anyway is
touched ahead, by another thread, once all files are mapped: the kernel does one or the other.
"""

from __future__ import annotations

import ctypes
import mmap
from threading import Thread
from typing import Any

from linkpipe.arrays.threads import threads

# <malloc.h>
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_KEEP = 1 << 30
_STEP = 16 << 20
_PIECE = 4 << 20
_MADV_POPULATE_WRITE = 23  # <linux/mman.h>, since Linux 5.14
_LEAST_AHEAD, _MOST_AHEAD = 32 << 20, 512 << 20

_kept: list[Any] = []
"""The C library, where freed memory is kept."""


def keep_freed_memory() -> None:
    """Let freed memory be used again instead of being returned to the kernel, by any thread: all
    have one heap.

    Does nothing where the C library has no ``mallopt`` (musl).
    """
    try:
        libc = ctypes.CDLL(None)
        mallopt = libc.mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, _KEEP)
    mallopt(_M_TRIM_THRESHOLD, _KEEP)
    mallopt(_M_TOP_PAD, _STEP)
    mallopt(_M_ARENA_MAX, 1)
    _kept.append(libc)


def touch_ahead(size: int) -> None:
    """Let another thread touch the next ``size`` bytes that this one will be given, while this one
    goes on. The memory is taken for good: ``size`` is what is needed at least. Does nothing where
    that is little, where freed memory is not kept, where there is one processor, or before Linux
    5.14."""
    if not _kept or size < _LEAST_AHEAD or threads() < 2:
        return
    libc, size = _kept[0], min(size, _MOST_AHEAD)
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    # What was at the end of the heap once is handed out again from its start, so these pages are
    # the ones that are needed next. Touching changes nothing in them, whoever owns them by then.
    start = libc.malloc(size)
    libc.free(start)
    if start is not None:
        pages = range(-(-start // mmap.PAGESIZE) * mmap.PAGESIZE, start + size - _PIECE, _PIECE)
        Thread(target=_touch, args=(libc, pages), daemon=True).start()


def _touch(libc: Any, pages: range) -> None:
    for at in pages:
        if libc.madvise(at, _PIECE, _MADV_POPULATE_WRITE):
            return
