"""A plugin of linkpipe: the observer sample."""

from __future__ import annotations

from linkpipe.api import require

require("1.0")
