"""A plugin that was written for version 1.0 of linkpipe.api."""

from __future__ import annotations

from pathlib import Path

from linkpipe.api import require

require("1.0")

PIPELINE = Path(__file__).with_name("pipeline.toml")
