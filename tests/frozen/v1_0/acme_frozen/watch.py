"""An observer that writes down what it is told."""

from __future__ import annotations

from pathlib import Path

import attrs

from linkpipe.api import Link, Observer, Plan, Planned


@attrs.frozen
class SeenOptions:
    """Attributes:
    file: where to write.
    """

    file: str = "seen"


class Seen(Observer):
    """Observer "frozen.watch"."""

    options = SeenOptions

    def __init__(self, options: SeenOptions) -> None:
        self.file = Path(options.file)
        self.lines: list[str] = []

    @property
    def wants_link(self) -> bool:
        return False

    def on_start(self, plan: Plan, link: Link) -> None:
        self.lines.append(f"start {'frozen.count' in [p.name for p in plan.passes]}")

    def before_pass(self, planned: Planned, link: Link) -> None:
        self.lines.append(f"before {planned.name}")

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        new = sorted(set(after.facts) - set(before.facts))
        self.lines.append(f"after {planned.name} {seconds >= 0} {' '.join(new)}")

    def on_skip(self, planned: Planned, link: Link) -> None:
        self.lines.append(f"skip {planned.name} {planned.owner.partition(' ')[0]}")

    def on_end(self, link: Link) -> None:
        self.file.write_text("\n".join([*self.lines, f"end {len(link.image) > 0}"]))
