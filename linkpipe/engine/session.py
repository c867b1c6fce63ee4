"""One link, from its options to its last fact: the plan is made, checked and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from linkpipe.engine.context import Link
from linkpipe.engine.flagedits import pipeline_of
from linkpipe.engine.plan import Plan, check_output, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import patch_of, release_of
from linkpipe.engine.runner import run_plan

if TYPE_CHECKING:
    from linkpipe.engine.runner import Observer
    from linkpipe.flags.options import Options


def run_link(
    options: Options,
    observers: Callable[[Catalog], Sequence[Observer]] = lambda _: (),
    *,
    until: str | None = None,
    keep: bool = True,
    catalog: Catalog | None = None,
) -> Link:
    """Do the link that ``options`` describe, up to and with the pass ``until`` or the last that
    provides a fact of that name, all of it when that is empty, which has to write a file; what is
    known at its end. Where it is None, the settings say how far. Nothing is opened before the plan
    has been checked.

    ``catalog`` is what is installed; ``observers`` makes those who watch from it. Unless told to
    ``keep`` them, facts are let go when no pass still to come can read them.

    Raises LinkpipeError.
    """
    catalog = catalog or Catalog(without=options.settings.disable_plugin)
    plan, link = begin(options, catalog, until)
    return run_plan(plan, link, observers(catalog), keep=keep)


def begin(options: Options, catalog: Catalog, until: str | None = None) -> tuple[Plan, Link]:
    """The plan of a link, checked, up to ``until`` as for ``run_link``; and what is known before it
    runs. Raises LinkpipeError."""
    release = release_of(catalog, options.environment.version, options.settings.release)
    release.enabled(options.environment.goexperiment, regabi=False)  # refuse what there is not
    pipeline = pipeline_of(options.settings, catalog)
    plan = make_plan(pipeline, catalog, options, release)
    if until is None:
        until = options.settings.until
    if until:
        plan = plan.until(until)
    else:
        check_output(plan, pipeline, catalog)
    arch = catalog.load("arches", options.environment.goarch)
    arch = arch.at(release.name, patch_of(options.environment.version, release.name))
    return plan, Link({"options": options, "arch": arch, "release": release})


def options_for(args: Sequence[str], variables: Mapping[str, str], tool: str = "") -> Options:
    """The options that arguments of `go tool link` make, with ``variables`` as the environment;
    ``tool`` is the toolchain's own linker. Raises LinkpipeError."""
    from linkpipe.errors import UserError
    from linkpipe.flags import environ
    from linkpipe.flags.options import VersionAsked, disabled, read_options

    catalog = Catalog(without=disabled(args, variables))
    options = read_options(
        args,
        environ.capture(variables, tool),
        variables,
        release_of=lambda version, asked: release_of(catalog, version, asked),
    )
    if isinstance(options, VersionAsked):
        raise UserError("-V links nothing", status=2, label="linkpipe", remedy="leave it out")
    return options
