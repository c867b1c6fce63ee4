"""A pytest plugin: writes down how each test ended and how long it took.

pytest -p tests.mutation.watch --watch FILE
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--watch", metavar="FILE", help="where to write what became of each test")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--watch")
    if file and not hasattr(config, "workerinput"):  # under xdist, all reports come to one place
        config.pluginmanager.register(_Watcher(Path(file)))


class _Watcher:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True})
        test["seconds"] += report.duration
        test["passed"] &= report.outcome == "passed"

    def pytest_sessionfinish(self) -> None:
        self.file.write_text(json.dumps(self.tests))
