"""Manual pages of all commands, of the text that --help prints: `make man`.

They are in the repository, so that building a wheel needs no more than before; a test holds them
to the commands. They have a version and no date.

    python -m tools.man [FOLDER]        # docs/man if none is given
"""

from __future__ import annotations

import sys
from pathlib import Path

from click_man.core import write_man_pages

from linkpipe import __version__
from linkpipe.cli._group import whole

ROOT = Path(__file__).parents[1]


def main(argv: list[str]) -> None:
    """Write them."""
    folder = Path(argv[0] if argv else ROOT / "docs" / "man")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.1"):
        old.unlink()
    write_man_pages(
        "linkpipe",
        whole(),
        version=__version__,
        target_dir=str(folder),
        date=" ",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
