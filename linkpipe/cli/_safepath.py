"""What is imported comes from where Python and linkpipe are installed, or from where somebody says
so; not from whichever folder a link happens to run in.

``python -m`` looks for modules in the working directory first, and an empty element of PYTHONPATH
means it too. Nothing may be imported before this but what Python's own start has imported.
"""

from __future__ import annotations

import os
import sys


def leave_out_working_directory(*, first: bool) -> None:
    """Take the working directory off ``sys.path`` where nobody named it. ``first``: this process
    was started with ``-m``, which puts it there."""
    if first and not sys.flags.safe_path:
        del sys.path[0]
    value = os.environ.get("PYTHONPATH")
    named = value.split(os.pathsep) if value else []
    if "" in named:
        here = os.getcwd()
        if here not in named and here in sys.path:
            sys.path.remove(here)
