"""Python's own profiles: where in the code the time goes, and the memory.

They are no profiles that `go tool pprof` reads. The one of time is cProfile's, for pstats (`python
-m pstats FILE`) and the viewers that read it (snakeviz, gprof2dot): calls and seconds of each
function of the main thread, a kernel being one function. The one of memory is a snapshot of
tracemalloc (`tracemalloc.Snapshot.load`): what Python and numpy hold, by file and line, without
mapped files. Both make a link slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from linkpipe.errors import UserError, os_error


class Processor:
    """What functions cost between ``start`` and ``stop``, which may come again."""

    def __init__(self, file: str) -> None:
        """``file`` has to take it, or there is no link. Raises UserError."""
        import cProfile

        self._file = file
        self._profile = cProfile.Profile()
        with _opened(file):
            pass

    def start(self) -> None:
        """Count from here on."""
        self._profile.enable()

    def stop(self) -> None:
        """Count no more."""
        self._profile.disable()

    def write(self) -> None:
        """Write what was counted. Raises UserError."""
        with _opened(self._file):
            self._profile.dump_stats(self._file)


class Memory:
    """What Python and numpy have allocated."""

    def start(self) -> None:
        """Count from here on."""
        import tracemalloc

        tracemalloc.start()

    def forget_peak(self) -> None:
        """The most is counted from here on."""
        import tracemalloc

        tracemalloc.reset_peak()

    def now(self) -> tuple[int, int]:
        """Bytes that are held, without what can be collected; and the most that have been."""
        import gc
        import tracemalloc

        most = tracemalloc.get_traced_memory()[1]
        gc.collect()
        return tracemalloc.get_traced_memory()[0], most

    def write(self, file: str) -> None:
        """Write which line has allocated what is held. Raises UserError."""
        import tracemalloc

        with _opened(file):
            tracemalloc.take_snapshot().dump(file)


@contextmanager
def _opened(file: str) -> Iterator[None]:
    """The file can be written, while it is. Raises UserError, in the oracle's words."""
    try:
        with open(file, "w"):
            yield
    except OSError as e:
        raise UserError(
            os_error(e), remedy="make room for a profile there, or name another file"
        ) from e
