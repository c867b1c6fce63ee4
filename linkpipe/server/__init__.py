"""A server that does links with everything imported, for those who ask for it: docs/server.md.

    client.py    has a link done by the server, or says why not; starts one
    place.py     where the server of this user, Python and linkpipe is, and who it is for
    handover.py  what a link needs of the process that asks for it: written there, taken on here
    host.py      the server: a child for each link
    stamps.py    whether what the server has imported is what is installed

The client is on the path of every link: client.py, place.py and handover.py import nothing but
modules that Python's start has imported, or that are a part of the interpreter.
"""

from __future__ import annotations

told = ""
"""How this process's link is done, in words, and if without the server why; empty when none was
asked for. ``-time``, ``-timing`` and the log say it."""

at_once = 1
"""How many links are done at this time, this one too, as far as is known."""
