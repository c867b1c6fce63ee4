"""The other half of linkpipe-toolexec: ``TOOL ARGS``, of which only link is ours.

The stub passes every other tool through without Python; this does so again for those who call
the module itself.
"""

from __future__ import annotations

import os
import sys

from linkpipe.cli._safepath import leave_out_working_directory


def run() -> None:
    """``python -m linkpipe.cli.toolexec /path/to/link ARGS``."""
    leave_out_working_directory(first=True)
    tool, args = sys.argv[1], sys.argv[2:]
    if os.path.basename(tool).removesuffix(".exe") != "link":
        os.execvp(tool, sys.argv[1:])
    if os.environ.get("LINKPIPE_CAPTURE") and "-importcfg" in args:
        from linkpipe.packages.gobuild import save

        save(os.environ["LINKPIPE_CAPTURE"], tool, args, os.environ)
        sys.exit(1)  # the go command ends without an output, and keeps none
    from linkpipe.server import client

    client.link(args, tool)
    from linkpipe.process.run import process

    def command() -> int:
        from linkpipe.cli import link

        return link.main(args, tool)

    process(command, child=True)


if __name__ == "__main__":
    run()
