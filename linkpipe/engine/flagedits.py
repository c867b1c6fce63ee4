"""What flags change in the pipeline: -pass and -skip-pass, as the text of a pipeline file.

The file stays the declarative way: what a command line amounts to is written down, checked and
refused as what a person has written, and `linkpipe passes --toml` prints it.
"""

from __future__ import annotations

import os
from typing import Any

from linkpipe.engine.pipefile import written
from linkpipe.engine.pipeline import Pipeline, Step, load_pipeline
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.structure import absolute, typed
from linkpipe.flags.settings import Settings


def pipeline_of(settings: Settings, catalog: Catalog) -> Pipeline:
    """The pipeline that settings ask for: its file, and what flags change in it. Raises
    LinkpipeError."""
    return load_pipeline(settings.pipeline, catalog, edits(settings, catalog))


def edits(settings: Settings, catalog: Catalog) -> str:
    """What flags change in the pipeline, as a pipeline file; "" for nothing.

    A pass that is put in after another is an insert; one that stands in the pipeline already, and
    of which no place is said, gets these options there, and keeps its others. Paths among options
    are absolute, so that the file says the same wherever it is put. Raises LinkpipeError.
    """
    requests = settings.passes()
    if not (requests or settings.skip_pass):
        return ""
    lines = [extension(settings)]
    for name in settings.skip_pass:
        lines += ["", "[[remove]]", f"name = {written(name)}"]
    there: dict[str, Step] = {}
    if any(not request.after for request in requests):
        steps = load_pipeline(settings.pipeline, catalog).steps
        there = {step.name: step for step in steps if step.name not in settings.skip_pass}
    said: dict[str, dict[str, Any]] = {}
    for request in requests:
        options = _options(request.name, catalog) if request.values else None
        values = absolute(typed(request.values, options), options, os.getcwd())
        if not request.after and request.name in there:
            lines += ["", "[[replace]]", f"name = {written(request.name)}"]
            if values:
                step = there[request.name]
                folder = os.path.dirname(os.path.abspath(step.options_place.file))
                old = said.get(step.name) or absolute(step.options, options, folder)
                values = said[step.name] = {**old, **values}
        else:
            lines += ["", "[[insert]]", f"name = {written(request.name)}"]
            lines += [f"after = {written(request.after)}"] if request.after else []
        if values:
            lines.append(f"options = {written(values)}")
    return "\n".join([*lines, ""])


def extension(settings: Settings) -> str:
    """The line of a pipeline file that extends the pipeline of these settings."""
    base = os.path.abspath(settings.pipeline) if settings.pipeline else "default"
    return f"extends = {written(base)}"


def _options(name: str, catalog: Catalog) -> type[Any] | None:
    """The class of a pass's options. What there is not the plan refuses."""
    from linkpipe.engine.pass_api import Pass  # with numpy, which `-V` does without

    if len(catalog.offers("passes").get(name, ())) != 1:
        return None
    run = catalog.load("passes", name)
    return run.options if isinstance(run, Pass) else None
