"""The Markdown that pages are written in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

_SPAN = re.compile(r"(``.*?``|`[^`]*`)", re.DOTALL)


def page(*parts: str | None) -> str:
    """A page, of what there is of these parts."""
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    cells = ([re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def code(words: str, language: str = "python") -> str:
    """A block of code."""
    return f"```{language}\n{words.strip()}\n```"


def text(words: str) -> str:
    """Running text for one line, a table's cell or a paragraph: signs of Markdown but for code are
    what they are."""
    parts = _SPAN.split(" ".join(words.split()))
    parts[::2] = [re.sub(r"([*_<>\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def prose(words: str | None) -> str:
    """A docstring, whose indented parts are code."""
    blocks = []
    for block in re.split(r"\n\n+", words or ""):
        if block.startswith("    "):
            blocks.append(code(inspect.cleandoc(block)))
        elif block.startswith("- "):
            items = re.split(r"\n(?=- )", block)
            blocks.append("\n".join(f"- {text(item.removeprefix('- '))}" for item in items))
        else:
            blocks.append(text(block))
    return "\n\n".join(blocks)
