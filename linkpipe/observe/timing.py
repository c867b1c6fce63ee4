"""What each pass cost: wall time, and the process's peak memory when it ended.

``-time`` prints a table to standard error. ``-timing FILE`` (LINKPIPE_TIMING) appends one line of
JSON for each link, so that the links of one `go build` end up in one file:

    {"schema": "linkpipe.timing/1", "output": "p.so", "main": "…", "buildmode": "plugin",
     "server": "by the server, process 123",
     "before": 0.09, "total": 0.61, "peak_rss": 91234304,
     "passes": [{"name": "load", "seconds": 0.02, "peak_rss": 40136704}, …]}

Seconds are wall time; ``total`` is that from the first pass to the end of the last, which is less
than the sum where passes ran beside others (`concurrent`). ``before`` is the processor time spent
before the first pass (imports, plan); ``peak_rss`` is in bytes and never sinks: the pass that
raised it is the one that shows it first. ``server`` says whether a link server did the link, or
why it was done without one; it is empty when none was asked for.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from linkpipe import server
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.errors import UserError, os_error
from linkpipe.process.parent import spent

MIB = 1 << 20


@attrs.frozen
class TimingOptions:
    """Attributes:
    file: the file to append to; none for a table on standard error.
    """

    file: str = ""


class Timing(Observer):
    """Observer "timing"."""

    options = TimingOptions
    in_turn = False  # what the link takes as it is

    def __init__(self, options: TimingOptions) -> None:
        self.file = options.file
        self.passes: list[dict[str, Any]] = []
        self.skipped: list[str] = []
        self._before = self._begun = 0.0

    @property
    def wants_link(self) -> bool:
        """A file has a line for each link that was made, and none for one that was not."""
        return not self.file

    def on_start(self, plan: Plan, link: Link) -> None:
        """Note what it took to get here. The file has to take a line, or there is no link."""
        if self.file:
            with self._open():
                pass
        self.skipped += [step.name for step in plan.skipped]
        self._before = spent() + time.process_time()
        self._begun = time.perf_counter()

    def on_skip(self, planned: Planned, link: Link) -> None:
        """Note that it cost nothing."""
        self.skipped.append(planned.name)

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Note what it cost."""
        self.passes.append(
            {"name": planned.name, "seconds": round(seconds, 6), "peak_rss": peak_rss()}
        )

    def on_end(self, link: Link) -> None:
        """Write the result."""
        options = link.options
        result = {
            "schema": "linkpipe.timing/1",
            "output": options.o,
            "main": options.main,
            "buildmode": options.buildmode,
            "server": server.told,
            "before": round(self._before, 6),
            "total": round(time.perf_counter() - self._begun, 6),
            "peak_rss": peak_rss(),
            "passes": self.passes,
            "skipped": self.skipped,
        }
        if self.file:
            with self._open() as file:
                file.write(json.dumps(result).encode() + b"\n")
        else:
            sys.stderr.write(table(result))

    @contextmanager
    def _open(self) -> Iterator[io.FileIO]:
        """The file, without a buffer: links that end together each append a line."""
        try:
            with io.FileIO(self.file, "a") as file:
                yield file
        except OSError as e:
            raise UserError(
                f"timing: cannot write to {self.file}: {os_error(e)}",
                status=2,
                label="linkpipe",
                remedy="make room for a line there, or name another file",
            ) from e


def peak_rss() -> int:
    """The largest resident size of this process so far, bytes."""
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(result: dict[str, Any]) -> str:
    """A result as text, a line for each pass."""
    total = result["total"] or 1.0
    width = max([len(row["name"]) for row in result["passes"]] + [len("before")])
    lines = [f"{'pass':{width}}  {'ms':>8}  {'%':>5}  {'peak MiB':>8}   ({result['output']})"]
    lines.append(f"{'before':{width}}  {result['before'] * 1000:8.1f}")
    lines += [
        f"{row['name']:{width}}  {row['seconds'] * 1000:8.1f}  {row['seconds'] / total * 100:5.1f}"
        f"  {row['peak_rss'] / MIB:8.1f}"
        for row in result["passes"]
    ]
    lines.append(
        f"{'total':{width}}  {result['total'] * 1000:8.1f}  {100.0:5.1f}"
        f"  {result['peak_rss'] / MIB:8.1f}"
    )
    if result["server"]:
        lines.append(f"linked {result['server']}")
    return "\n".join(lines) + "\n"
