"""The pages about errors, of what `linkpipe explain` says: docs/errors/CODE.md.

python -m tools.errors
"""

from __future__ import annotations

from pathlib import Path

from linkpipe.ask.explain import PAGES, Page

FOLDER = Path(__file__).parents[1] / "docs" / "errors"


def page(about: Page) -> str:
    """One page."""
    parts = [f"# {about.code}: {about.title}", about.cause, about.cure]
    for topic in about.topics:
        parts += [f"## {topic.title}", topic.cause, topic.cure]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for about in PAGES:
        (FOLDER / f"{about.code}.md").write_text(page(about))


if __name__ == "__main__":
    main()
