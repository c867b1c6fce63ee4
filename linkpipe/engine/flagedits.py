"""What flags change in the pipeline: -pass and -skip-pass, as the text of a pipeline file.

The file stays the declarative way: what a command line amounts to is written down, checked and
refused as what a person has written, and `linkpipe passes --toml` prints it.
"""

from __future__ import annotations

import os
from typing import Any

from linkpipe.engine.pipefile import written
from linkpipe.engine.pipeline import Pipeline, load_pipeline
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.structure import typed
from linkpipe.flags.settings import Request, Settings


def pipeline_of(settings: Settings, catalog: Catalog) -> Pipeline:
    """The pipeline that settings ask for: its file, and what flags change in it. Raises
    LinkpipeError."""
    return load_pipeline(settings.pipeline, catalog, edits(settings, catalog))


def edits(settings: Settings, catalog: Catalog) -> str:
    """What flags change in the pipeline, as a pipeline file; "" for nothing.

    A pass that is put in after another is an insert; one that stands in the pipeline already, and
    of which no place is said, gets its options there. Raises LinkpipeError.
    """
    requests = settings.passes()
    if not (requests or settings.skip_pass):
        return ""
    base = written(os.path.abspath(settings.pipeline) if settings.pipeline else "default")
    lines = [f"extends = {base}"]
    for name in settings.skip_pass:
        lines += ["", "[[remove]]", f"name = {written(name)}"]
    there: set[str] = set()
    if any(not request.after for request in requests):
        there = {step.name for step in load_pipeline(settings.pipeline, catalog).steps}
    for request in requests:
        if not request.after and request.name in there:
            lines += ["", "[[replace]]", f"name = {written(request.name)}"]
        else:
            lines += ["", "[[insert]]", f"name = {written(request.name)}"]
            lines += [f"after = {written(request.after)}"] if request.after else []
        if request.values:
            lines.append(f"options = {written(_typed(request, catalog))}")
    return "\n".join([*lines, ""])


def _typed(request: Request, catalog: Catalog) -> dict[str, Any]:
    """The options as values of their types. What there is not the plan refuses."""
    from linkpipe.engine.pass_api import Pass  # with numpy, which `-V` does without

    if len(catalog.offers("passes").get(request.name, ())) != 1:
        return dict(request.values)
    run = catalog.load("passes", request.name)
    return typed(request.values, run.options if isinstance(run, Pass) else None)
