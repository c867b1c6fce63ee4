"""Whether what was imported is what is installed: looked at before each link, in milliseconds.

A file is known by its inode, size, and times, of which nobody can set the time of change: a file
that takes another's place under the same name, size and time of modification is another one. What
was changed after the server had begun to import may be either, so it counts as changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

import attrs

_CLOCK = 0.02
"""Seconds by which a file's time of change may be behind the clock."""

Stamp = tuple[int, ...]


@attrs.frozen(eq=False)
class Stamps:
    """What was there.

    Attributes:
        files: path -> what it is known by.
        folders: path -> names in it, but for those of byte code.
    """

    files: Mapping[str, Stamp]
    folders: Mapping[str, frozenset[str]]

    @classmethod
    def take(cls, roots: Iterable[str]) -> Stamps:
        """Of all that is imported, of what is in these folders, imported or not, and of the folders
        that are looked through for modules and plugins."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        folders = {path for path in sys.path if os.path.isdir(path)}
        files |= set(sys.path) - folders  # an archive; a folder that may come to be
        for path in list(folders):
            files |= {
                os.path.join(path, name, "entry_points.txt")
                for name in os.listdir(path)
                if name.endswith(".dist-info")
            }
            files |= {os.path.join(path, n) for n in os.listdir(path) if n.endswith(".pth")}
        for root in roots:
            for folder, inner, names in os.walk(root):
                inner[:] = [name for name in inner if name != "__pycache__"]
                folders.add(folder)
                files |= {os.path.join(folder, name) for name in names}
        files.add(os.path.join(sys.prefix, "pyvenv.cfg"))
        stamps = {path: _stamp(path) for path in files if path}
        return cls(stamps, {path: _names(path) for path in folders})

    def changed(self) -> str:
        """A file or folder that is not as it was, empty when all are."""
        for path, stamp in self.files.items():
            if _stamp(path) != stamp:
                return path
        for path, names in self.folders.items():
            if _names(path) != names:
                return path
        return ""

    def later_than(self, begun: float) -> str:
        """A file that was changed after that time, seconds since the epoch; empty for none."""
        for path, stamp in self.files.items():
            if stamp and stamp[-1] > (begun - _CLOCK) * 1e9:
                return path
        return ""


def _stamp(path: str) -> Stamp:
    try:
        about = os.stat(path)
    except OSError:
        return ()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _names(path: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(path)) - {"__pycache__"}
    except OSError:
        return frozenset()
