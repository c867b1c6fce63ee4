"""Whether a binary is what its source gives: it is built and linked again, and compared.

A binary says how it was built (`go version -m`). The go command compiles the same again with these
settings, linkpipe links what it compiled, and the bytes have to be the same. The build ID, which
names the linker and stands in the file, is taken from the binary: its parts are the action of the
link, the build ID of the main package, and the hash of the file, in whose place the linker is given
the action once more (cmd/go/internal/work/buildid.go).

Flags of the linker are not written down by a build with -trimpath; those that the file itself
shows are added, and named (linkpipe.ask.rebuilt, linkpipe.ask.stamps).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import attrs

from linkpipe.ask import recorded
from linkpipe.ask.firstdifference import Difference, first_difference
from linkpipe.ask.rebuilt import Clues
from linkpipe.ask.stamps import stamps
from linkpipe.compare import buildinfo
from linkpipe.compare.buildinfo import BuildInfo
from linkpipe.compare.files import differences
from linkpipe.engine.context import Link
from linkpipe.engine.session import options_for, run_link
from linkpipe.errors import InputError, UserError
from linkpipe.formats import elfread
from linkpipe.formats.elfread import Elf
from linkpipe.packages.gobuild import Captured, capture, go_env
from linkpipe.values import Value, evolve, record

_NOTE = 16
"""Bytes of a note before its text: sizes, type, and the name "Go"."""
_BUILD_ID = re.compile(r"[\w-]{20}(/[\w-]{20}){3}", re.ASCII)
_LINES = 5
"""Lines of what `linkpipe compare` says of two files that differ."""


@record
class Guess(Value):
    """What most likely explains that a binary is not what its source gives.

    Attributes:
        name: a setting ("-ldflags", "-tags", "CGO_ENABLED"), "module", "vcs", "source",
            "strip".
        text: how.
        proven: whether the bytes are the same when it is assumed.
    """

    name: str
    text: str
    proven: bool = False


@record
class Verify(Value):
    """The answer.

    Attributes:
        file: the binary.
        go_version, package: what it was built with, and what was built.
        same: whether it is what they give.
        assumed: flags of the linker that the file shows and does not say, with -trimpath.
        difference: where it first differs.
        guesses: what explains it, the likeliest first.
        lines: the beginning of what `linkpipe compare` says.
    """

    file: str
    go_version: str
    package: str
    same: bool
    assumed: tuple[str, ...]
    difference: Difference | None
    guesses: tuple[Guess, ...]
    lines: tuple[str, ...]


def verify(binary: str, package: str = "", flags: Sequence[str] = ()) -> Verify:
    """Build and link a binary again, and compare. ``package`` is what to build, seen from the
    current folder, when it is not the one that the binary names; ``flags`` are more flags of go
    build.

    Raises OSError for a file that cannot be read, InputError for one that has no build information,
    or was built with flags that are not taken from a binary, UserError and others where it cannot
    be built or linked here.
    """
    file = elfread.read(binary)
    info = buildinfo.read(file)
    if info is None or not info.path:
        raise InputError(
            f"{binary}: no build information",
            file=binary,
            remedy="only what `go build` built can be built again",
        )
    what = package or recorded.package(info, binary)
    settings, variables = recorded.flags(info, binary, flags), recorded.variables(info)
    here = go_env("GOVERSION", variables)
    if here.partition(" ")[0] != info.version.partition(" ")[0]:
        raise UserError(
            f"{binary} was built by {info.version}, and this go command is {here}",
            label="linkpipe",
            remedy="name that go command in LINKPIPE_GO, or set GOTOOLCHAIN",
        )
    # A module would give a command of Go's own other defaults (GODEBUG).
    own = info.main is None and not package and info.path.startswith("cmd/")
    at = os.path.join(go_env("GOROOT", variables), "src", "cmd") if own else ""
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
        captured = capture(what, settings, folder, variables, at)
        given = any(flag.lstrip("-").startswith("ldflags") for flag in flags)
        silent = "-trimpath" in info.settings and not given
        return _Linker(file, info, captured, folder).answer(what, silent=silent)


@attrs.frozen(eq=False)
class _Linker:
    """Links what was compiled, with more flags or fewer, and compares."""

    file: Elf
    info: BuildInfo
    captured: Captured
    folder: str
    _number: Iterator[int] = attrs.field(factory=count, init=False)

    def answer(self, package: str, *, silent: bool) -> Verify:
        """The whole answer; ``silent``: nobody has said what the flags of the linker were."""
        clues = Clues(self.file, self.info)
        assumed = clues.stripped() if silent else ()
        link, output = self._link(assumed)
        lines, guesses = self._compare(output), list[Guess]()
        shown = clues.link_flags(output) if lines else ()
        if lines and silent and not shown:
            shown = self._stamped(assumed, link, output)
        if shown:
            again, other = self._link((*assumed, *shown))
            left = self._compare(other)
            if silent:
                link, output, lines, assumed = again, other, left, (*assumed, *shown)
            else:
                text = f"linked with {' '.join(shown)}, or stripped later"
                guesses.append(Guess("-ldflags", text, proven=not left))
        difference = None
        if lines:
            difference = first_difference(self.file, output, link)
            if difference:
                # What the go command made for this link alone lies in a folder that goes.
                name = difference.input.removeprefix(f"{self.folder}/")
                difference = evolve(difference, input=name)
            guesses += (Guess(*each) for each in clues.guesses(output, link, difference))
        return Verify(
            self.file.path,
            self.info.version,
            package,
            not lines,
            assumed,
            difference,
            tuple(guesses),
            tuple(lines[:_LINES]),
        )

    def _stamped(self, assumed: Sequence[str], link: Link, output: Elf) -> tuple[str, ...]:
        """The -X of a binary without symbols, if they explain all."""
        for flags in stamps(self.file, output, link, lambda more: self._link((*assumed, *more))):
            _, other = self._link((*assumed, *flags))
            if not self._compare(other):
                return flags
        return ()

    def _link(self, more: Sequence[str]) -> tuple[Link, Elf]:
        """Link with more flags; the link, and what it wrote, with the binary's own build ID."""
        output = Path(self.folder, f"out{next(self._number)}")
        args = list(self.captured.args)
        final = build_id(self.file)
        if not _BUILD_ID.fullmatch(final):
            final = ""
        ours = next((arg[9:] for arg in args if arg.startswith("-buildid=")), "")
        given = f"{final.rpartition('/')[0]}/{final.partition('/')[0]}" if final else ours
        if ours:
            # Commands of Go's own have it in a variable, too.
            args = [arg.replace(ours, given) for arg in args]
        *flags, main = args
        captured = self.captured
        options = options_for([*flags, *more, main], captured.variables, captured.tool)
        link = run_link(evolve(options, o=str(output)), until="")
        if given and final:
            content = output.read_bytes().replace(given.encode(), final.encode())
            output.write_bytes(content)
        return link, elfread.read(output)

    def _compare(self, output: Elf) -> list[str]:
        """How the binary differs from what was linked: nothing when it does not."""
        found = differences(Path(self.file.path), Path(output.path))
        return [line.replace(output.path, "what its source gives") for line in found]


def build_id(file: Elf) -> str:
    """The build ID that the go command gave a file; "" where there is none."""
    section = file.index(".note.go.buildid")
    if section is None:
        return ""
    note = file.content(section)[_NOTE:].tobytes()
    return note.rstrip(b"\0").decode(errors="replace")
