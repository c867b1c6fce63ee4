"""Draws what was measured, as SVG.

What each pass cost: a row for each pass, a column of bars for each program. How time grows with
size: both axes logarithmic, so that a power of the size is a line, and its exponent the slope.
"""

from __future__ import annotations

import math
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


Points = Mapping[str, tuple[int, float]]
"""Program -> bytes and seconds."""
WIDTH, HEIGHT, MARGIN = 560, 360, 56


def exponent(points: Sequence[tuple[int, float]]) -> float:
    """The power of the size that fits seconds best: the slope of the line of least squares through
    the logarithms."""
    return _line(points).slope


def _line(points: Sequence[tuple[int, float]]) -> statistics.LinearRegression:
    sizes, seconds = zip(*points, strict=True)
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, seconds)))


def growth_svg(linkers: Mapping[str, Points], title: str) -> str:
    """The picture: for each linker its programs, and the line through them with its exponent."""
    everything = [point for points in linkers.values() for point in points.values()]
    low = [min(column) for column in zip(*everything, strict=True)]
    high = [max(column) for column in zip(*everything, strict=True)]

    def place(size: float, seconds: float) -> tuple[float, float]:
        x, y = (
            math.log(value / least) / (math.log(most / least) or 1.0)
            for value, least, most in zip((size, seconds), low, high, strict=True)
        )
        return MARGIN + x * (WIDTH - 2.9 * MARGIN), HEIGHT - MARGIN - y * (HEIGHT - 2.2 * MARGIN)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}.b{{stroke:#3b76c4}}.o{{stroke:#9db8da}}</style>",
        f'<rect class="p" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="t" x="10" y="24">{escape(title)} (s) by size of the file (MB)</text>',
    ]
    # Seconds of the second stand below its points, where those of the first do not.
    sides = (("b", "end", -8, -8), ("o", "start", 8, 16))
    for (kind, anchor, dx, dy), (linker, points) in zip(sides, linkers.items(), strict=True):
        line = _line(list(points.values()))
        ends = [
            place(size, math.exp(line.intercept) * size**line.slope) for size in (low[0], high[0])
        ]
        (x1, y1), (x2, y2) = ends
        out.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
            f'<text class="h" x="{x2 + 30:.1f}" y="{y2 + 4:.1f}">{line.slope:.2f}</text>'
        )
        for name, (size, seconds) in points.items():
            x, y = place(size, seconds)
            out.append(
                f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
                f"<title>{escape(f'{linker}, {name}')}</title></circle>"
                f'<text class="v" x="{x + dx:.1f}" y="{y + dy:.1f}" text-anchor="{anchor}">'
                f"{seconds:.2f}</text>"
            )
    for name, (size, _) in next(iter(linkers.values())).items():
        x, _ = place(size, low[1])
        out.append(
            f'<text class="v" x="{x:.1f}" y="{HEIGHT - 24}" text-anchor="middle">'
            f"{escape(name)} {size / 1e6:.0f}</text>"
        )
    for row, (kind, linker) in enumerate(zip("bo", linkers, strict=True)):
        y = 44 + 16 * row
        out.append(
            f'<circle class="{kind}" cx="16" cy="{y}" r="4"/>'
            f'<text x="26" y="{y + 4}">{escape(linker)}</text>'
        )
    return "\n".join([*out, "</svg>"]) + "\n"
