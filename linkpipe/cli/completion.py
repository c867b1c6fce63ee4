"""Print what makes a shell complete linkpipe's commands and options: bash, zsh or fish."""

from __future__ import annotations

from collections.abc import Sequence

import click

from linkpipe.cli._people import invoke, people


@people("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print what makes a shell complete linkpipe's commands and options. It is to be read when the
    shell starts, and asks linkpipe whenever a word is completed, so it need not be made anew.

    The exit status is 0, or 2 for a shell that is not known.

    \b
    Examples:
      linkpipe completion bash >>~/.bashrc
      linkpipe completion zsh >>~/.zshrc
      linkpipe completion fish >~/.config/fish/completions/linkpipe.fish
    """
    from click.shell_completion import get_completion_class

    from linkpipe.cli._group import GROUP, VARIABLE

    found = get_completion_class(shell)
    assert found is not None
    made = found(GROUP, {}, "linkpipe", VARIABLE)
    click.echo(made.source_template % made.source_vars())
    return 0


def main(argv: Sequence[str]) -> int:
    """``linkpipe completion``."""
    return invoke(command, argv)
