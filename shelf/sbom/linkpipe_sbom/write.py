"""sbom: bills of materials of what was linked, as CycloneDX 1.6 and SPDX 2.3.

The go command tells the linker which modules it built the program from, with versions and the
hashes of go.sum; `go version -m` prints that, and tools make bills of it. But a module that is
imported need not be in the program: after `reachability` it is known which packages anything is
left of. So the bill lists a module when a symbol of it is in the program, with its packages and
their bytes, the standard library as a module of its own, and which of them import which.

A bill names no files but by module. A licence is in no object: texts of licences are looked for
where the go command keeps modules, and what is not found is said to be unknown.

Reads `graph`, `symbols`, `objects`, `packages`; provides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import attrs

from linkpipe.api import Link, UserError, linkpass, write_text
from linkpipe_sbom.licences import module_cache, with_licences
from linkpipe_sbom.modules import program


@attrs.frozen
class SbomOptions:
    """Attributes:
    cyclonedx, spdx: files to write, at least one of them.
    modules: the folder of the module cache; the go command's, if none is given.
    created: when, "2026-11-26T12:00:00Z"; the time of the commit that was built, if none is given
        and the go command told it, else now.
    """

    cyclonedx: Path | None = None
    spdx: Path | None = None
    modules: Path | None = None
    created: str = ""


@linkpass(name="sbom", requires=("graph", "symbols", "objects", "packages"), options=SbomOptions)
def sbom(link: Link, options: SbomOptions) -> Link:
    """Write bills of materials."""
    if options.cyclonedx is None and options.spdx is None:
        raise UserError(
            "sbom: there is nothing to write",
            remedy='name a file: options = { cyclonedx = "bom.json" }',
            status=2,
            label="linkpipe",
        )
    environment, tool = link.options.environment, version("linkpipe-sbom")
    cache = module_cache(options.modules, environment.variables)
    found = with_licences(program(link), cache, environment.variables.get("GOROOT", ""))
    created = _time(options.created, found.settings)
    # Each library is imported where its form is asked for: they take a second.
    if options.cyclonedx is not None:
        from linkpipe_sbom.cyclone import cyclonedx

        write_text(options.cyclonedx, cyclonedx(found, created, tool))
    if options.spdx is not None:
        from linkpipe_sbom.spdx import spdx

        write_text(options.spdx, spdx(found, created, tool))
    return link


def _time(given: str, settings: Mapping[str, str]) -> dt.datetime:
    text = given or settings.get("vcs.time", "")
    if not text:
        return dt.datetime.now(dt.UTC).replace(microsecond=0)
    try:
        time = dt.datetime.fromisoformat(text).replace(microsecond=0)
        return time.astimezone(dt.UTC) if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError) as e:
        raise UserError(
            f'sbom: "{text}" is no time', remedy='write created = "2026-11-26T12:00:00Z"', status=2
        ) from e
