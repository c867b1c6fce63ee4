"""How fluent a page of `linkpipe report` is: the longest stall while it loads and after each click.

    linkpipe report @cmd/go.args -o go.html && python -m benchmarks.page go.html

A stall is a task of Chromium's main thread, in which the page answers nothing (the browser tells
those of 50 ms and more).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

_NOTE = """
window.tasks = [];
new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration)))
  .observe({ type: "longtask", buffered: true });
"""


def main(file: str) -> None:
    """Print a row of a table for each step."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_NOTE)
        first = page.locator("#size table").locator("a, button").first
        symbol = page.get_by_label("Symbol", exact=True)

        def load() -> None:
            page.goto(Path(file).resolve().as_uri())
            page.wait_for_selector("html[data-ready]")

        def choose() -> None:
            symbol.fill("runtime.main")
            symbol.press("Enter")

        steps: dict[str, Callable[[], object]] = {
            "load": load,
            "by what would leave": page.get_by_label("by what would leave (retained)").check,
            "by module and package": page.get_by_label("by module and package").check,
            "open the largest module": first.click,
            "open its largest package": first.click,
            "search": lambda: symbol.fill("http"),
            "choose a symbol": choose,
            "another theme": lambda: page.get_by_label("Theme").select_option("Dark"),
        }
        print("| step | longest stall |\n|---|---|")
        for name, step in steps.items():
            step()
            page.wait_for_timeout(800)
            longest = max(page.evaluate("window.tasks.splice(0)"), default=0)
            print(f"| {name} | {f'{longest:.0f} ms' if longest else 'below 50 ms'} |")
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
        print(f"\n{Path(file).stat().st_size / 1e6:.1f} MB; read and parsed after {ready:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
