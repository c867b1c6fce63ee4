"""What `perf script` prints: for each event a line, then one for each frame,

    prog  4242 1234.567890:     250000 cycles:u:
                      4a1b2c main.work+0x1c (/tmp/prog)

or, without -g, both in one line.
"""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:^|:)\s+[0-9a-f]+ (?=\S)")


def functions(data: bytes) -> list[str]:
    """The functions in the order in which they first appear, those of the kernel and of libraries
    too. Raises ValueError when there is none."""
    names: dict[str, None] = {}
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        # In parentheses is the file, of which " (deleted)" may be said.
        front, _, file = line.rstrip().removesuffix(" (deleted))").rpartition(" (")
        addresses = [*_ADDRESS.finditer(front)]
        if not file or not addresses:
            continue
        name = front[addresses[-1].end() :]
        name = name.rpartition("+0x")[0] or name
        if name != "[unknown]":
            names[name] = None
    if not names:
        raise ValueError("there is no frame in it, as `perf script` prints them")
    return [*names]
