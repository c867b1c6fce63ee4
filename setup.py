"""Compiles the kernels, the modules of linkpipe/kernels; all else stands in pyproject.toml.

Each is compiled from its source as it is, with one line behind it by which the module, when it is
imported, tells what it was compiled from (linkpipe/kernels/__init__.py). LINKPIPE_KERNELS_BUILD
names a build for tests: "boundscheck", in which every index is checked (`make boundscheck`), or
"sanitize", by which the C compiler has every access to memory and all arithmetic of signed integers
checked (`make sanitize`).
"""

from __future__ import annotations

import os
import shutil
import sysconfig
import zlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import PlatformError

KERNELS = Path("linkpipe/kernels")
BUILD = os.environ.get("LINKPIPE_KERNELS_BUILD") or "kernels"
# Without tables for debuggers and names of functions a file is a third as large. Columns may lie at
# any address, in what is mapped.
COMPILE, LINK = {
    "kernels": (["-O2", "-g0"], ["-Wl,-s"]),
    "boundscheck": (["-O2", "-g0"], ["-Wl,-s"]),
    "sanitize": (
        "-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined "
        "-fno-sanitize=alignment -fno-sanitize-recover=all".split(),
        ["-fsanitize=address,undefined"],
    ),
}[BUILD]
CHECKED = BUILD == "boundscheck"
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "initializedcheck": CHECKED,
    "wraparound": False,
    "cdivision": True,
    "freethreading_compatible": True,
    "show_performance_hints": False,  # bounds are checked where they are asked for
}


def with_sum(source: Path) -> str:
    """A copy of the source in build/ that says, when it is imported, what it was made of."""
    text = source.read_bytes()
    line = f'__import__("linkpipe.kernels").kernels.made_of(__name__, {zlib.crc32(text)})'
    copy = Path("build", BUILD, source)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(text + f"\n{line}\n".encode())
    return str(copy)


class BuildKernels(build_ext):
    """build_ext, from Python by way of C."""

    def finalize_options(self) -> None:
        """Note where the extensions go; their sources are still Python."""
        super().finalize_options()
        for extension in self.extensions:
            extension.extra_compile_args, extension.extra_link_args = COMPILE, LINK

    def build_extensions(self) -> None:
        """Translate and compile. One line says what is missing, if something is."""
        compiler = self.compiler.compiler_so[0]
        header = os.path.join(sysconfig.get_path("include"), "Python.h")
        missing = [f"a C compiler ({compiler})"] if shutil.which(compiler) is None else []
        missing += [] if os.path.exists(header) else [f"Python's headers ({header})"]
        if missing:
            raise PlatformError(
                f"linkpipe's kernels are compiled, and {' and '.join(missing)} cannot be found: "
                "install both (Debian, Ubuntu: apt install gcc libc6-dev python3-dev; "
                "Fedora: dnf install gcc glibc-devel python3-devel)"
            )
        from Cython.Build import cythonize

        for extension in self.extensions:
            copies = [with_sum(Path(source)) for source in extension.sources]
            (translated,) = cythonize(
                [Extension(extension.name, copies)],
                compiler_directives=DIRECTIVES,
                quiet=True,
                force=True,
            )
            extension.sources = translated.sources
        super().build_extensions()


setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[
        Extension(f"linkpipe.kernels.{source.stem}", [str(source)])
        for source in sorted(KERNELS.glob("*.py"))
        if source.stem != "__init__"
    ],
)
