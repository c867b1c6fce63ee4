"""Where packages lie: what an importcfg says, or what is found under the -L folders.

Source: cmd/link/internal/ld/ld.go (findlib), lib.go (libinit, loadinternal).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from linkpipe.errors import UserError, os_error
from linkpipe.formats.importcfg import read_importcfg
from linkpipe.output.stdout import say
from linkpipe.values import Shown, record

if TYPE_CHECKING:
    from linkpipe.flags.options import Options


@record
class Places(Shown):
    """Attributes:
    files: import path -> archive.
    modinfo: what ``runtime.modinfo`` is to hold, if anything.
    folders: where was searched; None when an importcfg was read.
    shlibs: import path -> shared library, which goes before an archive; none without -linkshared.
    """

    files: Mapping[str, str]
    modinfo: bytes | None = None
    folders: Sequence[str] | None = None
    shlibs: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def of(cls, options: Options) -> Places:
        """The places of a link. Raises UserError for an importcfg that cannot be read."""
        if options.importcfg is not None:
            config = read_importcfg(options.importcfg)
            shlibs = config.shlibs if options.linkshared else {}
            return cls(config.packages, config.modinfo, shlibs=shlibs)
        folders = library_folders(options)
        found = _search(folders, ".shlibname") if options.linkshared else {}
        shlibs = {path: _named(file) for path, file in found.items()}
        return cls(_search(folders, ".a", ".o"), folders=folders, shlibs=shlibs)

    def file(self, path: str) -> str:
        """The archive of a package, "" where a shared library has it. As in the oracle, one that is
        nowhere has no name, or that of the last place looked at: what is wrong is said when it is
        to be opened."""
        if path in self.shlibs:
            return ""
        if path in self.files:
            return self.files[path]
        if self.folders is None:
            say(f"cannot find package {path} (using -importcfg)\n")
            return ""
        return os.path.join(*self.folders[-1:], f"{path}.o")

    def has_internal(self, path: str) -> bool:
        """Whether there is a package that the link itself needs; when not, it is said. Raises
        UserError when the runtime is not found in any folder."""
        if path in self.files or path in self.shlibs:
            return True
        if self.folders is None:
            say(f"loadinternal: cannot find {path}\n")
        elif path == "runtime":
            raise UserError(
                "error: unable to find runtime.a", remedy="pass -importcfg or -L", status=2
            )
        else:
            say(f"warning: unable to find {path}.a\n")
        return False

    def remedy(self, path: str) -> str:
        """What to do about a package that is nowhere."""
        if self.folders is None:
            return f"add a line 'packagefile {path}=FILE' to the importcfg"
        return "build it, and pass its folder with -L"


def library_folders(options: Options) -> list[str]:
    """Where archives and shared libraries are searched: -L, then what the toolchain installed."""
    environment, folders = options.environment, list(options.L)
    if environment.goroot:
        kind = options.installsuffix or next(
            (name for name in ("race", "msan", "asan") if getattr(options, name)), ""
        )
        suffix = f"_{kind}" if kind else ""
        target = f"{environment.goos}_{environment.goarch}{suffix}"
        folders.append(os.path.join(environment.goroot, "pkg", target))
    return folders


def _named(file: str) -> str:
    """The shared library that a file PKG.shlibname tells of."""
    try:
        with open(file, "rb") as opened:
            return opened.read().decode("utf-8", "surrogateescape").strip()
    except OSError as e:
        raise UserError(f"cannot read {file}: {os_error(e)}", remedy="install it again") from e


def _search(folders: Sequence[str], *suffixes: str) -> dict[str, str]:
    """What lies under the folders: import path -> file; the first suffix, then the first folder
    wins."""
    files: dict[str, str] = {}
    for suffix in suffixes:
        for top in folders:
            for folder, _, names in os.walk(top):
                for name in sorted(names):
                    if name.endswith(suffix):
                        file = os.path.join(folder, name)
                        path = os.path.relpath(file, top)[: -len(suffix)]
                        files.setdefault(path, file)
    return files
