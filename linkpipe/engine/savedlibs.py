"""Shared libraries of Go in a saved link: which belong to it, and where they were.

A program looks for its libraries in the folders in which they were linked with it, so these are in
the output. A saved link that is done again finds them in another place, and has to tell the host
linker of the first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from linkpipe.engine.context import Link
from linkpipe.errors import InputError, UserError
from linkpipe.formats.sharedlib import find_library, read_library
from linkpipe.packages.places import Places, library_folders
from linkpipe.values import Value, record

LIBRARY = r"files/[0-9]{1,6}/lib[A-Za-z0-9_.,+~@%-]{1,200}\.so"
"""What a library is called in a saved link."""
BESIDE = "$ORIGIN/"
"""Where a program looks for libraries of which it is not told where they were."""


@record
class Libraries(Value):
    """The shared libraries of a link.

    Attributes:
        names: its path, as the link has it -> its name in a saved link. Those of one folder are in
            one, for a library finds those that it needs beside itself.
        of_package: import path -> such a name.
        was: its path -> where it was before it was saved, "" where that is not told.
    """

    names: Mapping[str, str]
    of_package: Mapping[str, str]
    was: Mapping[str, str]

    @classmethod
    def of(cls, link: Link, places: Places) -> Libraries:
        """Those that packages are in, and those that they need. Raises UserError for one that
        cannot be named."""
        options, folders = link.options, library_folders(link.options)
        of_package = {}
        for package, name in places.shlibs.items():
            of_package[package] = name
            with suppress(InputError):
                of_package[package] = find_library(name, folders)
        paths = list(dict.fromkeys(of_package.values()))
        for path in tuple(paths):
            paths += [need for need in _needs(link, path, folders) if need not in paths]
        numbers: dict[str, int] = {}
        names, was = {}, {}
        for path in paths:
            folder, base = folder_of(path), path[len(folder_of(path)) :]
            names[path] = f"files/{numbers.setdefault(folder, len(numbers))}/{base}"
            if not re.fullmatch(LIBRARY, names[path]):
                raise UserError(
                    f"{path}: a library of this name cannot be saved",
                    status=2,
                    label="linkpipe",
                    remedy="build it with a name as the go command gives: libNAME.so",
                )
            before = options.moved.get(folder, folder)
            was[path] = "" if before == BESIDE else f"{before}{base}"
        return cls(names, {package: names[path] for package, path in of_package.items()}, was)


def _needs(link: Link, path: str, folders: list[str]) -> Iterator[str]:
    """What a library needs. Of a damaged one nothing is known, and a link of it fails again."""
    with suppress(InputError):
        needs = read_library(path, (), link.arch.elf_class, link.arch.elf_machine).needs
        for name in needs:
            with suppress(InputError):
                yield find_library(name, folders)


def folder_of(path: str) -> str:
    """The folder of a file, with the slash behind it."""
    return path[: path.rfind("/") + 1]


def moved(files: Mapping[str, str], folder: str) -> dict[str, str]:
    """Of names in a saved link, and where each file was: the folders of libraries when it is
    unpacked into ``folder``, and in which the libraries were."""
    return {
        folder_of(os.path.join(folder, name)): folder_of(was) if was else BESIDE
        for name, was in files.items()
        if re.fullmatch(LIBRARY, name)
    }
