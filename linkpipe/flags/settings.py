"""linkpipe's own flags: which pipeline runs, what is different in it, and who watches.

They follow the same syntax as the flags of `go tool link` and may stand among them. Each has an
environment variable too, for links that `go build` starts.

Every observer is asked for by ``-observe NAME`` or, with options, ``-observe NAME:key=value,…``
(a comma in a value is written ``\\,``). The other flags are short for that, one observer each.
A pass is put in by ``-pass NAME@AFTER``, with options as those of an observer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from linkpipe.errors import OptionError
from linkpipe.flags.goflag import Flag, Kind, split_quoted
from linkpipe.values import Value, evolve, record

_COMMA = r"(?<!\\),"


@record
class Request(Value):
    """An observer or a pass that is asked for.

    Attributes:
        name: the observer, or the pass.
        values: its options, as text.
        after: what the pass stands after, "" where nothing is said of that.
    """

    name: str
    values: Mapping[str, str] = MappingProxyType({})
    after: str = ""


def _own(kind: Kind, usage: str, variable: str, observer: str = "", option: str = "") -> Any:
    """A flag; ``observer``: the one it is short for, with its value as ``option``."""
    meta = {"kind": kind, "usage": usage, "variable": variable, "short": (observer, option)}
    return attrs.field(default=kind.zero, metadata=meta)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Settings(Value):
    """One attribute for each of linkpipe's own flags. The order of those that are short for an
    observer is the order in which the runner tells them: who checks comes first."""

    pipeline: str = _own(Kind.STRING, "run the pipeline in `file`", "LINKPIPE_PIPELINE")
    pass_: tuple[str, ...] = _own(
        Kind.LIST, "put in a `pass`: NAME@AFTER or NAME@AFTER:key=value,...", "LINKPIPE_PASS"
    )
    skip_pass: tuple[str, ...] = _own(Kind.LIST, "leave out a `pass`", "LINKPIPE_SKIP_PASS")
    until: str = _own(
        Kind.STRING, "end behind `pass`, and write no file that comes later", "LINKPIPE_UNTIL"
    )
    disable_plugin: tuple[str, ...] = _own(
        Kind.LIST, "take an installed `distribution` for not installed", "LINKPIPE_DISABLE_PLUGIN"
    )
    release: str = _own(
        Kind.STRING, "link by the rules of Go `release`, whatever the toolchain", "LINKPIPE_RELEASE"
    )
    check: bool = _own(Kind.BOOL, "check the tables after each pass", "LINKPIPE_CHECK", "check")
    dump: str = _own(
        Kind.STRING, "write tables and graphs into `directory`", "LINKPIPE_DUMP", "dump", "dir"
    )
    print_changed: bool = _own(
        Kind.BOOL, "tell what each pass changed", "LINKPIPE_PRINT_CHANGED", "changes"
    )
    log: bool = _own(Kind.BOOL, "log each pass", "LINKPIPE_LOG", "log")
    time: bool = _own(Kind.BOOL, "print what each pass cost", "LINKPIPE_TIME", "timing")
    timing: str = _own(
        Kind.STRING,
        "append what each pass cost to `file`, as JSON",
        "LINKPIPE_TIMING",
        "timing",
        "file",
    )
    warn_x: bool = _own(Kind.BOOL, "warn of -X that have no effect", "LINKPIPE_WARN_X", "warn-x")
    observe: tuple[str, ...] = _own(
        Kind.LIST, "let an `observer` watch: NAME or NAME:key=value,...", "LINKPIPE_OBSERVE"
    )

    def requests(self) -> tuple[Request, ...]:
        """The observers that are asked for. Raises OptionError for what is not written as above."""
        found = []
        for name, field in _FIELDS.items():
            observer, option = field.metadata["short"]
            value = getattr(self, name)
            if observer and value:
                found.append(Request(observer, {option: value} if option else {}))
        return (*found, *(_request(text, "observe") for text in self.observe))

    def passes(self) -> tuple[Request, ...]:
        """The passes that are put in. Raises OptionError for what is not written as above."""
        found = []
        for text in self.pass_:
            request = _request(text, "pass")
            name, at, after = request.name.partition("@")
            if not name or (at and not after):
                raise _wrong(f'"{text}" does not say which pass, or after what', "pass")
            found.append(evolve(request, name=name, after=after))
        return tuple(found)


def _request(text: str, flag: str) -> Request:
    what = "observer" if flag == "observe" else flag
    name, colon, rest = text.partition(":")
    values: dict[str, str] = {}
    for part in re.split(_COMMA, rest) if colon else ():
        key, equals, value = part.partition("=")
        if not equals or key in values:
            found = f"{key} twice" if equals else f'"{part}" (a comma in a value is written \\,)'
            raise _wrong(f"{what} {name}: expected key=value, found {found}", flag)
        values[key] = value.replace(r"\,", ",")
    if not name or "=" in name:
        raise _wrong(
            f'"{text}" is no name of {"an observer" if what == "observer" else "a pass"}', flag
        )
    return Request(name, values)


def _wrong(message: str, flag: str) -> OptionError:
    name = "NAME@AFTER" if flag == "pass" else "NAME"
    return OptionError(
        f"-{flag}: {message}",
        flag=flag,
        label="linkpipe",
        remedy=f"write {name} or {name}:key=value,key=value",
    )


_FIELDS = {f.name: f for f in attrs.fields(Settings)}


def flag_name(field: attrs.Attribute[Any]) -> str:
    """The name of the flag that a field is for."""
    return field.name.rstrip("_").replace("_", "-")


OWN_FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        name: Flag(name, field.metadata["kind"], field.metadata["usage"], field.default)
        for name, field in ((flag_name(field), field) for field in _FIELDS.values())
    }
)
"""linkpipe's own flags, by name."""

FIELD_OF: Mapping[str, str] = MappingProxyType({flag_name(f): f.name for f in _FIELDS.values()})
"""The attribute of Settings for each of these flags."""


def from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """The settings that environment variables make: for a boolean one any value but "", "0" and
    "false" is true; a list is separated by spaces, and a word of it may stand in quotes."""
    values: dict[str, Any] = {}
    for field in _FIELDS.values():
        variable = field.metadata["variable"]
        text = variables.get(variable, "")
        if not text:
            continue
        if field.metadata["kind"] is Kind.BOOL:
            values[field.name] = text not in ("0", "false")
        elif field.metadata["kind"] is Kind.LIST:
            try:
                values[field.name] = split_quoted(text)
            except ValueError as e:
                raise _wrong(f"{variable}: {e}", flag_name(field)) from e
        else:
            values[field.name] = text
    return values


def refuse_flags(settings: Settings, variables: Mapping[str, str]) -> None:
    """Raise OptionError for a flag of linkpipe's own in a link that the go command starts: that
    asks the linker for its identity without the link's flags, so it would take an old link for one
    that a changed pipeline makes, and repeat what an observer of an old link printed."""
    said = Settings(**from_environment(variables))
    for name, field in _FIELDS.items():
        if getattr(settings, name) != getattr(said, name):
            raise OptionError(
                f"flag -{flag_name(field)} among the -ldflags of the go command, which does not "
                "tell links apart by it",
                flag=flag_name(field),
                label="linkpipe",
                remedy=f"set {field.metadata['variable']} in the environment instead",
            )
