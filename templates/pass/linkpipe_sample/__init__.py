"""A plugin of linkpipe: the pass sample, and a pipeline in which it stands."""

from __future__ import annotations

from pathlib import Path

from linkpipe.api import require

require("1.0")

PIPELINE = Path(__file__).with_name("pipeline.toml")
"""The default pipeline with the pass in it."""
