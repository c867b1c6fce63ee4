"""The object files of an external link: linkpipe's own, and those that came with the packages."""

from __future__ import annotations

import os

from linkpipe.arrays.types import U8
from linkpipe.errors import UserError
from linkpipe.formats.arena import Arena
from linkpipe.output.stdout import say
from linkpipe.tables.packages import Packages


def write_objects(
    image: U8, packages: Packages, arena: Arena, folder: str, *, tell: bool = False
) -> list[str]:
    """Write go.o, whose bytes are ``image``, and the packages' C objects into the folder; their
    paths in link order. With ``tell`` (flag -v) it says which object is which.

    Times are set to zero, so that no linker and no archive tells two equal links apart. Raises
    UserError.
    """
    contents = [("go.o", memoryview(image))]
    contents += [
        (f"{i:06d}.o", arena.view(host.at, host.size))
        for i, host in enumerate(packages.host_objects)
    ]
    paths = []
    for name, content in contents:
        path = os.path.join(folder, name)
        write_file(path, content)
        paths.append(path)
    if tell:
        for host, path in zip(packages.host_objects, paths[1:], strict=True):
            say(f"host obj copy: {host.name} from pkg {host.package} -> {path}\n")
    return paths


def write_file(path: str, content: bytes | memoryview) -> None:
    """Write a file that another program reads, with its time at zero. Raises UserError."""
    doing = f"create {path}: open"
    try:
        with open(path, "wb") as file:
            doing = f"write {path}: write"
            file.write(content)
        os.utime(path, (0, 0))
    except OSError as e:
        raise UserError(
            f"cannot {doing} {path}: {(e.strerror or str(e)).lower()}",
            status=2,
            remedy="make room in the temporary folder, or name another with -tmpdir",
        ) from e
