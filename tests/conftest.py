"""Every link that a test makes is checked, in this process or in one that it starts."""

from __future__ import annotations

import os

from tests.conformance.toolchain import CHECKED

os.environ |= CHECKED
