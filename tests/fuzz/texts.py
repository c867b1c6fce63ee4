"""Edits of the inputs that are text: importcfg, flags, response files, pipelines, cgo directives,
and what is kept of answers about C compilers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random

from tests.fuzz.bases import Base
from tests.fuzz.edits import Target
from tests.fuzz.record import Edit

PIPELINE = "pipeline.toml"
RESPONSE = "response"
ANSWERS = "answers"
_ODD = [
    *("\0", "\xff", "\xf0\x9f", "\r", "\t", "\x85", "\\", '"', "'", "`", "=", "#", "%s", "../"),
    *("x" * 5000, "[" * 3000, "{" * 3000, "\xed\xa0\x80", "\\u0000", "\\ud800", "1e999", "\n" * 50),
]


def spoiled(chance: Random, text: str, words: list[str]) -> str:
    """A text with one to three changes: lines and words are lost, doubled, swapped, replaced."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        lines = text.split("\n")
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        kind = chance.randrange(9)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(other, lines[at])
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines.insert(at, chance.choice(words))
        elif kind == 4:
            lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        else:
            line = lines[at]
            begin = chance.randrange(len(line) + 1)
            end = begin + chance.choice([0, 0, 1, 2, 8])
            lines[at] = line[:begin] + chance.choice([*_ODD, *words]) + line[end:]
        text = "\n".join(lines)
    return text


_MODINFO = r"""
"" "x" `x` 'x' "\u0041" "\Uffffffff" "\ud800" "\x4" "\400" "\'" "\q" "\u+041" "\u٠٠٤١" "x `
"0w\xaf\f\x92t\b\x02A\xe1\xc1\a\xe6\xd6\x18\xe6path\tp\n\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
""".split()


def importcfg(chance: Random, base: Base, target: Target) -> Edit:
    text = base.inputs.importcfg.read_text()
    paths = list(base.inputs.archives())
    path = chance.choice(paths)
    words = [
        f"packagefile {path}={chance.choice(['/dev/null', '/', '/nowhere', 'fifo', '/dev/zero'])}",
        f"packagefile unneeded={chance.choice(['fifo', '/dev/zero', 'a' + chr(0), '/', 'sparse'])}",
        f"packageshlib {path}={chance.choice(['/nowhere', '/dev/null', ''])}",
        f"modinfo {chance.choice(_MODINFO)}",
        f"importmap a={path}",
        f"packagefile {path}={base.inputs.archives()[chance.choice(paths)]}",
        "packagefile",
        "packagefile =",
        "#",
    ]
    return Edit("importcfg", "importcfg", "text", text=_bytes(spoiled(chance, text, words)))


_NUMBER = (
    "0 1 -1 5 0x1000 4095 0x400000 2147483647 2147483648 0x7fffffff 0xffffffff 4294967296 "
    "0x4000000000 0x7fffffffffffffff 0x8000000000000000 -0x8000000000000000 1e3 0b11 0o7 1_000 x"
).split()
_NAME = ["", "main.main", "runtime.start", "nowhere", "\xff", "a b", "x" * 100_000, "main.point"]
_TRUTH = ["true", "false", "1", "x", ""]
_FLAGS: Mapping[str, list[str]] = {
    **dict.fromkeys(("T", "R", "D", "funcalign", "randlayout", "debugtextsize"), _NUMBER),
    **dict.fromkeys(
        ("E", "buildid", "B", "I", "r", "k", "pluginpath", "H", "installsuffix"), _NAME
    ),
    **dict.fromkeys(
        ("s", "w", "d", "e", "f", "g", "h", "n", "v", "a", "bindnow", "checklinkname", "race"),
        _TRUTH,
    ),
    "X": [
        "runtime.buildVersion=x",
        "main.x=y",
        "fuzz/lib.Version=\xff",
        "fuzz/lib.Count=1",
        "=",
        "x",
    ],
    "strictdups": ["0", "1", "2", "3", "-1"],
    "buildmode": ["exe", "plugin", "pie", "c-shared", "c-archive", "shared", "x", ""],
    "linkmode": ["internal", "external", "auto", "x"],
    "extldflags": ["", "-static", "'", '"a b" c', "-Wl,-z,now", "\xff", "x" * 5000],
    "pipeline": ["/nowhere", "/", PIPELINE, "/dev/null", ""],
    "observe": ["nowhere", "timing:x=1", "log:", ":", "dump"],
    "compressdwarf": ["true", "false"],
    "tmpdir": ["/nowhere", "importcfg", ""],
    "dumpdep": ["true"],
    "importcfg": ["/nowhere", "/", "/dev/null"],
    "buildid": ["gobuildid", "none", "0x12", "0x1", "0xzz", "x" * 100_000],
}


def flags(chance: Random, base: Base, target: Target) -> Edit:
    words = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        name = chance.choice(list(_FLAGS))
        value = chance.choice([*_FLAGS[name], *_NUMBER[:2]])
        words.append(chance.choice([f"-{name}={value}", f"--{name}={value}", f"-{name}"]))
    return Edit("flags", "flags", "text", text="\n".join(words))


def response(chance: Random, base: Base, target: Target) -> Edit:
    text = "-w\n-X 'fuzz/lib.Version=a b'\n\"-buildid=a\\\\b\"\n-s\n"
    words = ["@response", "@nowhere", "@/", "-w -s", "'", '"', "-E=main.main", "\\", "@"]
    return Edit(RESPONSE, "response file", "text", text=spoiled(chance, text, words))


def pipeline(chance: Random, base: Base, target: Target) -> Edit:
    from tests.conformance.toolchain import ROOT

    whole = (ROOT / "pipeline.toml").read_text()
    small = 'extends = "default"\n\n[[remove]]\nname = "gcdata"\n\n[[insert]]\nname = "relro"\n'
    small += (
        'after = "symtab"\nwhy = "again"\nwhen = { buildmode = ["exe"] }\noptions = { x = 1 }\n'
    )
    words = [
        '[[remove]]\nname = "load"',
        f'[[remove]]\nname = "{chance.choice("resolve dwarf output relocate cgo".split())}"',
        '[[replace]]\nname = "cgo"\nby = "load"',
        'extends = "pipeline.toml"',
        'extends = "/dev/null"',
        "x = 1",
        "pass = 3",
        "pass = [1]",
        "when = { external = 3 }",
        "options = []",
        "name = 1979-05-27",
    ]
    text = spoiled(chance, chance.choice([whole, small, small]), words)
    return Edit(PIPELINE, "pipeline file", "text", text=_bytes(text))


_VALID: list[list[object]] = [
    ["cgo_import_dynamic", "puts", "puts#GLIBC_2.2.5", "libc.so.6"],
    ["cgo_import_dynamic", "_", "_", "libc.so.6"],
    ["cgo_import_static", "x_cgo_init"],
    ["cgo_export_static", "fuzz/lib.Total", "Total", "ABIInternal"],
    ["cgo_export_dynamic", "fuzz/lib.Total", "Total"],
    ["cgo_export_dynamic", "main.main"],
    ["cgo_dynamic_linker", "/lib64/ld-linux-x86-64.so.2"],
    ["cgo_ldflag", "-lpthread"],
    ["cgo_ldflag", "-Wl,-z,now"],
]


def cgo(chance: Random, base: Base, target: Target) -> Edit:
    """Directives in an object's text, as the cgo tool has the compiler write them."""
    rows = [list(row) for row in chance.sample(_VALID, chance.randrange(1, 5))]
    for _ in range(chance.choice([0, 1, 1, 2])):
        row = chance.choice(rows)
        at = chance.randrange(len(row) + 1)
        word: object = chance.choice(
            [
                *(
                    "",
                    "x",
                    "\0",
                    "\ud800",
                    "main.main",
                    "runtime.start",
                    "x" * 5000,
                    "a#b#c",
                    "ABI0",
                ),
                *(None, 3, 1e99, [], {}, True),
            ]
        )
        if chance.random() < 0.3:
            del row[at : at + 1]
        else:
            row[at : at + chance.randrange(2)] = [word]
    text = json.dumps(rows, separators=(",", ":"))
    if chance.random() < 0.2:
        depth = chance.choice([10, 3000, 100_000])
        words = ["[" * depth + "]" * depth, "NaN", "{}", "[[]]", '[["cgo_ldflag"', "", '"\\ud800"']
        text = chance.choice([chance.choice(words), spoiled(chance, text, words)])
    return Edit(
        target.file, "cgo directives", "directives", object=target.number, text=_bytes(text)
    )


def answers(chance: Random, base: Base, target: Target) -> Edit:
    text = json.dumps({"-Wl,--build-id=0x1234567890abcdef": True, "-no-pie": False})
    words = ["[" * 5000, "null", "1", "{}", '{"-no-pie": 1}', '{"x": NaN}', "\xff", "\0"]
    return Edit(ANSWERS, "kept answers", "text", text=spoiled(chance, text, words))


def _bytes(text: str) -> str:
    """A text as its bytes, each a character."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1") if not _latin(text) else text


def _latin(text: str) -> bool:
    return all(ord(char) < 256 for char in text)


TEXTS: Mapping[str, Callable[[Random, Base, Target], Edit]] = {
    "importcfg": importcfg,
    "flags": flags,
    "response file": response,
    "pipeline file": pipeline,
    "cgo directives": cgo,
    "kept answers": answers,
}
