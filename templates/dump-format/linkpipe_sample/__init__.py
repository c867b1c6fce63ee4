"""A plugin of linkpipe: the format of dumps sample."""

from __future__ import annotations

from linkpipe.api import require

require("1.0")
