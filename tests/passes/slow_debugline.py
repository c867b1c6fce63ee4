"""The header of one unit's line table, file by file (cmd/link/internal/ld/dwarf.go, writelines)."""

from __future__ import annotations

from linkpipe.arch import Architecture
from linkpipe.formats.dwarf import DwarfForm
from linkpipe.formats.leb128 import uleb


def header_slowly(
    files: list[tuple[bytes, bytes]], program: int, form: DwarfForm, arch: Architecture
) -> bytes:
    """``files`` are directories and names, ``program`` the bytes of the line programs behind it."""
    numbers = {b".": 0}
    listed = []
    for folder, name in files:
        number = numbers.setdefault(folder, len(numbers))
        listed.append(name + b"\0" + uleb(number))
    folders = [folder + b"\0" for folder in numbers]
    behind = b"\x01\x01\xfc\x0a\x0b" + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0))
    if form.described_files:
        sizes = bytes((arch.ptrsize, 0))
        behind = b"\x01" + behind + b"\x01\x01\x08" + uleb(len(folders)) + b"".join(folders)
        behind += b"\x02\x01\x08\x02\x0f" + uleb(1 + len(files)) + b"?\0\0" + b"".join(listed)
    else:
        sizes = b""
        behind = behind + b"".join(folders[1:]) + b"\0"
        behind += b"".join(file + b"\0\0" for file in listed) + b"\0"
    head = form.line_version.to_bytes(2, arch.byteorder) + sizes
    head += len(behind).to_bytes(4, arch.byteorder)
    return (len(head + behind) + program).to_bytes(4, arch.byteorder) + head + behind
