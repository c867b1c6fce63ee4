"""-benchmark: what each phase of a link cost, a line for each, for Go's tools for benchmarks.

Phases have the names of `go tool link`, so that `benchstat` puts both linkers side by side; which
pass belongs to which of them the pipeline says (``phase``). A phase without a pass that ran has no
line, those that linkpipe has nothing of (computeTLSOffset, layout, ...) have none either; libinit
is the time until the first pass, the start of Python included.

    BenchmarkDeadcode 1 14068052 ns/op	38170624 peak-RSS-bytes            (-benchmark=cpu)
    BenchmarkDeadcode_GC 1 14068052 ns/op	9940904 live-B	12040004 peak-B    (-benchmark=mem)

Times are wall time, but for libinit, whose is the processor's. Memory is counted otherwise than in
Go, so it has units of its own: Python does not keep count of what has been allocated in all.
``peak-RSS-bytes`` is the largest size of the process so far; ``live-B`` is what Python and numpy
hold at the end of the phase, after a collection, and ``peak-B`` the most that they held in it
(tracemalloc: without mapped files, and slower). ``-benchmarkprofile`` writes for each phase what
cProfile finds (``BASE_BenchmarkX.cpuprof``) and, with ``mem``, a snapshot of tracemalloc
(``.memprof``).

Source: cmd/link/internal/benchmark/bench.go.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import attrs

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.observe.profile import Memory, Processor, ProfileFile
from linkpipe.observe.timing import peak_rss
from linkpipe.output.stdout import say
from linkpipe.process.parent import spent

if TYPE_CHECKING:
    from collections.abc import Iterator

_START = "libinit"


@attrs.frozen
class BenchmarkOptions:
    """Attributes:
    mode: "cpu", or "mem" to have memory counted too.
    profiles: what the names of profiles begin with; none for no profiles.
    """

    mode: str = attrs.field(default="cpu", validator=attrs.validators.in_(("cpu", "mem")))
    profiles: str = ""


@attrs.define
class _Phase:
    """What a phase cost: seconds, bytes at its end, the most bytes in it; its profile."""

    seconds: float = 0.0
    held: int = 0
    most: int = 0
    processor: Processor | None = None


class Benchmark(Observer):
    """Observer "benchmark"."""

    options = BenchmarkOptions

    def __init__(self, options: BenchmarkOptions) -> None:
        self._profiles = options.profiles
        self._memory = Memory() if options.mode == "mem" else None
        self._phases: dict[str, _Phase] = {}

    def on_start(self, plan: Plan, link: Link) -> None:
        """Note what it took to get here."""
        most = 0 if self._memory else peak_rss()
        self._phases[_START] = _Phase(spent() + time.process_time(), most=most)
        if self._memory:
            self._memory.start()

    def before_pass(self, planned: Planned, link: Link) -> None:
        """Begin its phase, or go on with it."""
        phase = self._phases.setdefault(planned.step.phase or planned.name, _Phase())
        if self._memory:
            self._memory.forget_peak()
        if self._profiles:
            phase.processor = phase.processor or Processor(self._file(planned, "cpuprof"))
            phase.processor.start()

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Add what it cost to its phase."""
        phase = self._phases[planned.step.phase or planned.name]
        if phase.processor:
            phase.processor.stop()
        phase.seconds += seconds
        if not self._memory:
            phase.most = peak_rss()
            return
        phase.held, most = self._memory.now()
        phase.most = max(phase.most, most)
        if self._profiles:
            self._memory.write(ProfileFile(self._file(planned, "memprof")))

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """Count no more, and write the profiles; half a link has no lines."""
        self._finish()

    def on_end(self, link: Link) -> None:
        """Count no more, and write all of it."""
        self._finish()
        say("".join(f"{line}\n" for line in self._lines()))

    def _finish(self) -> None:
        if self._memory:
            self._memory.stop()
        found = [phase.processor for phase in self._phases.values() if phase.processor]
        for processor in found:
            processor.stop()
        for processor in found:
            processor.write()

    def _lines(self) -> Iterator[str]:
        for name, phase in self._phases.items():
            line = f"{self._name(name)} 1 {round(phase.seconds * 1e9)} ns/op\t"
            if self._memory:
                yield f"{line}{phase.held} live-B\t{phase.most} peak-B"
            else:
                yield f"{line}{phase.most} peak-RSS-bytes"
        total = sum(phase.seconds for phase in self._phases.values())
        yield f"{self._name('total time')} 1 {round(total * 1e9)} ns/op"

    def _name(self, phase: str) -> str:
        return benchmark_name(f"{phase}_GC" if self._memory else phase)

    def _file(self, planned: Planned, kind: str) -> str:
        return f"{self._profiles}_{benchmark_name(planned.step.phase or planned.name)}.{kind}"


def benchmark_name(text: str) -> str:
    """Words as the name of a benchmark: each begins with a capital letter."""
    return "Benchmark" + re.sub(r"(?:\s+|^)(\S?)", lambda found: found[1].upper(), text)
