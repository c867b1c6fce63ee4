"""What tests of pages share: a real browser, Debian's Chromium, without a window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conformance.tools import missing, need


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need(missing("chromium"))
    # As root there is no sandbox; what is opened is a page of this test.
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield found
        found.close()
