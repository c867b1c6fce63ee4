"""sample: tables as comma-separated values, for a spreadsheet.

    linkpipe link -observe dump:dir=DIR,format=sample …

writes what passes changed into DIR/…/NUMBER.PASS.FACT.sample: a line with the columns' names, then
one for each row.
"""

from __future__ import annotations

import csv
import re
from typing import IO, Any

from linkpipe.api import Dumper


def accepts(value: Any) -> bool:
    """What has rows."""
    return callable(getattr(value, "rows", None)) or callable(getattr(value, "listing", None))


def write(value: Any, file: IO[str], header: dict[str, Any], match: re.Pattern[str] | None) -> None:
    """Write the rows; ``header`` says of which fact and pass they are, ``match`` what to
    look for."""
    out = None
    for row in value.rows():
        if match is not None and not any(match.search(str(cell)) for cell in row.values()):
            continue
        if out is None:
            out = csv.DictWriter(file, list(row), restval="", extrasaction="ignore")
            out.writeheader()
        out.writerow(row)


CSV = Dumper("sample", accepts, write, rows=True)
