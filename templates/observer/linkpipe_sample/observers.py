"""sample: write down how large the sections of each link are.

    LINKPIPE_OBSERVE=sample:file=/tmp/sizes.json linkpipe build .

appends one line of JSON for each link to the file.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from linkpipe.api import Link, Observer


@attrs.frozen
class SizesOptions:
    """Attributes:
    file: the file to append to.
    """

    file: str = "sizes.json"


class Sizes(Observer):
    """Observer "sample"; linkpipe.api.Observer says what else there is to watch."""

    options = SizesOptions

    def __init__(self, options: SizesOptions) -> None:
        self.file = Path(options.file)

    @property
    def wants_link(self) -> bool:
        """An output that is up to date need not be linked again."""
        return False

    def on_end(self, link: Link) -> None:
        """Write the line, after the last pass."""
        sizes = {section.name: int(section.size) for section in link.sections.items}
        with self.file.open("a") as file:
            file.write(json.dumps({"output": link.options.o, "sections": sizes}) + "\n")
