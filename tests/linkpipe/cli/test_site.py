"""The documentation as a site (tools/site.py): it is built without a warning, no link in it leads
nowhere, and it looks right in a real browser.

With LINKPIPE_PICTURES=FOLDER the pictures that are taken are kept there, to be looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from linkpipe.engine.pipeline import load_pipeline
from tests.samples import ROOT
from tools.site import CONTENTS, files

pytestmark = pytest.mark.once
SIZES = [("light", 1280), ("dark", 400)]
MAIN = (
    "index",
    "your-first-pass",
    "what-broke",
    "concepts",
    "reference/passes",
    "reference/passes/reachability",
    "reference/tables",
    "reference/commands/bisect",
    "reference/schemas",
    "shelf/policy",
)
LOOKED_AT = ("index", "your-first-pass", "reference/passes", "reference/commands/bisect")


def test_the_site(tmp_path: Path, browser: Browser) -> None:
    """Built once, since that takes longest: then what can be seen of it."""
    html = tmp_path / "html"
    command = [sys.executable, "-m", "tools.site", str(html)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert broken(html) == []
    assert {name for name in files() if not (html / f"{name}.html").exists()} == set()
    for step in load_pipeline().steps:
        assert (html / f"reference/passes/{step.name}.html").exists()
    for theme, width in SIZES:
        visit(browser, html, theme, width)
    search(browser, html)


def broken(html: Path) -> list[tuple[str, str]]:
    """Links between pages that lead to no file, or to no place in it."""
    texts = {file: file.read_text() for file in html.rglob("*.html")}
    anchors = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in texts.items()}
    found = []
    for file, text in texts.items():
        for link in set(re.findall(r'\b(?:href|src)="([^"]+)"', text)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            path = path.partition("?")[0]
            to = Path(os.path.normpath(file.parent / path)) if path else file
            if not to.exists() or (anchor and to in anchors and anchor not in anchors[to]):
                found.append((str(file.relative_to(html)), link))
    return found


@contextmanager
def opened(browser: Browser, html: Path, theme: Any, width: int) -> Iterator[Page]:
    """A window on the site; it asks for nothing else, and nobody complains."""
    asked, said = [], []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert [url for url in asked if not url.startswith((f"file://{html}", "data:"))] == []
    assert said == []


def visit(browser: Browser, html: Path, theme: str, width: int) -> None:
    pictures = os.environ.get("LINKPIPE_PICTURES")
    with opened(browser, html, theme, width) as page:
        for name in MAIN:
            page.goto(f"file://{html}/{name}.html")
            expect(page.locator("article h1")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 382) == (theme == "light")
            if name in LOOKED_AT:
                # It reads style sheets anew, which a browser refuses for files.
                options = {"resultTypes": ["violations"], "preload": False}
                seen = Axe().run(page, options=options)
                assert seen.violations_count == 0, (name, theme, seen.generate_report())
            if pictures:
                file = f"{theme}-{width}-{name.replace('/', '-')}.png"
                page.screenshot(path=Path(pictures, file))


def search(browser: Browser, html: Path) -> None:
    """Without a server, too."""
    with opened(browser, html, "light", 1280) as page:
        page.goto(f"file://{html}/search.html?q=stackcheck")
        first = page.locator("#search-results li a").first
        expect(first).to_be_visible()
        page.get_by_role("link", name="stackcheck", exact=True).first.click()
        expect(page.locator("article h1")).to_contain_text("stackcheck")


def test_every_page_has_its_place() -> None:
    """What is in the repository's documentation is in the table of contents, or below a page that
    is, and nothing stands in it twice."""
    listed = [name for names in CONTENTS.values() for name in names]
    assert len({*listed}) == len(listed)
    below = ("errors/LP", "shelf/")
    missing = {name for name in files() if not name.startswith(below)} - {*listed, "index"}
    assert missing == set()
