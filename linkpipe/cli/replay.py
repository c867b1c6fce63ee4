"""Link a saved link again, or as far as a pass."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import click

from linkpipe.cli._people import invoke, people, print_error
from linkpipe.cli._target import FAILED, YES
from linkpipe.engine.saved import check_compiler, options_of, read
from linkpipe.errors import LinkpipeError
from linkpipe.values import evolve


@people("replay")
@click.argument("saved")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="",
    help="The file that is linked; SAVED without .saved, or with .out behind it, if not given.",
)
@click.option(
    "--until", metavar="PASS", default="", help="End behind this pass; nothing is written."
)
@click.option("--pipeline", metavar="FILE", default="", help="Another pipeline than the saved one.")
def command(saved: str, output: str, until: str, pipeline: str) -> int:
    """Link a saved link again, or as far as a pass. SAVED is what `linkpipe save` wrote, here or on
    another machine; what is linked is the same, to the byte. What watches a link (LINKPIPE_TIME,
    LINKPIPE_DUMP, LINKPIPE_CHECK and so on) watches this one.

    A link that a C compiler finishes is finished only with LINKPIPE_RUN_COMPILER=1: the file says
    which flags it gets.

    The exit status is 0, 2 when the file is no saved link, 3 when the link fails.

    \b
    Examples:
      linkpipe replay prog.saved
      linkpipe replay --until reachability prog.saved
      LINKPIPE_TIME=1 linkpipe replay -o /tmp/prog prog.saved
    """
    from linkpipe.cli.link import observers
    from linkpipe.engine.session import run_link

    read(saved)
    bare = saved.removesuffix(".saved")
    out = output or (bare if bare != saved else f"{saved}.out")
    try:
        with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
            options, told = options_of(saved, folder, os.environ)
            if not until:
                check_compiler(told, os.environ)
            settings = evolve(options.settings, pipeline=pipeline or options.settings.pipeline)
            options = evolve(options, o=os.path.abspath(out), settings=settings)
            run_link(options, lambda catalog: observers(options, catalog), until=until)
    except LinkpipeError as e:
        print_error("linkpipe replay", e, ())
        return FAILED
    if not until:
        click.echo(out)
    return YES


def main(argv: Sequence[str]) -> int:
    """``linkpipe replay``."""
    return invoke(command, argv)
