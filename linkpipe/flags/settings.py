"""linkpipe's own flags: which pipeline runs, and who watches it.

They follow the same syntax as the flags of `go tool link` and may stand among them. Each has an
environment variable too, for links that `go build` starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from linkpipe.flags.goflag import Flag, Kind


def _own(kind: Kind, usage: str, variable: str) -> Any:
    return attrs.field(
        default=kind.zero, metadata={"kind": kind, "usage": usage, "variable": variable}
    )


@attrs.frozen(kw_only=True)
class Settings:
    """One attribute for each of linkpipe's own flags (with ``_`` for ``-``).

    Attributes:
        observe: observers by name, "name" or "name=setting".
    """

    pipeline: str = _own(Kind.STRING, "run the pipeline in `file`", "LINKPIPE_PIPELINE")
    time: bool = _own(Kind.BOOL, "print what each pass cost", "LINKPIPE_TIME")
    timing: str = _own(
        Kind.STRING, "append what each pass cost to `file`, as JSON", "LINKPIPE_TIMING"
    )
    dump: str = _own(Kind.STRING, "write tables and graphs into `directory`", "LINKPIPE_DUMP")
    dump_match: str = _own(
        Kind.STRING,
        "dump only what `pattern` (a regular expression) matches",
        "LINKPIPE_DUMP_MATCH",
    )
    dump_format: tuple[str, ...] = _own(
        Kind.LIST,
        "dump in `format` (may be repeated; default jsonl, graphml, dot)",
        "LINKPIPE_DUMP_FORMAT",
    )
    verify: bool = _own(Kind.BOOL, "check the tables after each pass", "LINKPIPE_VERIFY")
    log: bool = _own(Kind.BOOL, "log each pass", "LINKPIPE_LOG")
    observe: tuple[str, ...] = _own(
        Kind.LIST, "let the observer `name` or name=setting watch", "LINKPIPE_OBSERVE"
    )


_FIELDS = {f.name.replace("_", "-"): f for f in attrs.fields(Settings)}

OWN_FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        name: Flag(name, field.metadata["kind"], field.metadata["usage"], field.default)
        for name, field in _FIELDS.items()
    }
)
"""linkpipe's own flags, by name."""


def from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """The settings that environment variables make: for a boolean one any value but "", "0" and
    "false" is true; a list is separated by commas."""
    values: dict[str, Any] = {}
    for field in _FIELDS.values():
        text = variables.get(field.metadata["variable"], "")
        if not text:
            continue
        if field.metadata["kind"] is Kind.BOOL:
            values[field.name] = text not in ("0", "false")
        elif field.metadata["kind"] is Kind.LIST:
            values[field.name] = tuple(text.split(","))
        else:
            values[field.name] = text
    return values
