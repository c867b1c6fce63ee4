"""The policy file: what is forbidden, what is let pass and until when.

    [[forbid]]                      [[allow]]
    package = "net/http/pprof"      package = "net/http/pprof"
    why = "…"                       until = 2027-01-31
                                    why = "…"

An entry has one of KINDS with a pattern of names, and `why`. In patterns ... and * stand for any
text and ? for one character; a path that ends in /... is itself and all that is below it, as for
the go command.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

from linkpipe.api import UserError

KINDS = ("package", "module", "symbol", "linkname", "cgo", "unsafe")
_KEYS = {"forbid": {*KINDS, "by", "why"}, "allow": {*KINDS, "by", "why", "until"}}


@attrs.frozen(slots=False)
class Rule:
    """An entry.

    Attributes:
        kind: one of KINDS.
        pattern: the names that it is about.
        by: of a linkname, the packages that refer.
        why: the reason.
        until: the last day on which what it allows is let pass; None: always.
    """

    kind: str
    pattern: str
    by: str
    why: str
    until: dt.date | None = None

    @property
    def name(self) -> str:
        """What the rule is called."""
        by = f" by {self.by}" if self.by != "..." else ""
        return f"{self.kind} {self.pattern}{by}"

    def covers(self, kind: str, names: tuple[str, ...], by: tuple[str, ...] = ()) -> bool:
        """Whether it is about something, by any of its names, and of the names in ``by``."""
        if kind != self.kind or (by and not any(self._by(name) for name in by)):
            return False
        return any(self._match(name) for name in names)

    @cached_property
    def _match(self) -> Any:
        return matcher(self.pattern)

    @cached_property
    def _by(self) -> Any:
        return matcher(self.by)


@attrs.frozen
class Policy:
    """What a policy file says."""

    forbid: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()


def matcher(pattern: str) -> Any:
    """A function that says whether a name is one of those that a pattern stands for."""
    signs = {"...": ".*", "*": ".*", "?": "."}
    below = pattern.endswith("/...")
    parts = re.findall(r"\.{3}|.", pattern.removesuffix("/..."), re.DOTALL)
    found = "".join(signs.get(part, re.escape(part)) for part in parts)
    return re.compile(found + ("(/.*)?" if below else ""), re.DOTALL).fullmatch


def read(file: Path) -> Policy:
    """Read a policy file. Raises UserError, with the entry, where it is none."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        reason = getattr(e, "strerror", None) or e
        raise _wrong(f"cannot read {file}: {reason}", "correct the option `file`") from e
    for key, value in tables.items():
        if key not in _KEYS or not isinstance(value, list):
            raise _wrong(f"{file}: unknown `{key}`", "write [[forbid]] and [[allow]]")
    found = {
        key: tuple(
            _rule(f"{file}: [[{key}]] number {number}", key, table)
            for number, table in enumerate(tables.get(key, ()), 1)
        )
        for key in _KEYS
    }
    if not found["forbid"]:
        raise _wrong(f"{file} forbids nothing", "add a [[forbid]], or do without the pass")
    names = [rule.name for rule in found["forbid"]]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise _wrong(f"{file} forbids {name} twice", "leave one of both out")
    return Policy(found["forbid"], found["allow"])


def _rule(where: str, key: str, table: Any) -> Rule:
    known = ", ".join(sorted(_KEYS[key]))
    if not isinstance(table, Mapping):
        raise _wrong(f"{where} is no table", f"known: {known}")
    unknown = sorted(set(table) - _KEYS[key])
    if unknown:
        raise _wrong(f"{where}: unknown key `{unknown[0]}`", f"known: {known}")
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise _wrong(f"{where} needs one of {', '.join(KINDS)}, and has {len(kinds)}", "say which")
    words = {name: table.get(name, "") for name in (kinds[0], "by", "why")}
    for name, value in words.items():
        if not isinstance(value, str) or not (value or name == "by"):
            raise _wrong(f"{where}: `{name}` is no text", f'write {name} = "…"')
    if words["by"] and kinds[0] != "linkname":
        raise _wrong(f"{where}: `by` is for linkname", "leave it out")
    until = table.get("until")
    if until is not None and type(until) is not dt.date:
        raise _wrong(f"{where}: `until` is no day", "write until = 2027-01-31")
    return Rule(kinds[0], words[kinds[0]], words["by"] or "...", words["why"], until)


def _wrong(message: str, remedy: str) -> UserError:
    return UserError(f"policy: {message}", remedy=remedy, status=2, label="linkpipe")
