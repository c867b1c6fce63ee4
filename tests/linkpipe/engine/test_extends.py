"""Pipelines that extend several others, installed ones among them, and what two of them cannot both
want."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from linkpipe.engine.hookspecs import Offer, hookimpl
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import PipelineError
from tests.linkpipe.synthetic import steps


class Brings:
    """A plugin that brings pipelines: name -> what stands for the path."""

    def __init__(self, owner: str, **pipelines: Any) -> None:
        self.owner, self.pipelines = owner, pipelines

    @hookimpl
    def linkpipe_pipelines(self) -> list[Offer]:
        return [
            Offer(name, self.owner, partial(self.pipelines.__getitem__, name))
            for name in self.pipelines
        ]


def extended(
    folder: Path, extends: str, acme: str = "", other: str = "", own: str = ""
) -> list[str]:
    """The passes, where two strangers change a pipeline of a, b and c."""
    (folder / "base.toml").write_text(steps("a", "b", "c"))
    plugins = {}
    for owner, text in (("acme", acme), ("other", other)):
        file = folder / owner / "p.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'extends = "../base.toml"\n{text}')
        plugins[owner] = Brings(f"linkpipe-{owner} 1.0", **{owner: file})
    (folder / "own.toml").write_text(f"extends = {extends}\n{own}")
    pipeline = load_pipeline(str(folder / "own.toml"), Catalog((), plugins))
    return [step.name for step in pipeline.steps]


def insert(name: str, where: str = 'after = "a"') -> str:
    return f'[[insert]]\nname = "{name}"\n{where}\n'


BOTH = '["acme", "other"]'


def test_each_file_counts_once_in_the_order_of_the_list(tmp_path: Path) -> None:
    x, y = insert("x", 'before = "c"'), insert("y", 'before = "c"')
    assert extended(tmp_path, BOTH, x, y) == ["a", "b", "x", "y", "c"]
    assert extended(tmp_path, '["other", "acme"]', x, y) == ["a", "b", "y", "x", "c"]
    x2, y2 = insert("x"), insert("y")
    assert extended(tmp_path, BOTH, x2, y2) == ["a", "x", "y", "b", "c"]
    assert extended(tmp_path, '["other", "acme"]', x2, y2) == ["a", "y", "x", "b", "c"]
    assert extended(tmp_path, '["base.toml", "acme", "acme"]', x) == ["a", "b", "x", "c"]
    assert extended(tmp_path, '"acme"', x, own=insert("z", 'after = "x"')) == [
        "a",
        "b",
        "x",
        "z",
        "c",
    ]


@pytest.mark.parametrize(
    ("own", "order"),
    [
        (insert("z"), "axyzbc"),
        ('[[remove]]\nname = "x"\n' + insert("z"), "ayzbc"),
        ('[[replace]]\nname = "x"\nby = "w"\n' + insert("z", 'after = "w"'), "awzybc"),
        ('[[replace]]\nname = "a"\nby = "w"\n' + insert("z", 'after = "w"'), "wxyzbc"),
        (insert("z", 'before = "x"') + insert("w"), "azxywbc"),
    ],
)
def test_after_one_place_in_the_order_of_the_files(tmp_path: Path, own: str, order: str) -> None:
    """Also where a later file changes what an earlier one put there."""
    assert "".join(extended(tmp_path, BOTH, insert("x"), insert("y"), own)) == order


def replace(name: str, by: str) -> str:
    return f'[[replace]]\nname = "{name}"\nby = "{by}"\n'


@pytest.mark.parametrize(
    ("acme", "other", "said"),
    [
        (insert("x"), '[[remove]]\nname = "x"\n', "cannot remove x"),
        (insert("x"), replace("x", "y"), "cannot replace x"),
        ('[[replace]]\nname = "a"\noptions = { n = 1 }\n',
         '[[replace]]\nname = "a"\noptions = { n = 2 }\n', "cannot replace a"),
        (replace("a", "x"), replace("a", "y"), 'no pass "a" here'),
        ('[[remove]]\nname = "a"\n', insert("y"), 'no pass "a" here'),
    ],
)  # fmt: skip
def test_what_two_strangers_cannot_both_want(
    tmp_path: Path, acme: str, other: str, said: str
) -> None:
    """The error names both, with their lines; a pipeline that extends both may settle it."""
    with pytest.raises(PipelineError) as caught:
        extended(tmp_path, BOTH, acme, other)
    told = caught.value.render()
    assert said in told
    assert caught.value.file == str(tmp_path / "other" / "p.toml")
    assert "linkpipe-other 1.0" in told
    assert f"{tmp_path}/acme/p.toml:3 (of linkpipe-acme 1.0)" in told


def test_who_extends_another_may_change_it(tmp_path: Path) -> None:
    own = '[[remove]]\nname = "x"\n' + replace("y", "z")
    assert extended(tmp_path, BOTH, insert("x"), insert("y"), own) == ["a", "z", "b", "c"]


@pytest.mark.parametrize(
    ("extends", "said", "remedy"),
    [
        ('"acne"', 'unknown pipeline "acne"', 'did you mean acme?; write "./acne" for a file'),
        ('["acme", 3]', "not a path or a list", "default"),
        ("[]", "not a path or a list", "default"),
        ('["acme", "none.toml"]', "none.toml: no such file", "correct"),
    ],
)
def test_names_that_there_are_not(tmp_path: Path, extends: str, said: str, remedy: str) -> None:
    with pytest.raises(PipelineError) as caught:
        extended(tmp_path, extends)
    assert said in caught.value.message
    assert remedy in caught.value.remedy
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "own.toml"), 1)


def test_a_pipeline_that_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "odd"\n')
    with pytest.raises(PipelineError, match=r'"odd" of odd 2\.0 is no path but int'):
        load_pipeline(str(tmp_path / "own.toml"), Catalog((), {"odd": Brings("odd 2.0", odd=3)}))
