"""A report as one page of HTML: style, code, charts and data are all in it, and nothing is loaded.

What is in ``page/`` is put together here: the template, the style, the parts of the code, which
become one module, and the library that draws. A policy in the page names the scripts that may run
by their digests, so that no name of a symbol can be one. Data stands in blocks of their own, one
for each column of symbols, which the browser can take in turns.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

from linkpipe import __version__

CODE = ("data.js", "parts.js", "charts.js", "size.js", "why.js", "rest.js", "main.js")
"""The parts of the page's code, in order."""

CHARTS = "echarts/echarts.min.js"


def page(links: Sequence[Mapping[str, Any]], changes: Mapping[str, Any] | None) -> str:
    """The page for one link or two, as JSON has them."""
    folder = files("linkpipe.cli").joinpath("page")

    def text(name: str) -> str:
        return folder.joinpath(name).read_text("utf-8")

    charts, code = text(CHARTS), "\n".join(map(text, CODE))
    ids = [f"link{number}" for number in range(len(links))]
    head = {"links": ids, "columns": list(links[0]["symbols"]), "changes": changes}
    blocks = [_block("data", head)]
    for name, link in zip(ids, links, strict=True):
        blocks.append(_block(name, {**link, "symbols": {}}))
        blocks += [_block(f"{name}-{part}", column) for part, column in link["symbols"].items()]
    return Template(text("report.html")).substitute(
        allowed=" ".join(_digest(f"\n{script}\n") for script in (charts, code)),
        title=html.escape(" and ".join(str(link["name"]) for link in links)),
        style=text("report.css"),
        version=html.escape(__version__),
        data="\n".join(blocks),
        chart=charts,
        code=code,
    )


def _block(name: str, value: Any) -> str:
    """JSON that no browser takes for markup, whatever names are in it."""
    told = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{told}</script>'


def _digest(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
