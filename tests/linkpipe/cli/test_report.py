"""The page of `linkpipe report`, opened in a real browser: Debian's Chromium, without a window.

With LINKPIPE_PICTURES=FOLDER the pictures that the tests take are kept there, to be looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from linkpipe.cli import _page
from tests.linkpipe.ask.links import QUIET, response_file
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.cli.test_asking import ask, of_deep

pytestmark = pytest.mark.once
FOLDER = Path(_page.__file__).parent / "page"
FIND, CALL = "looking.test/deep/helper.find", "looking.test/deep/helper.Call"
SIZES = [("light", 1280), ("light", 400), ("dark", 1280), ("dark", 400)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page for two programs holds."""
    folder = tmp_path_factory.mktemp("quiet")
    other = response_file(QUIET, folder)
    done = of_deep(tmp_path_factory.mktemp("deep"), "report", other, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = checked(done.stdout)
    return found


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page, which asks for nothing but itself and complains of nothing."""
    with pages(browser, tmp_path) as found:
        yield found


@contextmanager
def pages(browser: Browser, folder: Path) -> Iterator[Open]:
    asked, said = [], []

    def show(text: str, theme: Any = "light", width: int = 1280) -> Page:
        file = folder / "page.html"
        file.write_text(text, "utf-8", "surrogateescape")
        size: Any = {"width": width, "height": 900}
        page = browser.new_page(viewport=size, color_scheme=theme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"file://{file}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield show
    for context in browser.contexts:
        context.close()
    assert {url.partition("#")[0] for url in asked} <= {f"file://{folder}/page.html"}
    assert said == []


def one(told: dict[str, Any]) -> str:
    return _page.page(told["links"][:1], None)


def chain(page: Page) -> list[str]:
    """The names in the chain that is shown."""
    return page.locator("#why ol.chain").first.locator("button").all_inner_texts()


def largest(page: Page) -> tuple[str, str]:
    """The first row of the table of sizes: its name, and what would leave with it."""
    row = page.locator("#size tbody tr").first
    return row.locator("th").inner_text(), row.locator("td").last.inner_text()


def box(page: Page, section: str, text: str) -> Locator:
    return page.locator(f"#{section} svg text", has_text=re.compile(f"^{re.escape(text)}"))


def boxes(page: Page) -> list[str]:
    """What the boxes of sizes are called; they are drawn in a canvas."""
    page.wait_for_timeout(200)
    found: list[str] = page.evaluate(
        "echarts.getInstanceByDom(document.querySelector('#size .treemap'))"
        ".getOption().series[0].data.map((box) => box.name)"
    )
    return found


@pytest.mark.parametrize(("theme", "width"), SIZES)
def test_a_walk_through_the_page(
    opened: Open, told: dict[str, Any], tmp_path: Path, theme: str, width: int
) -> None:
    """Sizes, what would leave, a search, a chain that is clicked through: in both themes, on a
    screen and on a telephone, nothing wider than the window."""
    pictures = Path(os.environ.get("LINKPIPE_PICTURES") or tmp_path)
    page = opened(one(told), theme, width)

    def picture(name: str) -> bytes:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        file = pictures / f"{theme}-{width}-{name}.png"
        return page.screenshot(path=file, full_page=True)

    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 24)"}[theme]
    whole = picture("modules")
    assert largest(page)[0] == "std"
    page.get_by_label("by what would leave (retained)").check()
    expect(page.get_by_label("line tables")).to_be_disabled()
    packages = told["links"][0]["packages"]
    most = max(packages["retained"])
    name = packages["name"][packages["retained"].index(most)]
    assert largest(page) == (name, f"≈{most:,}")
    assert boxes(page)[0] == name
    assert picture("retained") != whole

    page.get_by_label("Symbol", exact=True).fill("helper find")
    expect(page.locator("#found")).to_have_text(re.compile("^[0-9]+ symbols match"))
    page.keyboard.press("Enter")
    assert chain(page)[-2:] == [CALL, FIND]
    assert "\ncall · " in page.locator("#why ol.chain").first.locator("li").last.inner_text()
    expect(page.locator("#why .content p").first).to_contain_text(f"{FIND} is ")
    expect(page.locator("#why .content p").first).to_be_focused()
    picture("find")
    box(page, "why", "main.run").click()  # in the picture
    assert chain(page)[-1] == "main.run"
    page.locator("#why ol.chain").nth(1).get_by_role("button", name=CALL).click()  # in the list
    assert chain(page)[-2:] == ["main.run", CALL]
    assert picture("call") != whole


def test_the_keyboard_does_it_all(opened: Open, told: dict[str, Any]) -> None:
    """Down to a symbol of a package by keys alone, and every focus can be seen."""
    page = opened(one(told))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_focused()
    page.keyboard.press("Enter")

    def reach(role: Any, name: str) -> None:
        goal = page.get_by_role(role, name=name, exact=True).first
        for _ in range(60):
            page.keyboard.press("Tab")
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) != "none"
            if goal.evaluate("it => it === document.activeElement"):
                return
        raise AssertionError(f"no way by Tab to {name}")

    for name in ("std", "reflect", "reflect.Value.call"):
        reach("button", name)
        page.keyboard.press("Enter")
    assert chain(page)[-1] == "reflect.Value.call"
    steps = page.locator("#size .path li").all_inner_texts()
    assert steps == ["all of it", "std", "reflect"]


def test_nothing_hinders_a_screen_reader(opened: Open, told: dict[str, Any]) -> None:
    """What axe knows to look for: names, roles, order, contrast, in both themes and with all that
    can be shown."""
    for theme, text in (("light", one(told)), ("dark", _page.page(told["links"], told["changes"]))):
        page = opened(text, theme)
        page.get_by_label("Symbol", exact=True).fill("helper find")
        page.keyboard.press("Enter")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert found.violations_count == 0, found.generate_report()


def test_two_links_side_by_side(opened: Open, told: dict[str, Any]) -> None:
    page = opened(_page.page(told["links"], told["changes"]))
    for section in ("size", "why", "methods", "passes"):
        left, right = page.locator(f"#{section} .program").all()
        places = left.bounding_box(), right.bounding_box()
        assert places[0]
        assert places[1]
        assert places[0]["x"] + places[0]["width"] < places[1]["x"]
    before, after = (link["total"] for link in told["links"])
    expect(page.locator("#changed")).to_contain_text(f"{before:,} → {after:,} bytes")
    page.locator("#changes").get_by_label("symbol").check()
    first = told["changes"]["symbols"]["changes"][0]
    expect(page.locator("#difference tbody th").first).to_have_text(first["name"])
    page.get_by_label("Symbol", exact=True).fill(FIND)
    page.keyboard.press("Enter")
    texts = page.locator("#why .content p:first-child").all_inner_texts()
    assert "would leave with it" in texts[0]
    assert texts[1] == f"{FIND} is not in this link."
    assert "1 cause keeps" in page.locator("#methods .content").first.inner_text()
    assert "nothing switched that off" in page.locator("#methods .content").last.inner_text()


def test_the_theme_is_ones_own_choice(opened: Open, told: dict[str, Any]) -> None:
    page = opened(one(told), "light")
    whole = page.locator("html")
    page.get_by_label("Theme").select_option("Dark")
    expect(whole).to_have_attribute("data-theme", "dark")
    page.get_by_label("Theme").select_option("As the system")
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        expect(whole).to_have_attribute("data-theme", theme)


def test_names_are_no_markup(opened: Open, told: dict[str, Any]) -> None:
    """A symbol may have any name: it is shown, in the picture too, and nothing of it runs."""
    evil = "</script><script>document.title = 'taken'</script><!--<img src=x onerror=alert(1)>"
    link = json.loads(json.dumps(told["links"][0]))
    symbols = link["symbols"]
    row = symbols["name"].index(FIND)
    symbols["name"][row] = evil
    link["name"] = f"a<b {evil}"
    link["packages"]["name"][symbols["package"][row]] = evil
    link["why_no_dce"]["causes"][0]["name"] = evil
    page = opened(_page.page([link], None))
    page.get_by_label("Symbol", exact=True).fill("</script><script> onerror")
    expect(page.locator("#found")).to_have_text("1 symbol matches")
    page.keyboard.press("Enter")
    assert chain(page)[-1] == evil
    box(page, "why", "</script>").or_(box(page, "why", "…")).first.hover()
    page.wait_for_timeout(100)
    assert page.title() == f"a<b {evil}"
    assert page.locator("img").count() == 0


def test_bytes_that_are_no_text(opened: Open, told: dict[str, Any]) -> None:
    """Names that are no UTF-8 leave the page whole."""
    link = json.loads(json.dumps(told["links"][0]))
    row = link["symbols"]["name"].index(FIND)
    link["symbols"]["name"][row] = "main.caf\udce9"
    page = opened(_page.page([link], None))
    page.get_by_label("Symbol", exact=True).fill("main.caf")
    page.keyboard.press("Enter")
    assert chain(page)[-1].startswith("main.caf")


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    """One file, in which nothing is left to be fetched; -o is --output."""
    file = tmp_path / "page.html"
    done = of_deep(tmp_path, "report", "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = file.read_text()
    assert text.startswith("<!doctype html>\n<html lang=")
    assert not re.search(r"<(?:link|img|iframe)\b|<script[^>]*\bsrc=|@import|url\(", markup(text))


def markup(text: str) -> str:
    """A page without what its scripts hold."""
    return re.sub(r"(<script[^>]*>).*?</script>", r"\1", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        ((), 2, "Missing argument"),
        (("./deep", "./quiet", "./third"), 2, "unexpected extra argument"),
        (("@/nonexistent/args",), 2, "/nonexistent/args"),
        (("./nosuch",), 3, "nosuch"),
    ],
)
def test_a_page_that_cannot_be_made(
    tmp_path: Path, args: tuple[str, ...], status: int, message: str
) -> None:
    """Nothing is written."""
    done = ask("report", *args, "-o", str(tmp_path / "page.html"))
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_library_is_the_one_that_was_taken() -> None:
    """Its digest and its version are those that its README names."""
    told = (FOLDER / "echarts" / "README.md").read_text()
    script = (FOLDER / _page.CHARTS).read_bytes()
    assert f"sha256:{hashlib.sha256(script).hexdigest()}" in told
    (version,) = re.findall(r"\| version \| (\S+) \|", told)
    assert f'.version="{version}"'.encode() in script
    assert f"npm pack echarts@{version}" in told


def test_text_stands_out_from_its_ground() -> None:
    """A contrast of 4.5 at least, white text on boxes among it (WCAG 2.2, 1.4.3)."""
    style = (FOLDER / "report.css").read_text()
    light, dark = re.findall(r"^:root[^{]*\{(.*?)^\}", style, re.MULTILINE | re.DOTALL)
    for text in (light, light + dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
        grounds = [colours["ground"], colours["panel"]]
        pairs = [(colours[name], g) for name in ("text", "muted", "accent") for g in grounds]
        pairs += [("#ffffff", value) for name, value in colours.items() if name.startswith("box-")]
        assert len(pairs) == 12
        for one, other in pairs:
            assert contrast(one, other) >= 4.5, (one, other)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
