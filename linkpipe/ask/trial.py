"""Links a program with one pipeline or another, each time in a process of its own, and tries what
comes out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from attrs import frozen

from linkpipe.packages.gobuild import capture

NOTHING_TOLD = 125
"""The status of a test that says nothing, as for `git bisect run`."""

_LINK = f"""
import sys
from linkpipe import api
from linkpipe.errors import LinkpipeError, PipelineError
pipeline, output, kind, *words = sys.argv[1:]
try:
    api.link(words[0] if kind == "file" else words, until="", pipeline=pipeline, output=output)
except LinkpipeError as e:
    print(e.render(), file=sys.stderr)
    sys.exit({NOTHING_TOLD} if isinstance(e, PipelineError) else 1)
"""


@frozen
class Trial:
    """A program, and a test of what it is linked to.

    Attributes:
        words: the arguments of its link, or the file of a saved link.
        saved: whether they are a file.
        variables: the environment of its link.
        folder: where outputs are written.
        command: the test, for a shell: ``$1`` is the output. Empty: that there is one.
        seconds: what a link, and a test, may take; what takes longer has failed.
        tool: the toolchain's own linker, where it is known.
    """

    words: tuple[str, ...]
    saved: bool
    variables: Mapping[str, str]
    folder: str
    command: str = ""
    seconds: float = 300.0
    tool: str = ""

    @classmethod
    def of(
        cls,
        target: str | Sequence[str],
        flags: Sequence[str],
        folder: str,
        command: str,
        seconds: float,
    ) -> Trial:
        """Of a package, which is compiled now, of a saved link, or of the arguments of a link.
        Raises UserError where the go command fails."""
        from linkpipe.engine.saved import is_saved

        rest = (folder, command, seconds)
        if not isinstance(target, str):
            return cls((*flags, *target), False, os.environ, *rest)
        if is_saved(target):
            return cls((os.path.abspath(target),), True, os.environ, *rest)
        found = capture(target, flags, folder)
        return cls(found.args, False, {**os.environ, **found.variables}, *rest, found.tool)

    def __call__(self, pipeline: str) -> bool | None:
        """Link with a pipeline file and try the output: whether the test holds; None where the
        pipeline cannot be planned, or the test says nothing."""
        output = self._output()
        kind = "file" if self.saved else "arguments"
        link = [sys.executable, "-P", "-c", _LINK, pipeline, output, kind, *self.words]
        return _verdict(self._run(link)) and self._try(output)

    def with_go_tool_link(self) -> bool | None:
        """The same for what the toolchain's own linker writes; None where it is not known."""
        if not self.tool:
            return None
        output = self._output()
        link = [self.tool, *self.words[:-1], "-o", output, self.words[-1]]
        return _verdict(self._run(link)) and self._try(output)

    def _output(self) -> str:
        output = os.path.join(self.folder, "linked")
        with suppress(FileNotFoundError):
            os.unlink(output)
        return output

    def _try(self, output: str) -> bool | None:
        if not self.command:
            return True
        return _verdict(self._run(["sh", "-c", self.command, "sh", output]))

    def _run(self, command: Sequence[str]) -> int:
        """The status; what is printed goes to standard error, and what hangs is ended, with all
        that it started."""
        process = subprocess.Popen(
            command,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            start_new_session=True,
        )
        try:
            return process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _verdict(status: int) -> bool | None:
    return None if status == NOTHING_TOLD else status == 0
