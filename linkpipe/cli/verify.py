"""Compare two linked files and say in words where they part.

linkpipe verify A B [--symbols FILE] [--limit N] [--bytes]

A is the reference ("first"), B the other ("second"). Exit status: 0 the same, 1 they differ, 2 one
cannot be read. Compressed debug sections are compared as they were before, for linkers do not
compress to the same bytes; with --bytes they too must have them. --symbols names an unstripped
twin of A, whose symbol table names places when A has none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from linkpipe.errors import LinkpipeError


def differences(
    a: Path, b: Path, symbols: Path | None = None, *, exact: bool = False
) -> Iterator[str]:
    """The differences of two linked files, one a line, the causes before their consequences.

    Nothing for the same bytes, nor, unless it must be ``exact``, for files that differ in the
    compression of debug sections alone. Raises OSError and InputError for files that cannot be
    read.
    """
    left, right = a.read_bytes(), b.read_bytes()
    if left == right:
        return
    shorter = min(len(left), len(right))
    first = next(
        (at for at in range(0, shorter, 4096) if left[at : at + 4096] != right[at : at + 4096]),
        shorter,
    )
    while first < shorter and left[first] == right[first]:
        first += 1
    differ = f"{a} and {b} differ: {len(left)} bytes, then {len(right)}, first at {first:#x}"
    if left[:4] != b"\x7fELF" or right[:4] != b"\x7fELF":
        yield differ
        return
    from linkpipe.compare import contents, elfread, headers

    one, other = elfread.read(a), elfread.read(b)
    if not exact:
        one, other = elfread.expanded(one), elfread.expanded(other)
        if elfread.same(one, other):
            return
    yield differ
    names = elfread.read(symbols).symbols if symbols else None
    for part in (headers.elf_header, headers.segments, headers.sections, headers.symbol_sets):
        yield from part(one, other)
    for _, i, j in headers.common_sections(one, other):
        yield from contents.section(one, other, i, j, names)
    yield from contents.gaps(one, other)


def main(argv: Sequence[str]) -> int:
    """The command; returns the exit status."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="linkpipe verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("a", type=Path, metavar="A")
    parser.add_argument("b", type=Path, metavar="B")
    parser.add_argument("--symbols", type=Path, metavar="FILE")
    parser.add_argument("--limit", type=int, default=200, metavar="N", help="lines shown (200)")
    parser.add_argument("--bytes", action="store_true", help="compressed sections too")
    parser.add_argument("-q", "--quiet", action="store_true", help="exit status only")
    told = parser.parse_args(list(argv))
    try:
        lines = list(differences(told.a, told.b, told.symbols, exact=told.bytes))
    except OSError as error:
        print(f"linkpipe verify: {error}", file=sys.stderr)
        return 2
    except LinkpipeError as error:
        print(f"linkpipe verify: {error.render()}", file=sys.stderr)
        return 2
    if not told.quiet and lines:
        if len(lines) > told.limit:
            lines[told.limit :] = [f"and {len(lines) - told.limit} lines more (--limit)"]
        try:
            print("\n".join(lines), flush=True)
        except BrokenPipeError:  # the reader has seen enough
            sys.stdout = None
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
