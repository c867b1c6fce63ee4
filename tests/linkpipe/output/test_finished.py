"""The finished file, and what docs/adding-a-pass.md says a pass may do with it: its own example,
beside a file that linkpipe writes, one that a host linker makes, and an archive."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from linkpipe import api
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.errors import PassError
from tests.faults.links import OLD, link
from tests.inserted import link_with_pass
from tests.samples import ROOT

WRITTEN, MADE = (), ("-linkmode=external",)


def example() -> str:
    """The pass on the page."""
    text = (ROOT / "docs" / "adding-a-pass.md").read_text()
    (code,) = re.findall(r"```python\n(# acme/most\.py\n.*?)```", text, re.DOTALL)
    return code


def installed(folder: Path, most: int) -> str:
    """A pipeline with the pass in it, which allows so many bytes."""
    info = folder / "own-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.passes]\nacme.most = own_most:most\n")
    (info / "RECORD").write_text("")
    (folder / "own_most.py").write_text(example().replace("1 << 20", str(most)))
    (folder / "p.toml").write_text(
        'extends = "default"\n[[insert]]\nname = "acme.most"\nafter = "output-final"\n'
    )
    return str(folder / "p.toml")


def test_the_barrier_is_the_end_of_the_default_pipeline() -> None:
    pipeline = load_pipeline()
    assert pipeline.barriers[-1].name == "output-final"
    assert pipeline.barriers[-1].at == len(pipeline.steps)


@pytest.mark.parametrize("flags", [WRITTEN, MADE])
def test_the_example_lets_pass_what_is_small(tmp_path: Path, flags: tuple[str, ...]) -> None:
    (tmp_path / "out").write_text(OLD)
    done = link(tmp_path, *flags, "-pipeline", installed(tmp_path, 1 << 30))
    assert (done.status, done.err) == (0, "")
    assert (tmp_path / "out").read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("flags", [WRITTEN, MADE])
def test_the_example_refuses_and_the_old_file_is_there(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    (tmp_path / "out").write_text(OLD)
    done = link(tmp_path, *flags, "-pipeline", installed(tmp_path, 1000))
    assert done.status == 1
    assert re.search(r"the output has \d+ bytes\n\tleave something out", done.err)
    assert (tmp_path / "out").read_text() == OLD
    assert not [each for each in os.listdir(tmp_path) if each.startswith(".")]


@pytest.mark.parametrize(
    ("flags", "after"),
    [
        (WRITTEN, "output"),
        (MADE, "hostlink"),
        (("-linkmode=external", "-buildmode=c-archive"), "carchive"),
    ],
)
def test_it_is_what_will_stand_there(
    tmp_path: Path, flags: tuple[str, ...], after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    @api.linkpass(name="acme.look", requires=("image", "mode"), optional=("output",))
    def look(link: api.Link) -> api.Link:
        seen.append((api.finished(link).tobytes(), os.path.exists(link.options.o)))
        return link

    program = "carchive" if after == "carchive" else "hello"
    file = tmp_path / "out"
    link_with_pass(monkeypatch, look, after, file, program=program, flags=flags)
    ((data, there),) = seen
    assert data == file.read_bytes()
    # The page says so, too: what linkpipe writes has not taken its place yet.
    assert there == (after != "output")


def test_it_cannot_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @api.linkpass(name="acme.change", requires=("image", "mode"), optional=("output",))
    def change(link: api.Link) -> api.Link:
        np.asarray(api.finished(link))[:] = 0
        return link

    for flags, after in ((WRITTEN, "output"), (MADE, "hostlink")):
        with pytest.raises(api.LinkpipeError, match="read-only"):
            link_with_pass(monkeypatch, change, after, tmp_path / "out", flags=flags)


@api.linkpass(name="acme.look", requires=("image", "mode"), optional=("output",))
def look(link: api.Link) -> api.Link:
    api.finished(link)
    return link


@pytest.mark.parametrize("flags", [WRITTEN, MADE])
def test_too_early_is_no_file(
    tmp_path: Path, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the old file nor what is in memory is taken for it."""
    (tmp_path / "out").write_text(OLD)
    with pytest.raises(PassError, match="reads the fact `output`, which is not established") as e:
        link_with_pass(monkeypatch, look, "elfimage", tmp_path / "out", flags=flags)
    assert e.value.remedy == "put acme.look after output-final, where `output` is there"


def test_the_plan_tells_where_it_belongs(tmp_path: Path) -> None:
    """Before anything is linked."""
    pipeline = Path(installed(tmp_path, 1))
    pipeline.write_text(pipeline.read_text().replace("output-final", "elfimage"))
    err = link(tmp_path, "-pipeline", str(pipeline)).err
    warning, error = err.index("put it after output-final ("), err.index("put acme.most after out")
    assert err.index("linkpipe: warning: acme.most reads output") < warning < error


def test_a_host_linker_that_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = (*MADE, "-extldflags=-###")
    with pytest.raises(api.UserError, match="^open .*out: no such file or directory$"):
        link_with_pass(monkeypatch, look, "hostlink", tmp_path / "out", flags=flags)


def test_a_stream_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(api.UserError, match="/dev/null is no file"):
        link_with_pass(monkeypatch, look, "hostlink", Path("/dev/null"), flags=MADE)
