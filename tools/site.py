"""The documentation as a site: `make site`.

What people read in the repository (docs/, the shelf's READMEs …) and the pages that are made of the
code (tools/reference) are laid out for Sphinx, which checks every link and anchor:

    python -m tools.site [FOLDER]        # build/site/html if none is given

A link to a file that is no page of the site shows the file's path instead; one that leads nowhere
ends the build.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from linkpipe import __version__
from tools import reference

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "site"

CONTENTS: Mapping[str, tuple[str, ...]] = {
    "Start": ("your-first-pass", "from-go-tool-link", "from-pass-pipelines"),
    "How to": (
        "looking-inside",
        "questions",
        "adding-a-pass",
        "observers",
        "pipelines",
        "what-broke",
        "policy-in-ci",
        "shelf/index",
        "server",
        "adding-an-architecture",
        "adding-a-go-release",
        "kernels",
    ),
    "Concepts": ("concepts", "tables", "glossary", "rejected"),
    "Reference": (
        "reference/passes",
        "reference/barriers",
        "reference/facts",
        "reference/tables",
        "reference/options",
        "reference/architecture",
        "reference/release",
        "reference/hooks",
        "api",
        "reference/api",
        "reference/commands",
        "reference/flags",
        "variables",
        "errors/index",
        "reference/schemas",
    ),
    "What holds": ("compared", "verified", "reliability", "oracle-faults", "project/benchmarks"),
    "The project": (
        "project/contributing",
        "project/changelog",
        "project/releasing",
        "project/security",
    ),
}
"""The pages of the site in order, below the first one, which is README.md."""

BELOW = {"shelf/index": "*", "errors/index": "LP*"}
"""Pages that have others below them in the table of contents, and which."""

APART = re.compile(r"reference/(passes|commands)/")
"""Pages that are reached from a table, and stand in no table of contents: there are many."""

NAMES = {
    "README.md": "index",
    "docs/README.md": "concepts",
    "docs/schemas": "reference/schemas",
    "docs/errors": "errors/index",
    "benchmarks/README.md": "project/benchmarks",
    "CHANGELOG.md": "project/changelog",
    "CONTRIBUTING.md": "project/contributing",
    "RELEASING.md": "project/releasing",
    "SECURITY.md": "project/security",
    "shelf/README.md": "shelf/index",
}
"""Files and folders of the repository that are pages under another name than their own."""

SETTINGS = {
    "project": "linkpipe",
    "release": __version__,
    "copyright": "the linkpipe authors",
    "root_doc": "index",
    "extensions": ["myst_parser"],
    "nitpicky": True,
    "smartquotes": False,
    "myst_heading_anchors": 4,
    "html_theme": "furo",
    "html_title": f"linkpipe {__version__}",
    "html_static_path": ["_static"],
    "html_css_files": ["site.css"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # it would be fetched, which no file may
}

MENDED = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Site">',
    '<aside class="toc-drawer': '<aside aria-label="This page" class="toc-drawer',
    '<th class="head"><p></p></th>': "<td></td>",
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper ': '<div tabindex="0" class="table-wrapper ',
}
"""What hinders people who use keys, or do not see a page, in what the theme writes."""

_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(`[^`\n]*`)|(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def files() -> dict[str, Path]:
    """The pages that are files of the repository: name in the site -> file."""
    found = [ROOT / name for name in NAMES if name.endswith(".md")]
    for pattern in ("docs/*.md", "docs/errors/*.md", "shelf/*/README.md"):
        found += [file for file in sorted(ROOT.glob(pattern)) if file not in found]
    return {name_of(file): file for file in found}


def name_of(file: Path) -> str:
    """The name of a file's page, without ending."""
    path = file.relative_to(ROOT)
    if str(path) in NAMES:
        return NAMES[str(path)]
    if path.name == "README.md":
        return str(path.parent)
    return str(path.with_suffix("")).removeprefix("docs/")


def linked(text: str, page: str, file: Path, known: Mapping[Path, str]) -> tuple[str, set[Path]]:
    """A file's text with the links that its page in the site has, and the pictures it shows."""
    pictures: set[Path] = set()

    def one(match: re.Match[str]) -> str:
        code, picture, words, target = match.groups()
        if code or re.match(r"[a-z]+:|#", target):
            return match[0]
        path, hash_, anchor = target.partition("#")
        place = Path(os.path.normpath(file.parent / path))
        if not place.exists():
            raise SystemExit(f"{file.relative_to(ROOT)}: a link to {target}, which is not there")
        here = os.path.dirname(page)
        if picture:
            pictures.add(place)
            return f"![{words}]({os.path.relpath(f'_pictures/{place.name}', here or '.')})"
        to = known.get(place) or known.get(place / "README.md")
        if to is None and place.suffix == ".json" and place.parent in known:
            to, hash_, anchor = known[place.parent], "#", place.stem
        if to is not None:
            inner, _ = linked(words, page, file, known)
            return f"[{inner}]({os.path.relpath(to, here or '.')}.md{hash_}{anchor})"
        name = str(place.relative_to(ROOT))
        return words if name in words else f"{words} (`{name}`)"

    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(one, part) for part in parts[::2]]
    return "".join(parts), pictures


def contents() -> str:
    """The tables of contents of the first page."""
    parts = []
    for caption, names in CONTENTS.items():
        listed = "\n".join(names)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n")
    return "\n" + "\n".join(parts)


def source() -> tuple[dict[str, str], set[Path]]:
    """All pages: name in the site -> Markdown; and the pictures on them."""
    known = {file: name for name, file in files().items()}
    known |= {ROOT / path: name for path, name in NAMES.items()}
    known |= {file: f"reference/{file.stem}" for file in reference.shipped()}
    found, pictures = reference.pages(), set[Path]()
    for name, file in files().items():
        found[name], shown = linked(file.read_text(), name, file, known)
        pictures |= shown
    for name, pattern in BELOW.items():
        found[name] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{pattern}\n```\n"
    for name in filter(APART.match, found):
        found[name] = f"---\norphan: true\n---\n\n{found[name]}"
    found["index"] += contents()
    return found, pictures


def lay_out(folder: Path) -> None:
    """Write the pages where Sphinx reads them; those that are as they were stay untouched."""
    found, pictures = source()
    wanted = {folder / f"{name}.md": text.encode() for name, text in found.items()}
    wanted |= {folder / "_pictures" / picture.name: picture.read_bytes() for picture in pictures}
    style = ROOT / "docs" / "site.css"
    wanted[folder / "_static" / style.name] = style.read_bytes()
    for old in set(folder.rglob("*")) - wanted.keys():
        if old.is_file():
            old.unlink()
    for file, content in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)


def main(argv: list[str]) -> int:
    """Build it; a warning of Sphinx is an error."""
    from sphinx.application import Sphinx

    html = Path(argv[0]) if argv else BUILD / "html"
    pages = BUILD / "pages" if not argv else html.with_name(f"{html.name}-pages")
    lay_out(pages)
    shutil.rmtree(html, ignore_errors=True)
    app = Sphinx(
        str(pages),
        None,
        str(html),
        str(pages.with_name(f"{pages.name}-read")),
        "html",
        confoverrides=SETTINGS,
        status=None,
        warningiserror=True,
        freshenv=True,
    )
    app.build()
    for file in html.rglob("*.html"):
        text = file.read_text()
        for before, after in MENDED.items():
            text = text.replace(before, after)
        file.write_text(text)
    print(f"{html}/index.html: {len(app.env.found_docs)} pages")
    return app.statuscode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
