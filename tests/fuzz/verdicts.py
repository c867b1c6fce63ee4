"""What became of a case: one class each, the worst that applies."""

from __future__ import annotations

import re
import signal
import tomllib
from functools import cache
from pathlib import Path

import attrs

from tests.fuzz.cases import Case, Files, files
from tests.fuzz.server import GIB, Outcome, Server

EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
MEMORY = 2 * GIB

FINE = ("same", "linked", "clean error", "where the oracle crashes", "exception")
"""Classes of which there may be any number. `linked`: and not compared with the oracle."""

BAD = (
    "hang",
    "signal",
    "traceback",
    "bug",
    "memory",
    "files left",
    "old output touched",
    "nobody named",
    "other bytes",
    "links what the oracle refuses",
    "refuses what the oracle links",
)
_BUG = ("bug in the pass", "internal error", "crashed with", "please report")
_LIMIT = ("file too large", "File too large", "cannot allocate memory")
_CRASH = re.compile(r"^(panic:|fatal error:|runtime: |SIG|unexpected fault|\[signal)", re.MULTILINE)


BAD_TOGETHER = BAD[-3:]
"""Those that say how the two linkers differ."""

WITHOUT_DEBUG = "without debug information"
WITH_DEBUG = {"w": "dwarf", "s-w": "dwarf", "external": "external-dwarf"}
"""Ways to link without debug information, and the same with it."""


@attrs.frozen
class Verdict:
    """A class of FINE or BAD, and the name of the exception if it is one."""

    name: str
    exception: str = ""

    @property
    def bad(self) -> bool:
        return self.name in BAD


@attrs.frozen
class Told:
    """What both linkers did, if both were asked, and the verdict."""

    ours: Outcome
    theirs: Outcome | None
    verdict: Verdict


@attrs.frozen
class Difference:
    """What the two linkers may differ in: the class, what each says (regular expressions), and why
    it is left so; ``only`` where, if that is not everywhere."""

    name: str
    verdict: str
    ours: str
    theirs: str
    why: str
    only: str = ""


@cache
def exceptions() -> tuple[Difference, ...]:
    """The list."""
    listed = tomllib.loads(EXCEPTIONS.read_text()).get("exception", [])
    return tuple(Difference(**entry) for entry in listed)


def verdict_of(server: Server, case: Case, *, compared: bool, fresh: bool = False) -> Told:
    """Link a case, ``compared`` with the oracle where that can be, and judge it."""
    given = files(case)
    ours = server.linkpipe(given, fresh=fresh)
    asked = case.comparable and (compared or suspicious(given, ours))
    theirs = server.oracle(given) if asked else None
    verdict = judge(given, ours, theirs)
    if verdict.name in BAD_TOGETHER and case.mode in WITH_DEBUG:
        other = attrs.evolve(case, mode=WITH_DEBUG[case.mode])
        if not verdict_of(server, other, compared=True, fresh=True).verdict.bad:
            assert theirs is not None, verdict
            verdict = _unless(verdict, ours, theirs, WITHOUT_DEBUG)
    return Told(ours, theirs, verdict)


def judge(given: Files, ours: Outcome, theirs: Outcome | None) -> Verdict:
    """The verdict on a link, with the oracle's where it was asked."""
    alone = _alone(given, ours)
    if alone == "memory" and theirs and (theirs.peak > MEMORY or _limited(theirs)):
        alone = ""
    if alone:
        return Verdict(alone)
    linked = ours.status == 0
    if theirs is None or _limited(theirs) or _limited(ours):
        return Verdict("linked" if linked else "clean error")
    if theirs.status == 0 and linked:
        return _unless(
            Verdict("same" if ours.output == theirs.output else "other bytes"), ours, theirs
        )
    if theirs.status == 0:
        return _unless(Verdict("refuses what the oracle links"), ours, theirs)
    if not linked:
        return Verdict("clean error")
    if theirs.status < 0 or _CRASH.search(theirs.said):
        return Verdict("where the oracle crashes")
    return _unless(Verdict("links what the oracle refuses"), ours, theirs)


def suspicious(given: Files, ours: Outcome) -> bool:
    """Whether the oracle must be asked before there is a verdict."""
    return _alone(given, ours) == "memory"


def _alone(given: Files, ours: Outcome) -> str:
    """What is wrong with a link by itself, the worst first; "" for nothing."""
    failed = ours.status != 0
    if ours.late or ours.status == -signal.SIGXCPU:
        return "hang"
    if ours.status < 0 and ours.status != -signal.SIGXFSZ:
        return "signal"
    if "Traceback (most recent call last)" in ours.said:
        return "traceback"
    if ours.status not in (0, 1, 2) or any(words in ours.said for words in _BUG):
        return "bug"
    if ours.peak > MEMORY:
        return "memory"
    if ours.left:
        return "files left"
    if failed and ours.touched:
        return "old output touched"
    if failed and not names_something(given, ours.said):
        return "nobody named"
    return ""


def names_something(given: Files, said: str) -> bool:
    """Whether an error names a file, a package, a flag: where to look."""
    words = [name for name in given.files if name in said]
    words += [word for word in given.argv if len(word) > 3 and word in said]
    given_to = (word.partition("=")[2] for word in given.argv if "=" in word)
    # Of what is said the beginning is kept, and a value may be longer than that.
    words += [
        value
        for value in given_to
        if f'"{value}"' in said or (value[1000:] and value[:1000] in said)
    ]
    words += re.findall(r"(?<![\w-])(--?[A-Za-z]+|/\S+|open [^:]+:)", said)  # a flag, a path
    packages = (
        "main",
        "fuzz/lib",
        "runtime",
        "internal/",
        "go:",
        "type:",
        "flag",
        "observer ",
        ".a(",
        ".a:",
        "open :",
        "\tfile: ",
    )
    return bool(words) or any(package in said for package in packages)


def _limited(outcome: Outcome) -> bool:
    """Whether a limit of ours ended the link, and not what it was given."""
    if outcome.late or outcome.status in (-signal.SIGXFSZ, -signal.SIGXCPU, -signal.SIGKILL):
        return True
    return outcome.status != 0 and any(words in outcome.said for words in _LIMIT)


def _unless(verdict: Verdict, ours: Outcome, theirs: Outcome, only: str = "") -> Verdict:
    """The verdict, or "exception" when it is one that is listed."""
    for entry in exceptions():
        if (
            entry.only == only
            and verdict.name in entry.verdict.split("|")
            and re.search(entry.ours, ours.said)
            and re.search(entry.theirs, theirs.said)
        ):
            return Verdict("exception", entry.name)
    return verdict
