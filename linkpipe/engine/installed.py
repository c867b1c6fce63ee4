"""What tells one version of an installed distribution from another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from linkpipe.errors import LinkpipeError, Terminated, UserError


def lines(info: str, modules: Iterable[str] = ()) -> Iterator[bytes]:
    """What differs when a distribution does. ``info``: its ``.dist-info`` directory; ``modules``:
    those of it that are known, beside the ones that its installer has noted."""
    yield os.path.basename(info).encode("utf-8", "surrogateescape")
    if not editable(info):
        with open(os.path.join(info, "RECORD"), "rb") as file:
            yield file.read()
        return
    owner = os.path.basename(info).removesuffix(".dist-info").replace("-", " ")
    files = {file for name in {*modules, *_installed(info)} for file in sources(name, owner)}
    for line in _stamps(files):
        yield line.encode("utf-8", "surrogateescape")


def editable(info: str) -> bool:
    """As PEP 610 has it; without a RECORD there is nothing but the files to go by."""
    import json

    if not os.path.exists(os.path.join(info, "RECORD")):
        return True
    try:
        with open(os.path.join(info, "direct_url.json"), encoding="utf-8") as file:
            return bool(json.load(file).get("dir_info", {}).get("editable"))
    except (OSError, ValueError, AttributeError):
        return False


def sources(module: str, owner: str) -> list[str]:
    """The files of a module and of the packages it is in; none when it is not found as a file.
    Packages around it are imported: raises UserError, with their owner, for one that fails."""
    from importlib.util import find_spec

    found, parts = [], module.split(".")
    for count in range(1, len(parts) + 1):
        try:
            spec = find_spec(".".join(parts[:count]))
        except (ImportError, ValueError):
            return []
        except (LinkpipeError, KeyboardInterrupt, Terminated):
            raise
        except BaseException as e:  # a package may say sys.exit(), too
            raise cannot_load(".".join(parts[: count - 1]), owner, e) from e
        if spec is None or (count == len(parts) and not spec.has_location):
            return []
        if spec.has_location and spec.origin:  # not a folder that several distributions share
            found.append(spec.origin)
    return found


def _installed(info: str) -> set[str]:
    """The modules of an editable install: those in ``top_level.txt`` and in the finder, which
    setuptools writes; without these, what lies in the folders that its ``.pth`` files name."""
    found, folders, site = set(_read(info, "top_level.txt")), list[str](), os.path.dirname(info)
    for line in _read(info, "RECORD"):
        name, suffix = os.path.splitext(line.partition(",")[0])
        if suffix == ".pth" and not os.path.dirname(name):
            folders += [os.path.join(site, folder) for folder in _read(site, name + suffix)]
        elif name.endswith("finder"):  # its mapping has packages in a folder that others share, too
            found.update(getattr(sys.modules.get(name), "MAPPING", ()))
    for folder in () if found else folders:
        with suppress(OSError):
            for name in os.listdir(folder):
                stem, _, suffix = name.partition(".")
                inner = os.path.join(folder, name, "__init__.py")
                if suffix == "py" or suffix.endswith(".so") or os.path.exists(inner):
                    found.add(stem)
    return found


def _read(folder: str, name: str) -> list[str]:
    """The lines of a file; none when there is no such file."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _stamps(files: set[str]) -> list[str]:
    """A line with size and time for each of these files, and for all that is in a package of which
    one is the ``__init__``, but for byte code."""
    found = set(files)
    for file in files:
        if os.path.basename(file).partition(".")[0] == "__init__":
            for folder, inner, names in os.walk(os.path.dirname(file)):
                inner[:] = [name for name in inner if name != "__pycache__"]
                found.update(os.path.join(folder, name) for name in names)
    stats = ((path, os.stat(path)) for path in sorted(found) if os.path.isfile(path))
    return [f"{path} {stat.st_size} {stat.st_mtime_ns}\n" for path, stat in stats]


def cannot_load(what: str, owner: str, error: BaseException) -> UserError:
    """The error for what a package brings and cannot be imported."""
    return UserError(
        f"cannot load {what} of {owner}: {type(error).__name__}: {error}",
        status=2,
        label="linkpipe",
        remedy=f"reinstall {owner.partition(' ')[0]}, or do without it",
    )
