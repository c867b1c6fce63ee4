"""A format of dumps."""

from __future__ import annotations

import re
from typing import IO, Any

from linkpipe.api import Dumper


def _accepts(value: Any) -> bool:
    return callable(getattr(value, "rows", None)) or callable(getattr(value, "listing", None))


def _write(
    value: Any, file: IO[str], header: dict[str, Any], match: re.Pattern[str] | None
) -> None:
    file.write(f"{header['fact']} {header['after']}\n")
    for row in value.rows():
        file.write(f"{row['name']}\n")


LINES = Dumper("frozen", _accepts, _write, rows=True)
