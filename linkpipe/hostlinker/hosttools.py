"""The C compiler that finishes an external link: what it can do, and running it.

Whether a compiler knows a flag is found out by compiling an empty program with it (the
oracle's way). That takes ten to forty milliseconds a flag, as long as linking the rest, and
the answer depends only on the compiler, its linker and the flags. So answers are kept in a
file of the user's cache folder (probecache.py), and questions whose answers are not known yet are
asked all at once, while the link goes on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING

from linkpipe.errors import HostLinkError, UserError
from linkpipe.hostlinker.probecache import cache_file, keep_answers, lasts, read_answers, refused
from linkpipe.process import ledger, litter
from linkpipe.process.interrupts import held
from linkpipe.process.parent import end_group

if TYPE_CHECKING:
    import subprocess

    from linkpipe.arch import Architecture
    from linkpipe.flags.options import Options
    from linkpipe.release import Release

BUILD_ID = "-Wl,--build-id=0x1234567890abcdef"
EXPORT = "-Wl,--export-dynamic-symbol=main"
ARCHIVER = "--print-prog-name=ar"
UNUSED = "-Qunused-arguments"
COMPRESS = "-Wl,--compress-debug-sections=zlib"
GOLD, _VERSION = "-fuse-ld=gold", "-Wl,--version"
NO_PIE = ("-no-pie", "-nopie")  # GCC's spelling, clang's

_TRIVIAL = b"int main() { return 0; }"
PATIENCE = 30
"""Seconds that the compiler has for a question. To link it may take as long as it likes."""


def run(command: Sequence[str], *, shown: bool = True, doing: str = "") -> str:
    """Run a command; what it printed on both streams.

    Raises HostLinkError when it cannot be started or fails, in the oracle's words (lib.go,
    hostlink): what failed (``doing``, else that the program did), the command where it is
    ``shown``, what it printed.
    """
    import shutil

    # A name with a slash is a path, as to every shell (os/exec, LookPath).
    path = command[0] if "/" in command[0] else shutil.which(command[0])
    words = (path or command[0], *command[1:])

    def failed(reason: str, output: str, remedy: str) -> HostLinkError:
        line = f"{' '.join(words)}\n" if shown else ""
        return HostLinkError(
            f"{doing or f'running {command[0]}'} failed: {reason}\n{line}{output}",
            command=words,
            output=output,
            status=2,
            remedy=remedy,
        )

    if path is None:
        raise failed(f'exec: "{command[0]}": executable file not found in $PATH', "", _INSTALL)
    try:
        status, printed = _call(command, path)
    except OSError as e:
        reason = f"fork/exec {path}: {(e.strerror or str(e)).lower()}"
        raise failed(reason, "", _INSTALL) from e
    output = printed.decode("utf-8", "replace")
    if status:
        raise failed(
            _status(status),
            output,
            f"{os.path.basename(command[0])} says why, above"
            if output
            else f"run the command by hand: {' '.join(words)}",
        )
    return output


def _call(
    command: Sequence[str],
    path: str | None = None,
    seconds: float | None = None,
    *,
    errors: bool = True,
) -> tuple[int, bytes]:
    """Run a program; its status and what it printed, with ``errors`` on both streams. When we are
    interrupted, or it takes longer than it may (subprocess.TimeoutExpired), it and what it has
    started are ended before we go on: none of them touches the output any more."""
    import subprocess

    process = None
    try:
        with held():
            process = subprocess.Popen(
                command,
                executable=path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
                process_group=0,
            )
            ledger.started(process.pid)
        printed, _ = process.communicate(timeout=seconds)
    except BaseException:
        if process is not None:
            _end(process)
        raise
    ledger.ended(process.pid)
    return process.returncode, printed


def _end(process: subprocess.Popen[bytes]) -> None:
    end_group(process.pid)
    process.wait()
    ledger.ended(process.pid)


_INSTALL = "install a C compiler, or name one with -extld (the go command: CC)"


def _silent(compiler: str, question: str) -> HostLinkError:
    return HostLinkError(
        f"running {compiler} failed: no answer in {PATIENCE} seconds, asked whether it knows "
        f"{question}",
        command=(compiler, question),
        status=2,
        remedy="run it by hand, on an empty program; is it a wrapper that waits for something?",
    )


def _status(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    import signal

    try:
        return f"signal: {signal.strsignal(-code) or -code}".lower()
    except ValueError:
        return f"signal {-code}"


class Prober:
    """Asks a compiler which flags it knows.

    ``base`` are flags that every question is asked with, ``answers`` are known already. ``start``
    asks some questions in the background; ``supports`` gives the answer, waiting for it or asking
    it now; ``wait`` gives all that were asked. ``close`` stops what is still running and keeps the
    answers.
    """

    def __init__(
        self,
        compiler: Sequence[str],
        base: Sequence[str],
        answers: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        self._compiler, self._base = compiler[0], tuple(base)
        self._folder = ""
        self._temporary = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._store = cache_file(compiler, base)
        self._kept = read_answers(self._store)
        self._known = len(self._kept)
        self._answers = {**self._kept, **answers}
        self._asked = 0
        self._wanted: list[str] = []

    def start(self, flags: Sequence[str]) -> None:
        """Ask about these flags, unless the answers are known."""
        self._wanted += flags
        for flag in flags:
            if flag not in self._answers and flag not in self._running:
                with held():
                    process = self._ask(flag)
                    if process is not None:
                        self._running[flag] = process

    def supports(self, flag: str) -> bool:
        """Whether the compiler takes the flag. A compiler that cannot be run takes none.

        Raises HostLinkError for one that gives no answer.
        """
        if flag not in self._answers:
            self._answers[flag] = self._answer(flag)
        return self._answers[flag]

    def wait(self) -> Mapping[str, bool]:
        """The answers to all that was asked."""
        return MappingProxyType({flag: self.supports(flag) for flag in self._wanted})

    def _answer(self, flag: str) -> bool:
        import subprocess

        self.start([flag])
        process = self._running.get(flag)
        if process is None:
            return False
        try:
            output = process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired as e:
            # It stays among the running, to be stopped with them.
            raise _silent(self._compiler, flag) from e
        del self._running[flag]
        ledger.ended(process.pid)
        works = process.returncode == 0 and not refused(output)
        if lasts(flag, process.returncode, output):
            self._kept[flag] = works
        return works

    def _ask(self, flag: str) -> subprocess.Popen[bytes] | None:
        import subprocess

        try:
            folder = self._make_folder()
            self._asked += 1
            output = os.path.join(folder, f"{self._asked}.out")
            source = os.path.join(folder, "trivial.c")
            process = subprocess.Popen(
                [self._compiler, *self._base, "-o", output, flag, source],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
                process_group=0,
            )
        except (OSError, UserError):
            return None
        ledger.started(process.pid)
        return process

    def _make_folder(self) -> str:
        if not self._folder:
            self._folder = self._temporary.enter_context(litter.folder())
            with open(os.path.join(self._folder, "trivial.c"), "wb") as file:
                file.write(_TRIVIAL)
        return self._folder

    def close(self) -> None:
        """Stop what still runs, remove temporary files, keep the answers for the next link."""
        for process in self._running.values():
            _end(process)
            if process.stdout:
                process.stdout.close()
        self._running.clear()
        self._temporary.close()
        self._folder = ""
        if len(self._kept) > self._known:
            keep_answers(self._store, self._kept)
            self._known = len(self._kept)


def compiler(options: Options) -> tuple[str, ...]:
    """The command of the C compiler, with the flags that came with it."""
    return options.extld or ("gcc",)


def archiver(options: Options, arch: Architecture) -> str:
    """The archive tool that goes with the C compiler, as it says. Raises HostLinkError."""
    command = (*compiler(options), *arch.host_flags, "--print-prog-name", "ar")
    return run(command, shown=False, doing="finding ar").rstrip("\r\n")


def answer(command: Sequence[str]) -> str:
    """What a program prints on standard output, without white space around it; "" when it cannot
    be started or fails. Raises HostLinkError for one that takes too long."""
    import subprocess

    try:
        status, printed = _call(command, seconds=PATIENCE, errors=False)
    except (OSError, ValueError):
        return ""
    except subprocess.TimeoutExpired as e:
        raise _silent(command[0], command[-1]) from e
    return "" if status else printed.decode("utf-8", "surrogateescape").strip()


def gnu_ld_version(options: Options) -> tuple[int, int] | None:
    """Which GNU ld the C compiler uses; None: another linker, or it does not say."""
    for line in _linker_banner(options).splitlines():
        if line.startswith("GNU ld "):
            major, dot, minor = line.split()[-1].partition(".")
            digits = re.match("[0-9]+", minor)
            return (int(major), int(digits[0])) if dot and digits and major.isdigit() else None
    return None


def check_gold(options: Options, needed: str) -> None:
    """Raise HostLinkError when the C compiler has no gold: it would take GNU ld without a word."""
    banner = _linker_banner(options, GOLD)
    if "GNU gold" not in banner:
        raise HostLinkError(
            f"{needed}, but is not: {banner}",
            command=(*compiler(options), GOLD, _VERSION),
            output=banner,
            status=1,
            remedy="install newer binutils, or gold",
        )


def _linker_banner(options: Options, *flags: str) -> str:
    import subprocess

    try:
        status, printed = _call((*compiler(options), *flags, _VERSION), seconds=PATIENCE)
    except OSError:
        return ""
    except subprocess.TimeoutExpired as e:
        raise _silent(compiler(options)[0], _VERSION) from e
    return "" if status else printed.decode("utf-8", "replace")


def prober_for(
    options: Options,
    arch: Architecture,
    release: Release,
    ldflags: Sequence[str],
    answers: Mapping[str, bool] = MappingProxyType({}),
) -> Prober:
    """A prober for the compiler of a link that cgo wants ``ldflags`` for; ``answers`` are known."""
    flags = _relevant((*ldflags, *options.extldflags), release)
    return Prober(compiler(options), (*arch.host_flags, *flags), answers)


def exports_all(options: Options, *, dynlink: bool) -> bool:
    """Whether the output shows all of its symbols to other modules; else those that cgo exports
    dynamically."""
    return dynlink or options.buildmode == "c-shared"


def questions(options: Options, *, dynlink: bool) -> list[str]:
    """The flags whose support a link of this kind will ask about."""
    if options.buildmode == "c-archive":
        return [] if options.extar else [ARCHIVER]
    flags = [BUILD_ID, UNUSED]
    if options.compressdwarf:
        flags.append(COMPRESS)
    if not exports_all(options, dynlink=dynlink):
        flags.append(EXPORT)
    if options.fixed:
        flags.append(NO_PIE[0])
    return flags


def _relevant(flags: Sequence[str], release: Release) -> list[str]:
    """The flags that matter for whether the linker takes another one (lib.go, trimLinkerArgv)."""
    kept: list[str] = []
    rest = iter(flags)
    for flag in rest:
        if flag in release.probe_skip:
            next(rest, None)
        elif flag in release.probe_keep:
            kept.append(flag)
            kept.extend(word for word in [next(rest, None)] if word is not None)
        elif flag.startswith(release.probe_prefixes):
            kept.append(flag)
    return kept
