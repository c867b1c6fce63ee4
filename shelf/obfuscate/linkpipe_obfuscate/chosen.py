"""Which packages are obfuscated, and which names are theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from linkpipe.api import Link, Modules, UserError, path_to_prefix


class Chosen:
    """The packages of a link that patterns of the go command match ("main", "example.com/...");
    without patterns all but the standard library's. Raises UserError when there is none."""

    def __init__(self, link: Link, patterns: Sequence[str]) -> None:
        self._whose = Modules(link)
        wanted = re.compile("|".join(map(_pattern, patterns)))
        self.packages = {
            package
            for package in self._whose.packages
            if (
                wanted.fullmatch("main" if package == self._whose.main_package else package)
                or wanted.fullmatch(package)
                if patterns
                else not self._whose.is_standard(package)
            )
        }
        if not self.packages:
            raise UserError(
                f"obfuscate: the program has no package {' '.join(patterns)}",
                remedy="patterns are those of the go command: main, example.com/...",
                status=2,
                label="linkpipe",
            )
        self._rows = {
            row for row, package in enumerate(self._whose.packages) if package in self.packages
        }
        prefixes = sorted(re.escape(path_to_prefix(package)) for package in self.packages)
        self._inside = re.compile(f"(?:^|[^\\w/.%-]|\\.\\.\\.)(?:{'|'.join(prefixes)})\\.".encode())

    def has(self, name: bytes) -> bool:
        """Whether a symbol of this name is theirs: a function of them, or an instance of a generic
        function, or what the compiler made for a type, that is named after a type of them."""
        if self._whose.named(name) in self._rows:
            return True
        composed = name.startswith(b"type:") or b"[" in name
        return composed and self._inside.search(name.removeprefix(b"type:.eq.")) is not None


def _pattern(text: str) -> str:
    """A pattern of the go command as a regular expression: ... is any text, and a/... is a, too."""
    whole = re.escape(text).replace(r"\.\.\.", ".*")
    return whole.removesuffix("/.*") + "(?:/.*)?" if whole.endswith("/.*") else whole
