"""The command that saves a link which has failed, and does it again: one line for a shell.

A link by hand is given by its arguments. One that the go command started has inputs that go with
the go command, so it is given as that was called: its command line, folder and variables are those
of the process that called the linker. Where a line would not do the same link there is none: for
inputs that can be read but once, and for what `linkpipe save` does not take (`go test`, several
files, a pipeline in several files).

What a link prints is read by others, in CI by many. Values of `-X` may be secrets and are left out.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING

import attrs

from linkpipe.errors import LinkErrors, ObserverError, OptionError, Refused
from linkpipe.flags.goflag import split_quoted
from linkpipe.flags.settings import Settings
from linkpipe.process import ledger, parent

if TYPE_CHECKING:
    from linkpipe.engine.plugins import Catalog
    from linkpipe.flags.options import Options

_SWITCHES = frozenset(
    "a n x v i race msan asan cover json work trimpath linkshared modcacherw buildvcs".split()
)
"""The flags of `go build` that take no word after them (`go help build`)."""
_DROPPED = frozenset("C o n x v json work toolexec exec".split())
"""Those that say nothing of what is linked, or that `linkpipe save` gives itself."""
_GO_VARIABLES = (
    "GO111MODULE GOCACHE GODEBUG GOENV GOFIPS140 GOFLAGS GOMODCACHE GOPATH GOTOOLCHAIN GOWORK "
    "CGO_ENABLED CGO_CFLAGS CGO_CPPFLAGS CGO_CXXFLAGS CGO_FFLAGS CGO_LDFLAGS AR CC CXX FC "
    "PKG_CONFIG PKG_CONFIG_PATH"
).split()
"""Variables of the go command that decide what it compiles (`go help environment`). Others may hold
what is nobody's business."""
_PATTERNS = ("all", "std", "cmd", "tool", "work")


def again(error: BaseException, options: Options, catalog: Catalog, tool: str) -> str:
    """The line; "" where there is none, as for errors that say nothing of a link: of flags, of
    observers, of files that could not be written or were changed meanwhile; and for what a rule
    refuses, where the link is as it should be."""
    each = error.errors if isinstance(error, LinkErrors) else (error,)
    told = all(isinstance(one, (OptionError, ObserverError, Refused)) for one in each)
    if told or isinstance(error.__cause__, OSError) or ledger.changed():
        return ""
    try:
        return _by_go(options, catalog) if tool else _by_hand(options, catalog)
    except Exception:  # whatever it is: what matters is said already
        return ""


def _by_hand(options: Options, catalog: Catalog) -> str:
    files = [arg[1:] for arg in options.args if arg.startswith("@")]
    if not _there_to_stay(options, *files):
        return ""
    variables = _variables(options, catalog, os.environ)
    save = ["@", "--", *_without_values(options.args)]
    return _line(os.getcwd(), variables, os.path.basename(options.o) or "link", save)


def _by_go(options: Options, catalog: Catalog) -> str:
    from linkpipe.compare.buildinfo import of_link
    from linkpipe.packages.places import Places

    # What builds a shared library of Go is `go install`, of several packages.
    if options.buildmode == "shared" or not _there_to_stay(options):
        return ""
    process = f"/proc/{parent.caller()}"
    with open(f"{process}/cmdline", encoding="utf-8", errors="surrogateescape") as file:
        words = file.read().split("\0")[:-1]
    with open(f"{process}/environ", encoding="utf-8", errors="surrogateescape") as file:
        variables = dict(part.split("=", 1) for part in file.read().split("\0") if "=" in part)
    told = _read(words)
    if told is None:
        return ""
    package, flags = told
    if not package:
        package = of_link("", Places.of(options).modinfo or b"").path
    if package in ("", "command-line-arguments"):
        return ""
    folder = os.readlink(f"{process}/cwd")
    name = os.path.basename(os.path.normpath(os.path.join(folder, package)))
    more = {key: value for key, value in variables.items() if key in _GO_VARIABLES}
    if "GOFLAGS" in more:
        more["GOFLAGS"] = _joined(_secretless(split_quoted(more["GOFLAGS"])))
    flags = _secretless(flags)
    kept = {**more, **_variables(options, catalog, variables)}
    return _line(folder, kept, name, [package, *(["--", *flags] if flags else [])])


def _read(words: list[str]) -> tuple[str, list[str]] | None:
    """The package that a go command builds, "" when it may be several, and the flags that matter;
    None for what is no such command."""
    if len(words) < 2 or not os.path.basename(words[0]).startswith("go"):
        return None
    if words[1] not in ("build", "install", "run"):
        return None
    rest, flags = words[2:], list[str]()
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, _ = word.lstrip("-").partition("=")
        taken = [word] if equals or name in _SWITCHES else [word, *rest[:1]]
        rest = rest[len(taken) - 1 :]
        if name not in _DROPPED:
            flags += taken
    if words[1] == "run":
        rest = list(takewhile(lambda word: word.endswith(".go"), rest)) or rest[:1]
    if len(rest) > 1 and all(word.endswith(".go") for word in rest):
        return None
    one = len(rest) < 2 and not any("..." in word or word in _PATTERNS for word in rest)
    return (rest or ["."])[0] if one else "", flags


def _without_values(words: Iterable[str]) -> list[str]:
    """Flags of the linker: of each -X the name alone."""
    found: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if found and found[-1] in ("-X", "--X"):
            found.append(name + equals)
        elif equals and name in ("-X", "--X"):
            found.append(f"{name}={''.join(value.partition('=')[:2])}")
        else:
            found.append(word)
    return found


def _secretless(words: Iterable[str]) -> list[str]:
    """Flags of the go command, among them those of the linker."""
    found: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if found and found[-1] in ("-ldflags", "--ldflags"):
            found.append(_ldflags(word))
        elif equals and name in ("-ldflags", "--ldflags"):
            found.append(f"{name}={_ldflags(value)}")
        else:
            found.append(word)
    return found


def _ldflags(text: str) -> str:
    """The value of -ldflags, which may begin with a pattern of packages and "="."""
    pattern = "" if text.lstrip().startswith("-") else "".join(text.partition("=")[:2])
    words = split_quoted(text.removeprefix(pattern))
    without = _without_values(words)
    return text if without == list(words) else pattern + _joined(without)


def _joined(words: Iterable[str]) -> str:
    """Words as the go command takes them apart again. Raises ValueError for one that no quotes
    hold."""
    found = []
    for word in words:
        plain = word and not any(char.isspace() or char in "'\"" for char in word)
        quote = "" if plain else "'" if "'" not in word else '"'
        if quote and quote in word:
            raise ValueError("has both kinds of quotes")
        found.append(f"{quote}{word}{quote}")
    return " ".join(found)


def _there_to_stay(options: Options, *more: str) -> bool:
    """Whether inputs can be read again, and what they are linked by can be saved."""
    from linkpipe.engine.saved import pipeline_text

    pipeline_text(options)
    roots = (file for _, file in options.roots)
    files = (*roots, options.importcfg, options.settings.pipeline, *more)
    return all(os.path.isfile(file) for file in files if file)


def _variables(
    options: Options, catalog: Catalog, variables: Mapping[str, str]
) -> Mapping[str, str]:
    """Those that a link reads: linkpipe's own but for who watches, and the toolchain's."""
    from linkpipe.engine.saved import VARIABLES

    arch = catalog.load("arches", options.environment.goarch)
    own = (f.metadata for f in attrs.fields(Settings) if not f.metadata["short"][0])
    names = [*VARIABLES, *([arch.setting.variable] if arch.setting else [])]
    names += [meta["variable"] for meta in own if meta["variable"] != "LINKPIPE_OBSERVE"]
    return {name: variables[name] for name in names if variables.get(name)}


def _line(folder: str, variables: Mapping[str, str], name: str, save: list[str]) -> str:
    linkpipe, file = _command(), f"{name}.saved"
    told = [f"{key}={shlex.quote(value)}" for key, value in sorted(variables.items())]
    words = [*told, *_quoted([*linkpipe, "save", "--output", file, *save])]
    after = [
        "LINKPIPE_RUN_COMPILER=1",
        *_quoted([*linkpipe, "replay", "-o", f"{name}.again", file]),
    ]
    line = f"(cd {shlex.quote(folder)} && {' '.join(words)} && {' '.join(after)})"
    return line if line.isprintable() else ""


def _quoted(words: Iterable[str]) -> Iterator[str]:
    return map(shlex.quote, words)


def _command() -> list[str]:
    """How a shell calls the linkpipe that runs."""
    script = os.path.join(os.path.dirname(sys.executable), "linkpipe")
    found = shutil.which("linkpipe")
    with suppress(OSError):
        if found and os.path.samefile(found, script):
            return ["linkpipe"]
    return [script] if os.access(script, os.X_OK) else [sys.executable, "-P", "-m", "linkpipe"]
