"""The C allocator, set up for a program that makes and drops large arrays.

By default glibc gives every large block back to the kernel when it is freed and asks for it
again a moment later; touching fresh pages then costs as much as the work done in them. A link
is short and makes thousands of such arrays, so freed memory is kept for the next one.
"""

from __future__ import annotations

import ctypes

# <malloc.h>
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEEP = 1 << 30
_STEP = 16 << 20


def keep_freed_memory() -> None:
    """Let freed memory be used again instead of being returned to the kernel.

    Does nothing where the C library has no ``mallopt`` (musl).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, _KEEP)
    mallopt(_M_TRIM_THRESHOLD, _KEEP)
    mallopt(_M_TOP_PAD, _STEP)
