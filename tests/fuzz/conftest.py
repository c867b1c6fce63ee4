"""Fixtures of the comparison; outputs go below the cache and are removed when all went well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.programs import scratch


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "big: takes long; left to `make conformance` and CI")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for outputs, on the cache's file system (large files, hard links)."""
    made = scratch()
    yield made
    shutil.rmtree(made, ignore_errors=True)
