"""How a binary says that it was built, as flags and variables for the go command.

Who checks a binary need not trust who made it. It is taken at its word only for what decides what
is in the output: not for flags that name a program to run or a file to write, nor for variables
that are settings of the go command itself. Those are refused, or left out, and may be given by
hand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from linkpipe.compare.buildinfo import BuildInfo
from linkpipe.compare.golang import architectures
from linkpipe.errors import InputError
from linkpipe.flags.goflag import split_quoted

_WORDS = ("-tags", "-trimpath", "-race", "-msan", "-asan", "-cover", "-buildmode")
"""Flags of go build that have a word."""
_TOOLS = {
    "-gcflags": frozenset("B C N c d dwarf dwarflocationlists e l lang m spectre wb".split()),
    "-asmflags": frozenset("D spectre".split()),
    "-ldflags": frozenset(
        "B D E H R T X a aslr bindnow checklinkname compressdwarf d e f funcalign g linkmode n "
        "pluginpath pruneweakmap randlayout s strictdups w".split()
    ),
}
"""Flags of go build that are flags of a tool, and those of the tool that are taken."""
_VARIABLES = ("GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "CGO_ENABLED")
"""Variables that say how to build, beside those of the architectures."""
_PLAIN = re.compile(r"[\w.,+-]*")
_PATTERN = re.compile(r"[^-\s'\"][^\s=]*=")
"""What may stand before a tool's flags: the packages that they are for."""
_PROFILE = "default.pgo"
"""The profile that the go command finds by itself, beside the main package."""


def package(info: BuildInfo, file: str) -> str:
    """What a binary was built from: the package of a module that was downloaded has a version.
    Raises InputError where that is no package."""
    main = info.main
    path = f"{info.path}@{main.version}" if main and main.sum else info.path
    if path == "command-line-arguments" or not re.fullmatch(r"[\w./~+][\w./~+@-]*", path):
        raise InputError(
            f"{file} was built from {path!r}, which is no package",
            file=file,
            remedy="name the package, or the files, that it is built from",
        )
    return path


def flags(info: BuildInfo, file: str, given: Sequence[str]) -> list[str]:
    """The flags of go build that a binary names, but for those that are ``given`` by hand. Raises
    InputError for one that is not taken from a binary."""
    by_hand = {f"-{flag.lstrip('-').partition('=')[0]}" for flag in given}
    settings = {name: text for name, text in info.settings.items() if name not in by_hand}
    found = [f"{name}={settings[name]}" for name in _WORDS if name in settings]
    for name, known in _TOOLS.items():
        if name in settings:
            _check(file, name, settings[name], known)
            found.append(f"{name}={settings[name]}")
    if "-pgo" not in info.settings:
        found.append("-pgo=off")
    stamped = any(name.startswith("vcs") for name in info.settings)
    return [*found, f"-buildvcs={'auto' if stamped else 'false'}", *given]


def _check(file: str, name: str, text: str, known: frozenset[str]) -> None:
    """Refuse flags of a tool that are not known to be harmless."""
    try:
        words = split_quoted(_PATTERN.sub("", text, count=1) if _PATTERN.match(text) else text)
    except ValueError as e:
        raise _refused(file, name, text) from e
    takes_word = False
    for word in words:
        flag = word.lstrip("-").partition("=")[0]
        if word.startswith("@"):  # a file with more of them
            raise _refused(file, name, word)
        if not word.startswith("-"):
            if not takes_word:
                raise _refused(file, name, word)
            takes_word = False
            continue
        if flag not in known or (flag == "d" and "/" in word):
            raise _refused(file, name, word)
        takes_word = "=" not in word


def _refused(file: str, name: str, word: str) -> InputError:
    return InputError(
        f"{file} was built with {name} {word}, which is not taken from a binary",
        file=file,
        remedy=f"if you trust it, give it by hand: -- {name}=...",
    )


def variables(info: BuildInfo) -> Mapping[str, str]:
    """The environment for the go command: this process's own, with what the binary names, and
    without other settings of how to build."""
    known = {*_VARIABLES, *(arch.setting.variable for arch in architectures() if arch.setting)}
    named = {
        name: text
        for name, text in info.settings.items()
        if name in known and _PLAIN.fullmatch(text)
    }
    kept = {name: value for name, value in os.environ.items() if name not in known}
    words = os.environ.get("GOFLAGS", "").split()
    modules = [word for word in words if word.lstrip("-").startswith("mod")]
    return {**kept, "GOFLAGS": " ".join(modules), **named}
