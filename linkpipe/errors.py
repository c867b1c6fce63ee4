"""Every error that linkpipe raises on purpose, as one small tree.

    LinkpipeError            fields, a headline, a remedy, an exit status
    ├── UserError            what was asked for cannot be done
    │   ├── OptionError      a flag: unknown, malformed, not supported, in conflict
    │   ├── HostLinkError    the host linker failed
    │   └── Refused          the link could be done, and a rule forbids what is linked
    ├── InputError           an input file is unreadable, damaged or does not fit the others
    ├── LinkErrors           several errors, collected and shown together
    ├── PipelineError        the pipeline file is wrong
    ├── MissingFact          a fact was read that no pass has established
    ├── PassError            a pass broke its contract: a bug in that pass
    └── ObserverError        an observer failed: what it looked at is as it was

Where `go tool link` gives the same error, the headline has its wording and the exit status is
its own (1 for its ``log.Fatalf``, 2 for its ``Exitf`` and ``Errorf``). What follows, indented by a
tab, is ours: where, what was expected, what was found, what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs

from linkpipe.values import evolve

MAX_ERRORS = 20
"""Errors shown before "too many errors" (cmd/link/internal/ld/util.go, afterErrorAction)."""

COMMAND = "$0"
"""A label that stands for the command as it was called."""


@attrs.define(eq=False, slots=False)
class LinkpipeError(Exception):
    """The root. ``str(error)`` is the headline, ``error.render()`` the whole message.

    Attributes:
        message: the headline, in the oracle's words where it has any.
        remedy: what to do about it, one line.
        status: the exit status; None stands for the class's own.
        label: what stands before the headline, COMMAND for the command as it was called; None
            for the oracle's habit: ``link`` with exit status 1 (its ``log.Fatalf``), the command
            with 2 (``Exitf``), nothing for an error about a symbol or one that was collected
            (``Errorf``).
    """

    message: str
    remedy: str = attrs.field(default="", kw_only=True)
    status: int | None = attrs.field(default=None, kw_only=True)
    label: str | None = attrs.field(default=None, kw_only=True)

    code: ClassVar[str] = "LP001"
    """What `linkpipe explain` knows the class by."""
    default_status: ClassVar[int] = 2
    details: ClassVar[tuple[str, ...]] = ()
    """Fields that ``render`` lists, in this order, when they are set."""

    def __str__(self) -> str:
        return self.headline()

    @property
    def exit_status(self) -> int:
        """The status that the command exits with."""
        return self.default_status if self.status is None else self.status

    def headline(self) -> str:
        """The first line of the message, without its label."""
        return self.message

    def shown(self, command: str, limit: int | None = MAX_ERRORS) -> str:
        """The message as the user gets it, label included. ``command`` is how the linker was
        called, ``limit`` (see Options.error_limit) is for errors that were collected."""
        return self._labelled(command, self._habit())

    def _habit(self) -> str:
        return "link" if self.exit_status == 1 else COMMAND

    def _labelled(self, command: str, habit: str) -> str:
        label = (habit if self.label is None else self.label).replace(COMMAND, command)
        text = self.render()
        return f"{label}: {text}" if label and text else text

    def told(self) -> dict[str, Any]:
        """Code, message, remedy and the class's own fields that are set, for JSON."""
        fields = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        own = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
            if name in (*self.details, "flag", "line", "command", "fact", "name") and value
        }
        return {"code": self.code, "message": self.headline(), "remedy": self.remedy, **own}

    def render(self) -> str:
        """Headline, then a tab-indented line for each detail and for the remedy."""
        lines = [self.headline()]
        for name in self.details:
            value = getattr(self, name)
            if value not in (None, "") and not (name == "file" and value in lines[0]):
                lines.append(f"\t{name}: {value}")
        if self.remedy:
            lines.append(f"\t{self.remedy}")
        lines += [f"\t{note}" for note in getattr(self, "__notes__", ())]
        return "\n".join(lines)


class UserError(LinkpipeError):
    """What was asked for cannot be done. Exit status 1 as for the oracle's ``log.Fatalf``;
    pass ``status=2`` where it uses ``Exitf``."""

    code = "LP101"

    default_status = 1


@attrs.define(eq=False, slots=False)
class OptionError(UserError):
    """A command-line flag is unknown, malformed, not supported or in conflict with another.

    Attributes:
        flag: the flag's name, without dashes.
        usage: whether the list of flags is shown after the message.
        known: the flags in that list; empty for all.
    """

    code = "LP102"

    flag: str = attrs.field(default="", kw_only=True)
    usage: bool = attrs.field(default=False, kw_only=True)
    known: Collection[str] = attrs.field(default=(), kw_only=True)

    default_status = 2


@attrs.define(eq=False, slots=False)
class HostLinkError(UserError):
    """The host linker could not be run, or failed.

    Attributes:
        command: its argument list.
        output: what it printed.
    """

    code = "LP103"

    command: Sequence[str] = attrs.field(default=(), kw_only=True)
    output: str = attrs.field(default="", kw_only=True)


class Refused(UserError):
    """The link could be done, and a rule that somebody asked for forbids what is linked: what a
    gate raises (a policy, a limit on sizes). Nothing is wrong with the link, so a link that ends
    with it does not say how it is saved and done again."""

    code = "LP104"


@attrs.define(eq=False, slots=False)
class InputError(LinkpipeError):
    """An input is unreadable, damaged, or does not fit the other inputs. Exit status 2; pass
    ``status=1`` where the oracle uses ``log.Fatalf``.

    Attributes:
        file: "archive" or "archive(member)".
        symbol: the symbol that it is about; the headline starts with it, as the oracle's does.
        source: "file:line" of the Go or assembly source.
        offset: bytes from the start of the file (of the member, when one is named).
        expected, found: in words.
    """

    code = "LP201"

    file: str = attrs.field(default="", kw_only=True)
    symbol: str = attrs.field(default="", kw_only=True)
    source: str = attrs.field(default="", kw_only=True)
    offset: int | None = attrs.field(default=None, kw_only=True)
    expected: str = attrs.field(default="", kw_only=True)
    found: str = attrs.field(default="", kw_only=True)

    details = ("file", "source", "offset", "expected", "found")

    def headline(self) -> str:
        """The message, after the symbol's name if there is one."""
        return f"{self.symbol}: {self.message}" if self.symbol else self.message

    def _habit(self) -> str:
        return "" if self.symbol else super()._habit()


@attrs.define(eq=False, slots=False)
class LinkErrors(LinkpipeError):
    """Several errors that were collected up to a checkpoint.

    Attributes:
        errors: in the order in which they are shown.
    """

    code = "LP202"

    errors: Sequence[LinkpipeError] = attrs.field(default=(), kw_only=True)

    def render(self) -> str:
        """All errors."""
        return "\n".join(error.render() for error in self.errors)

    def shown(self, command: str, limit: int | None = MAX_ERRORS) -> str:
        """The errors up to one more than ``limit``, which is then said to be too many; 0 is for
        the first alone, None for all. As in the oracle, those that have a label of their own do
        not end the list (it prints them past its counter)."""
        lines = []
        for number, error in enumerate(self.errors, 1):
            lines.append(error._labelled(command, ""))
            if limit is not None and number > limit and not error.label:
                lines += [f"{command}: too many errors"] if limit else []
                break
        return "\n".join(lines)


@attrs.define(eq=False, slots=False)
class PipelineError(LinkpipeError):
    """A pipeline cannot be run: refused before any input is opened.

    Attributes:
        file: the pipeline file.
        line: 1-based line in it, 0 when there is no one line to point at.
    """

    code = "LP301"

    file: str = attrs.field(default="", kw_only=True)
    line: int = attrs.field(default=0, kw_only=True)

    def headline(self) -> str:
        """The message, after "file:line"."""
        where = ":".join(str(part) for part in (self.file, self.line) if part)
        return f"{where}: {self.message}" if where else self.message


@attrs.define(eq=False, slots=False)
class MissingFact(LinkpipeError):
    """A fact was read that is not established.

    Attributes:
        fact: its name.
        providers: the passes that would provide it.
    """

    code = "LP401"

    fact: str = attrs.field(default="", kw_only=True)
    providers: Sequence[str] = attrs.field(default=(), kw_only=True)


@attrs.define(eq=False, slots=False)
class PassError(LinkpipeError):
    """A pass broke its contract or crashed: a bug in that pass, not in the input.

    Attributes:
        name: the pass.
        fact: the fact concerned, if there is one.
        owner: the distribution that the pass comes from, with its version.
        at: "file:line" of the pass's own code, when it crashed.
    """

    code = "LP402"

    name: str = attrs.field(default="", kw_only=True)
    fact: str = attrs.field(default="", kw_only=True)
    owner: str = attrs.field(default="", kw_only=True)
    at: str = attrs.field(default="", kw_only=True)

    details = ("owner", "at")

    def headline(self) -> str:
        """The message, after the pass's name."""
        return f"pass {self.name}: {self.message}" if self.name else self.message


class BadRow(ValueError):
    """One of many rows that are read at once is damaged. Whoever knows what its rows are of says
    so: it becomes an InputError (linkpipe.tables.faults).

    Attributes:
        row: its number. expected, found: in words.
    """

    def __init__(self, row: int, message: str, *, expected: str = "", found: str = "") -> None:
        super().__init__(message)
        self.row, self.expected, self.found = row, expected, found


class ObserverError(LinkpipeError):
    """An observer failed. The message names it, what it was told, and of which pass."""

    code = "LP403"


class Terminated(SystemExit):
    """Somebody asked the process to end (SIGTERM). No error of linkpipe's."""


def os_error(error: OSError) -> str:
    """The error of a file that was to be read, in Go's words: "open x.a: no such file or
    directory". A folder can be opened in Go, and then not be read."""
    reason = error.strerror or str(error)
    words = f"{reason[:1].lower()}{reason[1:]}"
    verb = "read" if isinstance(error, IsADirectoryError) else "open"
    return words if error.filename is None else f"{verb} {error.filename}: {words}"


@contextmanager
def collecting() -> Iterator[list[LinkpipeError]]:
    """A list to put errors into that need not end the block at once: they are raised at its end
    (see ``checkpoint``), or in front of the error that ends it."""
    errors: list[LinkpipeError] = []
    try:
        yield errors
    except LinkpipeError as last:
        if not errors:
            raise
        label = last._habit() if last.label is None else last.label
        found = [*errors, evolve(last, label=label)]
        message = f"{len(found)} errors"
        raise LinkErrors(message, errors=found, status=last.exit_status) from last
    checkpoint(errors)


def checkpoint(errors: Iterable[LinkpipeError]) -> None:
    """Raise what was collected: nothing for no error, else all of them as one LinkErrors.

    Each distinct message is kept once. The order is the caller's: sort where the order of
    finding is not meaningful. How many are shown is decided where they are shown (``shown``).
    """
    distinct = {error.render(): error for error in errors}
    if distinct:
        found = list(distinct.values())
        raise LinkErrors(f"{len(found)} errors", errors=found)
