"""``python -m linkpipe``."""

from __future__ import annotations

from linkpipe.cli.main import run

if __name__ == "__main__":
    run()
