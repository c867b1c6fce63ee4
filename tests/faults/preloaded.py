"""What links import, imported once."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import linkpipe.arches
import linkpipe.cli.link
import linkpipe.engine.session
import linkpipe.observe.check
import linkpipe.observe.requests
import linkpipe.passes

for package in (linkpipe.arches, linkpipe.passes):
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
