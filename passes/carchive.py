"""carchive: put Go code into an archive that C programs are linked with.

With -buildmode=c-archive nobody finishes the link here: ``go.o`` and copies of the C objects that
came with the packages go into an archive, and whoever links it into a C program has the rest to
do. The archive tool is the one that -extar names; else the C compiler is asked for its own, if it
answers such questions; else it is ``ar``.

There is no FIPS checksum: the bytes that it would cover are not final.

Source: cmd/link/internal/ld/lib.go:1377-1432 (archive), 3164 (findExtLinkTool).
Reads `image`, `cgo`, `packages`, `objects`, `compiler_flags`; provides `output`, `hostlink`.
"""

from __future__ import annotations

from contextlib import closing

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.hostlinker.hosttools import ARCHIVER, archiver, prober_for, run
from linkpipe.hostlinker.objectfiles import write_objects
from linkpipe.output.checkimage import check_file
from linkpipe.output.outfile import made_elsewhere
from linkpipe.output.stdout import say
from linkpipe.process.litter import folder as temporary_folder
from linkpipe.tables.hostlink import HostLink


@linkpass(
    requires=("image", "cgo", "packages", "objects", "compiler_flags"),
    provides=("output", "hostlink"),
)
def carchive(link: Link) -> Link:
    """Write go.o and the C objects, and call the archive tool."""
    options = link.options
    answers = link.compiler_flags.value
    check_file(link.image, link.set_by.get("image", ""))
    asking = prober_for(options, link.arch, link.release, link.cgo.ldflags, answers)
    with closing(asking) as prober, link.until_end() as end:
        folder = options.tmpdir or end.enter_context(temporary_folder())
        tool, known = options.extar, {}
        if not tool:
            known[ARCHIVER] = prober.supports(ARCHIVER)
            tool = archiver(options, link.arch) if known[ARCHIVER] else "ar"
        output = end.enter_context(made_elsewhere(options.o, folder))
        objects = write_objects(
            link.image, link.packages, link.objects.arena, folder, tell=bool(options.v)
        )
        command = (tool, "-q", "-c", "-s", output, *objects)
        if options.v:
            say(f"archive: {' '.join(command)}\n")
        run(command, shown=False)
    fact = HostLink(
        command=command, answers=tuple(known.items()), objects=tuple(objects), output=options.o
    )
    return link.evolve(output=options.o, hostlink=fact)
