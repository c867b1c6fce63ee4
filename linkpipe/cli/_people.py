"""What the commands for people share: running a click command as a subcommand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from linkpipe.errors import LinkpipeError, os_error

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 160


def console() -> Console:
    """Where tables are printed; as wide as they want where nobody looks on."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE)


def invoke(command: click.Command, argv: Sequence[str]) -> int:
    """Run a click command; returns the exit status, and shows linkpipe's own errors as text."""
    name = f"linkpipe {command.name}"
    try:
        status = command.main(list(argv), prog_name=name, standalone_mode=False)
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except click.Abort:
        return 130
    except click.exceptions.Exit as e:
        return e.exit_code
    except LinkpipeError as e:
        print(f"{name}: {e.render()}", file=sys.stderr)
        return e.exit_status
    except BrokenPipeError:
        sys.stdout = None  # the reader has seen enough
        return 0
    except OSError as e:
        print(f"{name}: {os_error(e)}", file=sys.stderr)
        return 2
    return int(status or 0)
