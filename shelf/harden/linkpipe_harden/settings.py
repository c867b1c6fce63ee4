"""harden.set: flags of the link that make a binary harder to attack.

It stands in front of all passes, and changes the options that they read, as if the flags had been
given: `-bindnow`, so that the dynamic linker resolves all symbols before the program starts and
can make the tables read-only; a build id (`-B gobuildid`) where none is asked for; and for a host
linker `-z relro -z now -z noexecstack`. What the user gave stays, and stands after it where the
last word counts.

Position independence (`-buildmode=pie`) and `-trimpath` are decided when the go command compiles:
no linker can add them.

Reads and provides `options`.
"""

from __future__ import annotations

import attrs

from linkpipe.api import Link, linkpass

_HOST = ("-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack")


@linkpass(name="harden.set", provides=("options",))
def settings(link: Link) -> Link:
    """Set the flags."""
    options = link.options
    return link.evolve(
        options=attrs.evolve(
            options,
            bindnow=True,
            B=options.B or ("gobuildid" if options.buildid else ""),
            extldflags=(*_HOST, *options.extldflags),
        )
    )
