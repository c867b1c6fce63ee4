"""``python -m linkpipe``, and the console script."""

from __future__ import annotations

from linkpipe.cli._safepath import leave_out_working_directory


def run(*, module: bool = False) -> None:
    """Run as a command: with ``module`` as ``python -m``, else as the console script."""
    leave_out_working_directory(first=module)
    from linkpipe.cli.main import run as command

    command()


if __name__ == "__main__":
    run(module=True)
