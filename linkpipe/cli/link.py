"""Link a Go program: takes what `go tool link` takes, and is as silent when it succeeds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from linkpipe import __version__
from linkpipe.errors import MAX_ERRORS, LinkpipeError, OptionError, Terminated
from linkpipe.flags.environ import capture
from linkpipe.flags.options import VersionAsked, disabled, read_options
from linkpipe.flags.settings import Request, refuse_flags

if TYPE_CHECKING:
    from linkpipe.engine.entrypoints import EntryPoint
    from linkpipe.engine.plugins import Catalog
    from linkpipe.engine.runner import Observer
    from linkpipe.flags.options import Options


def main(
    args: Sequence[str],
    tool: str = "",
    variables: Mapping[str, str] = os.environ,
    entries: Sequence[EntryPoint] | None = None,
) -> int:
    """Do one link. ``tool`` is the path of the toolchain's own link that linkpipe stands in for;
    ``entries`` are the entry points of what is installed, where they are known already.

    Returns the exit status: 0, 1 or 2 as the oracle's.
    """
    # No pass does linear algebra; numpy's library for it would start a thread for each processor,
    # as soon as numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    command = tool or "linkpipe"
    limit: int | None = MAX_ERRORS
    begun: list[tuple[Options, Catalog]] = []
    try:
        from linkpipe.engine.plugins import Catalog
        from linkpipe.engine.releases import release_of

        without = disabled(args, variables)
        catalog = Catalog(entries, without=without)
        environment = capture(variables, tool)
        options = read_options(
            args,
            environment,
            variables,
            can_build=lambda mode: can_build(mode, environment.goarch, catalog),
            release_of=lambda version, asked: release_of(catalog, version, asked),
        )
        if isinstance(options, VersionAsked):
            print(version(options, catalog))
        else:
            limit = options.error_limit
            if options.settings.disable_plugin != without:  # said in a response file
                catalog = Catalog(entries, without=options.settings.disable_plugin)
            if tool:
                refuse_flags(options.settings, variables)
            link(options, catalog, lambda: begun.append((options, catalog)))
    except KeyboardInterrupt as e:
        print(" ".join(["linkpipe: interrupted", *notes(e)]), file=sys.stderr)
        return _failed(130, variables)
    except Terminated as e:
        print(" ".join(["linkpipe: terminated", *notes(e)]), file=sys.stderr)
        raise
    except LinkpipeError as e:
        show(e, command, limit)
        _advise(e, begun, tool)
        return _failed(e.exit_status, variables)
    except BaseException as e:
        from linkpipe.engine.contract import place

        print(
            f"linkpipe: internal error: {type(e).__name__}: {e}\n\tat: {place(e)}\n\tplease report "
            "this with the traceback that LINKPIPE_DEBUG=1 prints",
            file=sys.stderr,
        )
        _advise(e, begun, tool)
        return _failed(2, variables)
    return 0


def _advise(error: BaseException, begun: list[tuple[Options, Catalog]], tool: str) -> None:
    """Say how a link that was begun is saved and done again."""
    if not begun:
        return
    from linkpipe.cli._again import again

    line = again(error, *begun[0], tool)
    if line:
        print(f"\tto save this link, and do it again: {line}", file=sys.stderr)


def notes(error: BaseException) -> list[str]:
    """What was added to an exception on its way."""
    return list(getattr(error, "__notes__", ()))


def _failed(status: int, variables: Mapping[str, str]) -> int:
    if variables.get("LINKPIPE_DEBUG"):
        import traceback

        traceback.print_exc()
    return status


def link(options: Options, catalog: Catalog, begins: Callable[[], None]) -> None:
    """Do the link, for a process that ends with it. ``begins`` is called when all that was asked
    for has been found to be possible, before anything is opened."""
    from linkpipe.arrays.memory import keep_freed_memory
    from linkpipe.engine.session import run_link
    from linkpipe.observe.misplaced import Misplaced
    from linkpipe.process.parent import end_with_parent

    end_with_parent()
    keep_freed_memory()
    until = options.settings.until

    def watching(catalog: Catalog) -> Sequence[Observer]:
        made = observers(options, catalog)
        begins()
        return (*made, Misplaced())

    done = run_link(options, watching, keep=False, catalog=catalog)
    if until and "output" not in done.set_by:
        print(f"linkpipe: ended behind {until}, before a file is written", file=sys.stderr)


def can_build(mode: str, goarch: str, catalog: Catalog) -> bool:
    """Whether there is such a build mode for an architecture; not for one that is not known."""
    if goarch not in catalog.offers("arches"):
        return False
    return mode in catalog.load("arches", goarch).build_modes


def observers(options: Options, catalog: Catalog) -> Sequence[Observer]:
    """The observers that the flags ask for."""
    requests = options.settings.requests()
    if options.v and not options.settings.log:
        requests += (Request("log"),)
    if options.benchmark:
        said = {"mode": options.benchmark, "profiles": options.benchmarkprofile}
        requests += (Request("benchmark", said),)
    if options.cpuprofile or options.memprofile:
        said = {"cpu": options.cpuprofile, "memory": options.memprofile}
        requests += (Request("profile", said),)
    if not requests:
        return ()
    from linkpipe.observe.requests import make

    return make(requests, catalog)


def version(asked: VersionAsked, catalog: Catalog) -> str:
    """The answer to ``-V``. With ``=full`` it identifies everything that decides the output, for
    the go command makes it a part of what a cached link is known by."""
    from linkpipe.engine.releases import patch_of, release_of

    environment = asked.environment
    release = release_of(catalog, environment.version, asked.settings.release)
    experiments = release.changed(environment.goexperiment)
    if asked.what == "goexperiment" and release.tells_experiments:
        arch = catalog.load("arches", environment.goarch)
        arch = arch.at(release.name, patch_of(environment.version, release.name))
        experiments = release.told(
            environment.goexperiment, regabi=arch.regabi, off=arch.off_by_default
        )
    line = f"link version {environment.go_version}"
    if experiments:
        line += f" X:{experiments}"
    if asked.what != "full":
        return f"{line} linkpipe={__version__}"
    import hashlib

    from linkpipe.engine.flagedits import pipeline_of

    pipeline = pipeline_of(asked.settings, catalog)
    digest = hashlib.sha256(pipeline.source)
    if asked.settings.until:
        digest.update(f"until {asked.settings.until}\n".encode("utf-8", "surrogateescape"))
    names = [step.name for step in pipeline.steps]
    for name in catalog.unidentified({"passes": names}):
        print(f"linkpipe: {never_reused(name)}", file=sys.stderr)
    digest.update(catalog.identity(names, environment.goarch, release.name).encode())
    requests = asked.settings.requests()
    if requests:
        from linkpipe.observe.requests import identity

        digest.update(identity(requests, catalog).encode("utf-8", "surrogateescape"))
    if any(step.options for step in pipeline.steps):
        from linkpipe.engine.plan import input_files

        for path in input_files(pipeline, catalog):
            try:
                content = hashlib.sha256(path.read_bytes()).digest()
            except OSError:
                content = b"missing"  # the pass will say so, if it needs it
            digest.update(content)
    return f"{line} linkpipe={__version__}-{digest.hexdigest()[:16]}"


def never_reused(name: str) -> str:
    """That a link with a pass is not taken out of a cache, in words."""
    return (
        f"nothing tells one version of the pass {name} from another: go build links again each "
        "time (it is identified when its package is installed, with entry points)"
    )


def show(error: LinkpipeError, command: str, limit: int | None) -> None:
    """Print an error as the oracle prints it, and the flags where they were wrong."""
    text = error.shown(command, limit)
    if text:
        print(text, file=sys.stderr)
    if isinstance(error, OptionError) and error.usage:
        from linkpipe.flags.options import usage

        print(usage(error.known), end="", file=sys.stderr)
