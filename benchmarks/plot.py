"""Draws what each pass cost, as SVG: a row for each pass, a column of bars for each program."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

LEFT, TOP, ROW, COLUMN, BAR = 130, 64, 20, 150, 84
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.v{fill:#555;font-size:11px}"
    ".h{font-weight:600}.t{font-size:15px;font-weight:600}.b{fill:#3b76c4}.o{fill:#9db8da}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.v{fill:#bbb}.p{fill:#1b1d21}}.p{fill:#fff}"
)


def medians(links: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Pass -> median seconds over several links, in the order of the first link."""
    return {name: statistics.median(link.get(name, 0.0) for link in links) for name in links[0]}


def passes_svg(programs: Mapping[str, Sequence[Mapping[str, float]]], title: str) -> str:
    """The picture. `programs` maps a program to its links, each pass -> seconds; bars are in
    proportion within a program, and the number beside each is in milliseconds."""
    columns = {name: medians(links) for name, links in programs.items()}
    order: list[str] = []
    for column in columns.values():
        # A pass that only some programs need stands after the one it follows there.
        at = 0
        for name in column:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    width = LEFT + COLUMN * len(columns) + 10
    height = TOP + ROW * (len(order) + 1) + 14
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="p" width="{width}" height="{height}"/>',
        f'<text class="t" x="10" y="24">{escape(title)} (ms)</text>',
    ]
    for row, name in enumerate(order):
        y = TOP + ROW * row
        out.append(f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
    total_y = TOP + ROW * len(order) + 4
    out.append(f'<text class="h" x="{LEFT - 10}" y="{total_y + 13}" text-anchor="end">total</text>')
    for number, (program, column) in enumerate(columns.items()):
        x = LEFT + COLUMN * number
        most = max(column.values()) or 1.0
        out.append(f'<text class="h" x="{x}" y="{TOP - 10}">{escape(program)}</text>')
        for row, name in enumerate(order):
            if name not in column:
                continue
            y, length = TOP + ROW * row, max(column[name] / most * BAR, 0.5)
            kind = "o" if name.startswith("(") else "b"
            out.append(
                f'<rect class="{kind}" x="{x}" y="{y + 3}" '
                f'width="{length:.1f}" height="{ROW - 6}"/>'
                f'<text class="v" x="{x + length + 4:.1f}" y="{y + 13}">'
                f"{column[name] * 1000:.1f}</text>"
            )
        total = sum(column.values()) * 1000
        out.append(f'<text class="h" x="{x}" y="{total_y + 13}">{total:.0f}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
