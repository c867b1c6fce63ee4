"""The command linkpipe-obfuscate: build with a runtime of one's own, and read traces."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from linkpipe.api import LinkpipeError, UserError
from linkpipe_obfuscate.runtime import overlay
from linkpipe_obfuscate.secret import read_secret

_SHORT, _LONG = rb"x[a-z2-7]{6}", rb"x[a-z2-7]{12}"
_NAME = re.compile(rb"\b%b\.(?:\(\*%b\)\.)?%b|\b%b\.go\b" % (_SHORT, _LONG, _LONG, _LONG))
_NIL = re.compile(rb"\b(%b)\.(%b)\.(%b) called using nil \*\2 pointer" % (_SHORT, _LONG, _LONG))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="linkpipe-obfuscate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build_ = commands.add_parser(
        "build",
        help="go build with a runtime for the key; further arguments are its own",
        # --p=4 is the go command's, not short for --pipeline.
        allow_abbrev=False,
    )
    build_.add_argument("--key", type=Path, required=True, help="that of the pipeline")
    build_.add_argument("--pipeline", type=Path, required=True, help="with the passes obfuscate")
    trace = commands.add_parser("reverse", help="read a trace, write it with the old names")
    trace.add_argument("maps", type=Path, nargs="+", help="what the pass obfuscate wrote")
    asked, rest = parser.parse_known_args(arguments)
    if rest and asked.command != "build":
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        if asked.command == "build":
            return build(asked.key, asked.pipeline, rest)
        back = read_maps(asked.maps)
    except LinkpipeError as e:
        sys.stderr.write(f"{e.render()}\n")
        return 2
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(reverse(line, back))
    return 0


def build(key: Path, pipeline: Path, arguments: Sequence[str]) -> int:
    """Run go build; its exit status."""
    for each in arguments:
        _refuse(re.fullmatch("--?(overlay|toolexec)(=.*)?", each), "")
    secret = read_secret(key)
    go = shutil.which("go")
    if go is None:
        raise UserError("obfuscate: there is no go command", remedy="put it into PATH")
    asked = [go, "env", "-json", "GOROOT", "GOFLAGS"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    if told.returncode:
        raise UserError(f"obfuscate: go env: {told.stderr.strip()}", remedy="mend that first")
    settings = json.loads(told.stdout)
    _refuse(re.search("(?:^|[\\s'\"])--?(overlay|toolexec)=", settings["GOFLAGS"]), " in GOFLAGS")
    file, text = overlay(Path(settings["GOROOT"]), secret)
    toolexec = Path(sysconfig.get_path("scripts")) / "linkpipe-toolexec"
    with tempfile.TemporaryDirectory() as folder:
        other, list_ = Path(folder, file.name), Path(folder, "overlay.json")
        other.write_text(text, "utf-8")
        list_.write_text(json.dumps({"Replace": {str(file): str(other)}}))
        flags = [f"-toolexec={toolexec}", f"-overlay={list_}", "-trimpath"]
        variables = {**os.environ, "LINKPIPE_PIPELINE": str(pipeline.absolute())}
        done = subprocess.run([go, "build", *flags, *arguments], env=variables, check=False)
        return done.returncode


def _refuse(found: re.Match[str] | None, place: str) -> None:
    """Raise UserError where a flag was found that the go command has to get from here."""
    if found:
        raise UserError(
            f"obfuscate: the go command takes one -{found[1]}, and one is needed here: "
            f"there is another{place}",
            remedy="build without it, or leave the runtime as it is",
        )


def read_maps(files: Sequence[Path]) -> dict[bytes, bytes]:
    """New name -> old name, of all files. Raises UserError for one that is no such map."""
    back: dict[bytes, bytes] = {}
    for file in files:
        try:
            for names in json.loads(file.read_text("utf-8")).values():
                back |= {new.encode(): old.encode() for new, old in names.items()}
        except (OSError, ValueError, AttributeError) as e:
            raise UserError(
                f"obfuscate: {file} is no map: {e}",
                remedy='name what the option map = "…" of the pass obfuscate had written',
            ) from e
    return back


def reverse(text: bytes, back: dict[bytes, bytes]) -> bytes:
    """The text with the old names."""
    text = _NIL.sub(lambda found: _receiver(found, back), text)
    return _NAME.sub(lambda found: back.get(found[0], found[0]), text)


def _receiver(found: re.Match[bytes], back: dict[bytes, bytes]) -> bytes:
    """What the runtime makes of the name "main.(*T).M" when a value is wanted and there is none."""
    old = back.get(b"%b.(*%b).%b" % found.groups())
    if old is None:
        return found[0]
    package, _, rest = re.sub(rb"\[.*\]", b"[...]", old).partition(b".(*")
    of, _, method = rest.partition(b").")
    return b"%b.%b.%b called using nil *%b pointer" % (package, of, method, of)
