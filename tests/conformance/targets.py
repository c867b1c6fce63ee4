"""The architectures that programs are built for, linked and run on this machine: one table.

    python -m tests.conformance.targets     prints the Debian packages of the table

Adding an architecture to the comparison is adding a row. A row counts when linkpipe knows the
architecture; that of this machine is dropped, for its programs are built and run as they are.

Comparing bytes needs no C compiler, unless the program has C code, and no emulator. What cannot
be done is skipped with the command that installs what is missing, or fails if LINKPIPE_TOOLS is
"required", as it is in continuous integration.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from linkpipe.engine.plugins import Catalog
from tests.conformance.toolchain import link_tool
from tests.conformance.tools import HINT, PACKAGES


@frozen
class Target:
    """An architecture as seen from this machine.

    Attributes:
        goarch: as in GOARCH.
        triple: GNU's name for it, of the compiler and of the folder of its libraries.
        packages: Debian's, for compiling and running.
        emulator: runs its programs; "": the processor does.
        loader: the dynamic linker, for programs that run without an emulator, which would find it.
        variables: more of the go command's environment.
    """

    goarch: str
    triple: str
    packages: tuple[str, ...]
    emulator: str = ""
    loader: str = ""
    variables: Mapping[str, str] = field(default=MappingProxyType({}), hash=False)

    @property
    def root(self) -> str:
        """Where Debian puts libraries of another architecture."""
        return f"/usr/{self.triple}"

    @property
    def compiler(self) -> str:
        """The C compiler: CC_FOR_linux_<goarch>, as Go's own make has it, or GCC."""
        return os.environ.get(f"CC_FOR_linux_{self.goarch}") or f"{self.triple}-gcc"

    def environment(self, *, cgo: bool) -> dict[str, str]:
        """What the go command needs to build for it."""
        found = {"GOARCH": self.goarch, **self.variables}
        return found | {"CC": self.compiler} if cgo else found

    def runner(self, *, cgo: bool) -> tuple[str, ...]:
        """What stands before a program on the command line to run it."""
        if self.emulator:
            return (self.emulator, "-L", self.root)
        if self.loader and cgo:
            return (f"{self.root}/lib/{self.loader}", "--library-path", f"{self.root}/lib")
        return ()

    def missing_compiler(self) -> str:
        """What is missing to build programs with C code; "": nothing."""
        program = shlex.split(self.compiler)[0]
        return "" if shutil.which(program) else f"no {program}: {HINT}"

    def missing_runner(self, *, cgo: bool) -> str:
        """What is missing to run programs; "": nothing."""
        program = (*self.runner(cgo=cgo), "")[0]
        if program and not shutil.which(program):
            return f"no {program}: {HINT}"
        if cgo and not os.path.isdir(f"{self.root}/lib"):
            return f"no {self.root}/lib: {HINT}"
        return ""


# What Debian has (/usr/TRIPLE/lib, TRIPLE-gcc). 386 runs on this machine's processor, for under
# qemu-i386 Go's preemption breaks even a static program.
TABLE = (
    Target(
        "386",
        "i686-linux-gnu",
        ("gcc-i686-linux-gnu", "libc6-dev-i386-cross"),
        loader="ld-linux.so.2",
    ),
    Target(
        "arm",
        "arm-linux-gnueabihf",
        ("gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"),
        "qemu-arm",
        variables=MappingProxyType({"GOARM": "7"}),
    ),
    Target(
        "arm64",
        "aarch64-linux-gnu",
        ("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
        "qemu-aarch64",
    ),
    Target(
        "riscv64",
        "riscv64-linux-gnu",
        ("gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"),
        "qemu-riscv64",
    ),
    Target(
        "s390x",
        "s390x-linux-gnu",
        ("gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"),
        "qemu-s390x",
    ),
)


def native() -> str:
    """The GOARCH of this machine's toolchain."""
    return link_tool().parent.name.partition("_")[2]


def targets() -> dict[str, Target]:
    """The rows that count, by GOARCH."""
    known = Catalog().offers("arches")
    return {row.goarch: row for row in TABLE if row.goarch in known and row.goarch != native()}


def packages() -> list[str]:
    """The Debian packages of the rows that count, and of what reads debug information."""
    rows = targets().values()
    found = {package for row in rows for package in row.packages} | set(PACKAGES.values())
    return sorted(found | {"qemu-user"} if any(row.emulator for row in rows) else found)


if __name__ == "__main__":
    print(*packages())
