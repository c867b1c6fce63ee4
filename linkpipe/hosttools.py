"""The C compiler that finishes an external link: what it can do, and running it.

Whether a compiler knows a flag is found out by compiling an empty program with it (the
oracle's way). That takes ten to forty milliseconds a flag, as long as linking the rest, and
the answer depends only on the compiler, its linker and the flags. So answers are kept in a
file of the user's cache folder, and questions whose answers are not known yet are asked all
at once, while the link goes on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from linkpipe.errors import HostLinkError

if TYPE_CHECKING:
    import subprocess

    from linkpipe.arch import Architecture
    from linkpipe.options import Options

BUILD_ID = "-Wl,--build-id=0x1234567890abcdef"
EXPORT = "-Wl,--export-dynamic-symbol=main"
UNUSED = "-Qunused-arguments"
COMPRESS = "-Wl,--compress-debug-sections=zlib"
NO_PIE = ("-no-pie", "-nopie")  # GCC's spelling, clang's

# Flags that do not matter for whether the linker takes another one, with their argument …
_SKIP = frozenset("-F -l -framework -Wl,-framework -Wl,-rpath -Wl,-undefined".split())
# … those that do, with their argument …
_KEEP = frozenset(
    "-B -L -arch -isysroot --sysroot -target --target -resource-dir -rtlib --rtlib -stdlib "
    "--stdlib -unwindlib --unwindlib".split()
)
# … and those that do when they start so (lib.go, trimLinkerArgv).
_KEEP_PREFIXES = tuple(
    "-B -L -f -m -p -Wl, -arch -isysroot --sysroot -target --target -resource-dir -rtlib "
    "--rtlib -stdlib --stdlib -unwindlib --unwindlib -nostdlib++ -nostdlib -nodefaultlibs "
    "-nostartfiles -nostdinc++ -nostdinc -nobuiltininc".split()
)

_TRIVIAL = b"int main() { return 0; }"
_TIMEOUT = 120


@attrs.frozen
class Finished:
    """A command that ended: its exit status and what it printed on both streams."""

    status: int
    output: bytes


def run(command: Sequence[str]) -> Finished:
    """Run a command. Raises HostLinkError when it cannot be started or fails, in the oracle's
    words (lib.go, hostlink): what failed, the command, what it printed."""
    import shutil
    import subprocess

    path = shutil.which(command[0])
    if path is None:
        raise _failed(
            command, f'exec: "{command[0]}": executable file not found in $PATH', command[0], b""
        )
    try:
        done = subprocess.run(
            command,
            executable=path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as e:
        reason = f"fork/exec {path}: {(e.strerror or str(e)).lower()}"
        raise _failed(command, reason, path, b"") from e
    if done.returncode:
        raise _failed(command, _status(done.returncode), path, done.stdout)
    return Finished(done.returncode, done.stdout)


def _failed(command: Sequence[str], reason: str, path: str, output: bytes) -> HostLinkError:
    text = output.decode("utf-8", "replace")
    return HostLinkError(
        f"running {command[0]} failed: {reason}\n{' '.join([path, *command[1:]])}\n{text}",
        command=tuple(command),
        output=text,
        status=2,
        remedy="install a C compiler, or name one with -extld (the go command: CC)"
        if "not found" in reason
        else "the C compiler says why, above",
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

    ``base`` are flags that every question is asked with. ``start`` asks some questions in the
    background; ``supports`` gives the answer, waiting for it or asking it now. ``close`` stops
    what is still running and keeps the answers.
    """

    def __init__(self, compiler: Sequence[str], base: Sequence[str]) -> None:
        self._compiler, self._base = tuple(compiler), tuple(base)
        self._folder = ""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._store = _cache_file(self._compiler, self._base)
        self._answers = _read_answers(self._store)
        self._known = len(self._answers)

    def start(self, flags: Sequence[str]) -> None:
        """Ask about these flags, unless the answers are known."""
        for flag in flags:
            if flag not in self._answers and flag not in self._running:
                process = self._ask(flag)
                if process is not None:
                    self._running[flag] = process

    def supports(self, flag: str) -> bool:
        """Whether the compiler takes the flag. A compiler that cannot be run takes none."""
        if flag not in self._answers:
            import subprocess

            self.start([flag])
            process = self._running.pop(flag, None)
            if process is None:
                return False
            try:
                output = process.communicate(timeout=_TIMEOUT)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                return False
            # GCC says "unrecognized", clang "unknown", and some exit with status 0 all the same.
            wrong = b"unrecognized" in output or b"unknown" in output
            self._answers[flag] = process.returncode == 0 and not wrong
        return self._answers[flag]

    def _ask(self, flag: str) -> subprocess.Popen[bytes] | None:
        import subprocess
        import tempfile

        if not self._folder:
            self._folder = tempfile.mkdtemp(prefix="linkpipe-probe-")
        source = os.path.join(self._folder, "trivial.c")
        if not os.path.exists(source):
            with open(source, "wb") as file:
                file.write(_TRIVIAL)
        output = os.path.join(self._folder, f"{len(self._running)}.out")
        try:
            return subprocess.Popen(
                [*self._compiler[:1], *self._base, "-o", output, flag, source],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
            )
        except OSError:
            return None

    def close(self) -> None:
        """Stop what still runs, remove temporary files, keep the answers for the next link."""
        for process in self._running.values():
            process.kill()
            process.communicate()
        self._running.clear()
        if self._folder:
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
        if len(self._answers) > self._known:
            _keep_answers(self._store, self._answers)


def _cache_file(compiler: Sequence[str], base: Sequence[str]) -> str:
    """Where answers of this very compiler and linker are kept; "" when they are not.

    The name is a hash of what the answers depend on: the files of the compiler and of the linker
    it would find, their sizes and times, the flags, and the variables that redirect either.
    """
    if os.environ.get("LINKPIPE_PROBE_CACHE") == "off":
        return ""
    import hashlib
    import shutil

    told = [*compiler, "\0", *base]
    for tool in (compiler[0], "ld", "ld.lld", "ld.gold", "ld.mold"):
        path = shutil.which(tool)
        if path:
            try:
                real = os.path.realpath(path)
                about = os.stat(real)
            except OSError:
                return ""
            told += [tool, real, str(about.st_size), str(about.st_mtime_ns), str(about.st_ino)]
    for name in ("COMPILER_PATH", "GCC_EXEC_PREFIX", "LIBRARY_PATH", "PATH"):
        told += [name, os.environ.get(name, "")]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    digest = hashlib.sha256("\0".join(told).encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(home, "linkpipe", "probes", f"{digest[:32]}.json")


def _read_answers(path: str) -> dict[str, bool]:
    if not path:
        return {}
    import json

    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or not all(isinstance(v, bool) for v in found.values()):
        return {}
    return dict(found)


def _keep_answers(path: str, answers: Mapping[str, bool]) -> None:
    """Best effort: a cache that cannot be written is none."""
    if not path:
        return
    import json
    import tempfile

    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fd, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(answers, file, sort_keys=True)
        os.replace(temporary, path)
    except OSError:
        return


def compiler(options: Options) -> tuple[str, ...]:
    """The command of the C compiler, with the flags that came with it."""
    return options.extld or ("gcc",)


def prober_for(options: Options, arch: Architecture, ldflags: Sequence[str]) -> Prober:
    """A prober for the compiler of a link that cgo wants ``ldflags`` for."""
    flags = _relevant((*ldflags, *options.extldflags))
    return Prober(compiler(options), (*arch.host_flags, *flags))


def questions(options: Options, *, dynlink: bool) -> list[str]:
    """The flags whose support a link of this kind will ask about."""
    flags = [BUILD_ID, UNUSED]
    if options.compressdwarf:
        flags.append(COMPRESS)
    if not dynlink:
        flags.append(EXPORT)
    if options.buildmode == "exe":
        flags.append(NO_PIE[0])
    return flags


def _relevant(flags: Sequence[str]) -> list[str]:
    """The flags that matter for whether the linker takes another one."""
    kept: list[str] = []
    rest = iter(flags)
    for flag in rest:
        if flag in _SKIP:
            next(rest, None)
        elif flag in _KEEP:
            kept.append(flag)
            kept.extend(word for word in [next(rest, None)] if word is not None)
        elif flag.startswith(_KEEP_PREFIXES):
            kept.append(flag)
    return kept
