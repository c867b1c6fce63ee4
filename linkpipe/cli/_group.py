"""All commands as one click group: for shells' completion and for manual pages.

A link never comes here: its commands are found by name (main.py), and click is not imported.
"""

from __future__ import annotations

from importlib import import_module

import click

from linkpipe.cli.main import commands

VARIABLE = "_LINKPIPE_COMPLETE"
"""By which a shell asks for completions."""


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command; one that is not made by click, and takes what the go command takes, as far as
        its help goes."""
        if cmd_name not in commands():
            return None
        module = import_module(f"linkpipe.cli.{cmd_name.replace('-', '_')}")
        found = getattr(module, "command", None)
        line = (module.__doc__ or "").partition("\n")[0]
        if not isinstance(found, click.Command):
            takes = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
            return click.Command(cmd_name, params=[takes], help=line, short_help=line)
        found.short_help = line
        return found


GROUP = Commands("linkpipe", help="An independent linker for Go, and answers about what it links.")


def whole() -> click.Group:
    """The group with all commands imported."""
    context = click.Context(GROUP)
    found = {name: GROUP.get_command(context, name) for name in GROUP.list_commands(context)}
    return click.Group(
        GROUP.name, help=GROUP.help, commands={name: each for name, each in found.items() if each}
    )


def complete(instruction: str) -> int:
    """Answer a shell; returns the exit status."""
    from click.shell_completion import shell_complete

    return shell_complete(GROUP, {}, "linkpipe", VARIABLE, instruction)
