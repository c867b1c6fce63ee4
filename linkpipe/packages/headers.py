"""What a member of an archive is: a Go object, made for this link or not, or somebody else's.

A Go object opens with a line that says who compiled it, for what, and with which experiments.
Source: cmd/internal/objabi/util.go (HeaderString), cmd/link/internal/ld/lib.go (ldobj).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from linkpipe.errors import InputError, UserError
from linkpipe.flags.goflag import quote
from linkpipe.formats import elf

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.flags.options import Options
    from linkpipe.release import Release

GOOS = "linux"
"""The operating system that linkpipe links for."""


class Header(NamedTuple):
    """What an object's header line has to say. ``version`` "" stands for any one version;
    ``setting`` is the variable that chooses among the architecture's variants."""

    goos: str
    goarch: str
    version: str
    setting: str
    value: str
    experiments: tuple[str, ...]

    @classmethod
    def of(cls, options: Options, arch: Architecture, release: Release) -> Header:
        """What the environment of the link asks for."""
        environment = options.environment
        variable = value = ""
        if arch.setting:
            variable = arch.setting.variable
            try:
                value = arch.setting.value(environment.variables)
            except ValueError as e:
                raise UserError(
                    str(e), status=2, label="link", remedy=f"correct {variable}, or leave it unset"
                ) from e
        enabled = release.enabled(
            environment.goexperiment, regabi=arch.regabi, off=arch.off_by_default
        )
        return cls(environment.goos, arch.goarch, environment.version, variable, value, enabled)

    def expected(self, line: str) -> str:
        """The line that the link wants, given the line of its first object."""
        words = line.split(" ")
        version = self.version or (words[4] if len(words) > 4 else "")
        setting = f" {self.setting}={self.value}" if self.setting and self.value else ""
        return f"go object {self.goos} {self.goarch} {version}{setting} X:" + ",".join(
            self.experiments
        )

    def differs(self, name: str, have: str, want: str) -> InputError:
        """The error for an object of another kind."""
        chosen = ", ".join(filter(None, ("Go version", "GOARCH", self.setting)))
        remedy = f"rebuild the package with the {chosen} and GOEXPERIMENT of this link"
        if self.goos != GOOS:
            remedy = f"set GOOS={GOOS}: linkpipe links for no other system"
        return InputError(
            f"{name}: linked object header mismatch:\n"
            f"have {quote(have + chr(10))}\nwant {quote(want + chr(10))}",
            file=name,
            remedy=remedy,
        )


def foreign_format(magic: bytes) -> str:
    """The format of an object that is not Go's, by its first four bytes, as the oracle tells them
    apart (lib.go:2430-2495): ELF, Mach-O, PE and XCOFF are known."""
    if magic == elf.MAGIC:
        return "elf"
    number = int.from_bytes(magic, "big")
    known = number & ~1 == 0xFEEDFACE or number & ~0x01000000 == 0xCEFAEDFE
    known |= magic[:2] in (b"\x4c\x01", b"\x64\x86", b"\xc4\x01", b"\x64\xaa")
    known |= magic[:2] in (b"\x01\xd7", b"\x01\xf7")
    return "foreign" if known else "unknown"
