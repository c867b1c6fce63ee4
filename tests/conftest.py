"""What holds for all tests."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import HealthCheck, settings

from tests.conformance.toolchain import CHECKED

# Every link that a test makes is checked, in this process or in one that it starts.
os.environ |= CHECKED

# One profile for every property. A machine under load is no fault of the code: no deadlines, and
# no complaint that drawing was slow. The fixtures that properties take are tables and folders that
# no example leaves changed, so that one for all examples is enough. In continuous integration the
# examples are the same for the same test, so that a change is judged by what it changed;
# everywhere else each run looks in new places, and a failure says how to repeat it.
settings.register_profile(
    "linkpipe",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("linkpipe")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        type=int,
        default=1,
        metavar="N",
        help="run one test in N, the same ones each time: what their names' checksums choose",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("part")
    others = [item for item in items if zlib.crc32(item.nodeid.encode()) % part]
    if others:
        config.hook.pytest_deselected(items=others)
        left = set(others)
        items[:] = [item for item in items if item not in left]
