"""What the toolchain's own source says of an architecture: numbers that it gives no other way."""

from __future__ import annotations

import re
from typing import Any

from linkpipe.arch import Architecture
from tests.conformance.toolchain import goroot


def said(folder: str, goarch: str) -> dict[str, Any]:
    """Fields of an Architecture, as cmd/link and cmd/internal/sys have them."""
    commands = goroot() / "src" / "cmd"
    numbers = (commands / "link" / "internal" / folder / "l.go").read_text()
    start = (commands / "link" / "internal" / folder / "obj.go").read_text()
    table = (commands / "internal" / "sys" / "arch.go").read_text()
    row = re.search(rf'Name: +"{goarch}",(.*?)\n}}', table, re.DOTALL)
    assert row is not None
    fields = dict(re.findall(r"(\w+): +([\w.]+),", row[1]))
    constants = dict(re.findall(r"^\t(\w+) += (\w+)", numbers, re.MULTILINE))
    linux = start[start.index("objabi.Hlinux") :]
    rounded = re.search(r"FlagRound = (\w+)", linux)
    base = re.search(r"FlagTextAddr = ld\.Rnd\((\w+)(?:<<(\d+))?,", linux)
    pad = re.search(r"CodePad: +\[\]byte{(.*?)}", start)
    assert rounded is not None
    assert base is not None
    words = pad[1].split(", ") if pad else ["0"]
    return {
        "ptrsize": int(fields["PtrSize"]),
        "byteorder": fields["ByteOrder"].removeprefix("binary.").removesuffix("Endian").lower(),
        "pc_quantum": int(fields["MinLC"]),
        "has_lr": fields.get("HasLR") == "true",
        "func_align": int(constants["funcAlign"]),
        "max_align": int(constants["maxAlign"]),
        "min_align": int(constants["minAlign"]),
        "dwarf_sp": int(constants["dwarfRegSP"]),
        "dwarf_lr": int(constants["dwarfRegLR"]),
        "round": int(rounded[1], 0),
        "text_base": (int(base[1], 0) << int(base[2] or 0)) + 4096,
        "code_pad": bytes(int(word, 0) for word in words),
    }


def elf_numbers(name: str) -> dict[str, int]:
    """The relocation types of an ELF machine, as debug/elf has them; pyelftools lacks some."""
    source = (goroot() / "src" / "debug" / "elf" / "elf.go").read_text()
    found = re.findall(rf"^\t(R_{name}_\w+) +R_{name} += (\d+)", source, re.MULTILINE)
    return {key: int(number) for key, number in found}


def widths(name: str) -> dict[str, int]:
    """The relocation types of C objects that the oracle reads, and the bytes that each patches."""
    source = goroot() / "src" / "cmd" / "link" / "internal" / "loadelf" / "ldelf.go"
    body = source.read_text()
    body = body[body.index("func relSize(") :]
    found: dict[str, int] = {}
    for case, width in re.findall(r"case ([^:]*):\n\t+return (\d+), \d+, nil", body):
        found |= dict.fromkeys(re.findall(rf"elf\.(R_{name}_\w+)", case), int(width))
    return found


def has(arch: Architecture) -> dict[str, Any]:
    """The same fields of one of ours."""
    names = "ptrsize byteorder pc_quantum has_lr func_align max_align min_align dwarf_sp dwarf_lr"
    return {
        name: getattr(arch, name) for name in (*names.split(), "round", "text_base", "code_pad")
    }
