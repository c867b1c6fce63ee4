"""The last sentence of a pass's essay, which says what the pass reads and provides.

It follows from the decorator, so this script writes it, and tests/linkpipe/test_house.py holds it:

    python -m tools.essays
"""

from __future__ import annotations

import re
import textwrap
from importlib import import_module
from pathlib import Path

from linkpipe.engine.pass_api import Pass

ROOT = Path(__file__).parents[1]
LAST = re.compile(r"\nReads [^;]*;\s+provides\s[^;]*\.\n\Z")
"""That sentence."""


def sentence(run: Pass) -> str:
    """What a pass reads and provides, in lines of at most 100 characters."""
    reads = [f"`{fact}`" for fact in run.requires]
    reads += [f"`{fact}` if it is there" for fact in run.optional]
    provides = ", ".join(f"`{fact}`" for fact in run.provides)
    text = f"Reads {', '.join(reads) or 'nothing'}; provides {provides or 'nothing'}."
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def mended(source: str, run: Pass) -> str:
    """The source of a pass's file, with the sentence at the end of its essay."""
    before, essay, after = source.split('"""', 2)
    essay = LAST.sub("\n", essay).rstrip()
    return f'{before}"""{essay}\n{sentence(run)}\n"""{after}'


def passes() -> dict[Path, Pass]:
    """The built-in passes by file."""
    files = [file for file in (ROOT / "passes").glob("*.py") if not file.stem.startswith("_")]
    return {
        file: getattr(import_module(f"linkpipe.passes.{file.stem}"), file.stem)
        for file in sorted(files)
    }


def main() -> None:
    """Mend every essay."""
    for file, run in passes().items():
        file.write_text(mended(file.read_text(), run))


if __name__ == "__main__":
    main()
