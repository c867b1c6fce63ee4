"""What a process would leave behind if it died now, told to its parent.

A child that is killed cannot tidy up, and says nothing of what it was about. So it notes both as it
goes, in memory that it shares with its parent: nothing has to be read while the child is well, and
what was noted is there when it is not. Without a parent nothing is noted.

    doing(what)              whose code runs now: "pass load"
    opened(size, path)       an input of so many bytes was mapped
    making(path)             a file or folder that must not stay when the child dies
    aside(path, kept)        what was at ``path`` has been moved to ``kept``, and has to come back
    started(group)           a process group was started ...
    ended(group)             ... and has ended
    finished(status)         the child's last word: the status that it ends with
"""

from __future__ import annotations

import mmap
import os

TYPE_CHECKING = False  # typing's takes long to import for one who waits for a server's child
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SIZE = 8 << 20
"""Bytes of the shared memory, of which only what is written to is ever allocated."""

_memory: mmap.mmap | None = None
_inputs: dict[str, int] = {}


def share(file: int = -1) -> mmap.mmap:
    """Memory in which this process's children note things from now on; that of a file, for one
    that is a server's child."""
    global _memory  # noqa: PLW0603 - one for each process
    if file >= 0 and os.fstat(file).st_size < _SIZE:
        os.ftruncate(file, _SIZE)
    _memory = mmap.mmap(file, _SIZE)
    return _memory


def forget() -> None:
    """Note nothing any more: there is no parent after all."""
    global _memory  # noqa: PLW0603 - one for each process
    _memory = None


def doing(what: str) -> None:
    """Note whose code runs now: "pass load", "observer dump", "" for linkpipe's own."""
    _note("doing", what)


def opened(size: int, path: str) -> None:
    """Note that an input was mapped when it had ``size`` bytes."""
    path = os.path.abspath(path)
    _inputs[path] = size
    _note("input", str(size), path)


def begin() -> None:
    """Forget the inputs of the link before."""
    _inputs.clear()


def changed(inputs: Mapping[str, int] | None = None) -> list[tuple[str, int, int | None]]:
    """Of inputs (those of this process's link if not given), path -> size, those that have another
    size now: path, size when it was opened, size now or None when it is gone. (Times tell nothing:
    the go command sets them when it uses a file.)"""
    found = [(path, size, _size(path)) for path, size in (inputs or _inputs).items()]
    return [(path, was, now) for path, was, now in found if now != was]


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def making(path: str) -> None:
    """Note a file or folder that is removed when the child dies."""
    _note("making", os.path.abspath(path))


def aside(path: str, kept: str) -> None:
    """Note that what was at ``path`` is at ``kept``, to be moved back when the child dies."""
    _note("aside", os.path.abspath(path), os.path.abspath(kept))


def started(group: int) -> None:
    """Note a process group to be ended when the child dies."""
    _note("started", str(group))


def ended(group: int) -> None:
    """Note that a process group has ended: its number may be somebody else's soon."""
    _note("ended", str(group))


def finished(status: int) -> None:
    """Note the status that the child ends with."""
    _note("finished", str(status))


def noted(memory: mmap.mmap) -> Iterator[tuple[str, ...]]:
    """What was noted, in order: the kind and its words. A note that was not written to its end is
    left out."""
    memory.seek(0)
    text = memory.read(memory.find(_REST, 0)).decode("utf-8", "surrogateescape")
    for note in text.split(_END.decode())[:-1]:
        yield tuple(note.split("\0"))


_END, _REST = b"\0\n", b"\0\0\0"
"""Behind each note (no word begins with a line feed); behind the last (one word may be empty)."""


def _note(*words: str) -> None:
    if _memory is None:
        return
    note = "\0".join(words).encode("utf-8", "surrogateescape") + _END
    # The last word has to have room, whatever was noted before it.
    spare = len(_REST) if words[0] == "finished" else 1 << 10
    if _memory.tell() + len(note) + spare < _SIZE:
        _memory.write(note)
