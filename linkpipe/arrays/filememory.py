"""Memory of files: what Python's mmap does not offer, hence ctypes.

A file can be mapped over a part of a span of addresses that is reserved before. And an array that
is to become a file can lie in that file's memory from the start: written in the end, its bytes
would take memory twice, in the process and in the page cache, and memory that is touched for the
first time costs more than what is written there. cmd/link maps its output, too (outbuf_mmap.go).
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy.typing as npt

_MAP_FIXED = 0x10
_MAP_NORESERVE = 0x4000
"""As on all Linux that linkpipe runs on; Python does not have it."""
_MAP_FAILED = ctypes.c_void_p(-1).value

_libc: list[Any] = []


def reserve(size: int) -> mmap.mmap:
    """Addresses for ``size`` bytes, no more than that until they are touched, or a file is mapped
    over them. Raises OSError when there are not as many."""
    return mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)


def map_over(address: int, size: int, file: int, *, write: bool = False) -> None:
    """Map an open file over ``size`` reserved bytes from an address on: to be read, or to be
    written to as the file. Raises OSError when the kernel refuses."""
    flags = _MAP_FIXED | (mmap.MAP_SHARED if write else mmap.MAP_PRIVATE)
    access = mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)
    if _c().mmap(address, size, access, flags, file, 0) == _MAP_FAILED:
        _fail()


class FileMemory:
    """A new file without a name, all zeros, mapped, and addresses for as many bytes behind it.
    ``numpy.asarray`` gives an array of all of them, uint8[2 * size].

    The file goes with the memory if nobody gives it a name. Its bytes are taken from the file
    system before they are written to: on a disk that is full, writing would end the process.
    """

    def __init__(self, folder: str, size: int, mode: int) -> None:
        """A file on the file system of ``folder``, of ``size`` bytes, with the permissions ``mode``
        within the umask. Raises OSError where there are no such files, and for want of room."""
        self._file = -1
        self._span = reserve(2 * size)
        self._file = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
        try:
            if not self.allocate(size):
                _fail()
            self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._span))
            map_over(self.address, len(self._span), self._file, write=True)
        except BaseException:
            self._close()
            raise

    @property
    def __array_interface__(self) -> dict[str, Any]:
        shape, data = (len(self._span),), (self.address, False)
        return {"version": 3, "typestr": "|u1", "shape": shape, "data": data}

    def allocate(self, size: int) -> bool:
        """Whether the file has that many bytes, or takes them from the file system now."""
        # posix_fallocate would write to each block where this is not to be had.
        return size <= len(self._span) and not _c().fallocate(self._file, 0, 0, size)

    def name(self, path: str, size: int) -> None:
        """Let the file's first ``size`` bytes be what is at ``path``, where nothing may be yet.
        From here on they can only be read: a program that somebody may still write to is not run.
        Raises OSError where there can be no such name."""
        os.ftruncate(self._file, size)
        # Python follows symbolic links only from a folder, which an absolute path does not need.
        os.link(f"/proc/self/fd/{self._file}", path, src_dir_fd=self._file)
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            map_over(self.address, len(self._span), file)
        finally:
            os.close(file)
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __del__(self) -> None:
        self._close()


def file_of(array: npt.NDArray[Any]) -> FileMemory | None:
    """The file that an array is the beginning of, None if it is not."""
    owner = getattr(array.base, "base", None)
    if not isinstance(owner, FileMemory) or not array.flags.c_contiguous:
        return None
    return owner if array.__array_interface__["data"][0] == owner.address else None


def _c() -> Any:
    if not _libc:
        libc = ctypes.CDLL(None, use_errno=True)
        word, number = ctypes.c_size_t, ctypes.c_int
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = (word, word, number, number, number, ctypes.c_long)
        libc.fallocate.argtypes = (number, number, ctypes.c_long, ctypes.c_long)
        _libc.append(libc)
    return _libc[0]


def _fail() -> None:
    error = ctypes.get_errno()
    raise OSError(error, os.strerror(error))
