"""Go's own reader of literals, which the importcfg's module information goes through."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from linkpipe.formats.importcfg import unquote
from tests.conformance.toolchain import go
from tests.linkpipe.formats.test_importcfg import PIECES, slowly

PROGRAM = """
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
)

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		text, _ := hex.DecodeString(lines.Text())
		if value, err := strconv.Unquote(string(text)); err == nil {
			fmt.Printf("%x\\n", value)
		} else {
			fmt.Println("refused")
		}
	}
}
"""


def test_literals_are_read_as_by_go(folder: Path) -> None:
    """Some ten thousand texts, half of them literals: strconv.Unquote, linkpipe and the slow reader
    of the unit tests agree on every one."""
    chance = random.Random(0)
    texts = [b"''", b'""', b"``"]
    for _ in range(10_000):
        quote = chance.choice([b'"', b'"', b"'", b"`", b""])
        pieces = chance.choices(PIECES, k=chance.randrange(6))
        texts.append(quote + b"".join(pieces) + quote)
    (folder / "unquote.go").write_text(PROGRAM)
    go("build", "-o", folder / "unquote", folder / "unquote.go", cwd=folder)
    asked = "".join(f"{text.hex()}\n" for text in texts)
    done = subprocess.run(
        [folder / "unquote"], input=asked, text=True, capture_output=True, check=True
    )
    for text, line in zip(texts, done.stdout.splitlines(), strict=True):
        want = None if line == "refused" else bytes.fromhex(line)
        assert slowly(text) == want, text
        try:
            have = unquote(text.decode("utf-8", "surrogateescape"))
        except ValueError:
            have = None
        assert have == want, text
