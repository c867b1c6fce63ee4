"""Manual pages of all commands, of the text that --help prints: `make man`.

python -m tools.man [FOLDER]        # build/man if none is given
"""

from __future__ import annotations

import sys
import time
from os import environ
from pathlib import Path

from click_man.core import write_man_pages

from linkpipe import __version__
from linkpipe.cli._group import whole


def main(argv: list[str]) -> None:
    """Write them. SOURCE_DATE_EPOCH is the date on them, today's if it is not set."""
    folder = Path(argv[0] if argv else "build/man")
    folder.mkdir(parents=True, exist_ok=True)
    date = time.gmtime(int(environ.get("SOURCE_DATE_EPOCH", time.time())))
    write_man_pages(
        "linkpipe",
        whole(),
        version=__version__,
        target_dir=str(folder),
        date=time.strftime("%Y-%m-%d", date),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
