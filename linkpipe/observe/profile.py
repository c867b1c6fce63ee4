"""-cpuprofile and -memprofile: where in the Python code the time goes, and the memory.

They are Python's own profiles, and no profiles that `go tool pprof` reads. The one of time is
cProfile's, for pstats (`python -m pstats FILE`) and the viewers that read it (snakeviz, gprof2dot):
calls and seconds of each function of the main thread, a kernel being one function. The one of
memory is a snapshot of tracemalloc (`tracemalloc.Snapshot.load`): what Python and numpy hold at the
end of the link, by file and line, without mapped files. It counts every allocation, so there is no
rate to set: -memprofilerate is taken, and without effect. Both make a link slower.

Profiles are written also where the link fails, as those of `go tool link` are (main.go,
startProfile).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
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


@attrs.frozen
class ProfileOptions:
    """Attributes:
    cpu: the file for the profile of time; none for no such profile.
    memory: the file for that of memory.
    """

    cpu: str = ""
    memory: str = ""


class Profile(Observer):
    """Observer "profile"."""

    options = ProfileOptions

    def __init__(self, options: ProfileOptions) -> None:
        self._options = options
        self._processor: Processor | None = None
        self._memory = Memory() if options.memory else None

    @property
    def wants_link(self) -> bool:
        """A profile is that of a link that was made."""
        return False

    def on_start(self, plan: Plan, link: Link) -> None:
        """Start to count."""
        if self._memory:
            with _opened(self._options.memory):
                self._memory.start()
        if self._options.cpu:
            self._processor = Processor(self._options.cpu)
            self._processor.start()

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """Write what there is."""
        self.on_end(link)

    def on_end(self, link: Link) -> None:
        """Write the profiles."""
        if self._processor:
            self._processor.stop()
            self._processor.write()
        if self._memory:
            self._memory.now()
            self._memory.write(self._options.memory)


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
