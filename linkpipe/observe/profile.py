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

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import attrs

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.errors import UserError, os_error


class ProfileFile:
    """A file for a profile: opened once, before there is one, for it may be a pipe."""

    def __init__(self, name: str) -> None:
        """It has to take one, or there is no link. Raises UserError."""
        self._name = name
        with self._told("open"):
            self._stream = open(name, "wb")  # noqa: SIM115 - until the profile is there

    def take(self, save: Callable[[BinaryIO], object]) -> None:
        """What ``save`` writes, and no more. Raises UserError."""
        with self._told("write"), self._stream as stream:
            save(stream)

    @contextmanager
    def _told(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            nameless = OSError(e.errno, e.strerror)
            raise UserError(
                f"{verb} {self._name}: {os_error(nameless)}",
                remedy="make room for a profile there, or name another file",
            ) from e


class Processor:
    """What functions cost between ``start`` and ``stop``, which may come again."""

    def __init__(self, file: str) -> None:
        """``file`` has to take it, or there is no link. Raises UserError."""
        import cProfile

        self._file = ProfileFile(file)
        self._profile = cProfile.Profile()

    def start(self) -> None:
        """Count from here on."""
        self._profile.enable()

    def stop(self) -> None:
        """Count no more."""
        self._profile.disable()

    def write(self) -> None:
        """Write what was counted, as Profile.dump_stats does. Raises UserError."""
        import marshal

        self._profile.create_stats()
        stats = self._profile.stats
        self._file.take(lambda stream: marshal.dump(stats, stream))


class Memory:
    """What Python and numpy have allocated."""

    _started = False

    def start(self) -> None:
        """Count from here on."""
        import tracemalloc

        self._started = not tracemalloc.is_tracing()
        tracemalloc.start()

    def stop(self) -> None:
        """Count no more, unless somebody else does."""
        import tracemalloc

        if self._started:
            tracemalloc.stop()

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

    def write(self, file: ProfileFile) -> None:
        """Write which line has allocated what is held, as Snapshot.dump does. Raises UserError."""
        import pickle
        import tracemalloc

        snapshot = tracemalloc.take_snapshot()
        file.take(lambda stream: pickle.dump(snapshot, stream, pickle.HIGHEST_PROTOCOL))


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
    in_turn = True

    def __init__(self, options: ProfileOptions) -> None:
        self._options = options
        self._processor: Processor | None = None
        self._file: ProfileFile | None = None
        self._memory = Memory()

    @property
    def wants_link(self) -> bool:
        """A profile is that of a link that was made."""
        return False

    def on_start(self, plan: Plan, link: Link) -> None:
        """Start to count."""
        cpu, memory = self._options.cpu, self._options.memory
        self._file = ProfileFile(memory) if memory else None
        self._processor = Processor(cpu) if cpu else None
        if self._file:
            self._memory.start()
        if self._processor:
            self._processor.start()

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """Write what there is."""
        self.on_end(link)

    def on_end(self, link: Link) -> None:
        """Write the profiles."""
        if self._processor:
            self._processor.stop()
        try:
            if self._processor:
                self._processor.write()
            if self._file:
                self._memory.now()
                self._memory.write(self._file)
        finally:
            self._memory.stop()
