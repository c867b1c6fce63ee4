"""Which release of Go a link is by: that of the toolchain, or the one that is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linkpipe.errors import UserError

if TYPE_CHECKING:
    from linkpipe.engine.plugins import Catalog
    from linkpipe.release import Release

_VERSION = r"(?:devel )?go(\d+)\.(\d+)(?:\.(\d+))?"


def release_of(catalog: Catalog, version: str, asked: str = "") -> Release:
    """The release of a toolchain's version ("go1.27.3", "devel go1.28-2a1b…"), or the one that is
    ``asked`` for. Where no version is known the newest one.

    Raises UserError for a version that is newer or older than what is known, and where nothing is.
    """
    known = sorted(catalog.offers("releases"), key=_number)
    if not known:
        raise UserError(
            "no release of Go is installed with linkpipe",
            status=2,
            label="linkpipe",
            remedy="install linkpipe again: its entry points are not there",
        )
    found = re.match(_VERSION, version)
    name = asked or (f"{found[1]}.{found[2]}" if found else "" if version else known[-1])
    if name in known or asked:
        release: Release = catalog.load("releases", name)
        return release
    span = f"linkpipe knows Go {known[0]} to {known[-1]}"
    if not found:
        said = f"cannot tell which Go {version!r} is"
    elif _number(name) > _number(known[-1]):
        said = f"Go {name} is newer than this linkpipe"
    else:
        said = f"Go {name} is too old"
    near = known[-1] if not found or _number(name) > _number(known[-1]) else known[0]
    raise UserError(
        f"{said}: {span}",
        status=2,
        label="linkpipe",
        remedy=f"use a Go that is known, upgrade linkpipe, or try --release={near}",
    )


def patch_of(version: str, name: str) -> int | None:
    """The patch of a toolchain's version (0 for what came before the first); None where the link is
    by the rules of another release, ``name``, than the toolchain's."""
    found = re.match(_VERSION, version)
    return int(found[3] or 0) if found and f"{found[1]}.{found[2]}" == name else None


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))
