from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.engine.pipeline import default_file, load_pipeline
from linkpipe.errors import PipelineError
from tests.linkpipe.synthetic import steps


def load(path: Path, text: str, name: str = "p.toml") -> list[str]:
    (path / name).write_text(text)
    return [step.name for step in load_pipeline(str(path / name)).steps]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(steps("a", "b", "c"))
    return tmp_path


def test_steps_know_their_lines(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        '# note\n[[pass]]\nname = "a"\n\n  [[pass]]\n  why = "w"\n'
        '  name = "b"\n  when = { buildmode = ["exe", "plugin"], s = true }\n'
    )
    a, b = load_pipeline(str(tmp_path / "p.toml")).steps
    assert (a.lines[""], a.lines["name"]) == (2, 3)
    assert (b.lines[""], b.lines["name"], b.lines["when"]) == (5, 7, 8)
    assert b.why == "w"
    assert b.when == {"buildmode": ("exe", "plugin"), "s": (True,)}


def test_the_default_pipeline_loads() -> None:
    pipeline = load_pipeline()
    assert pipeline.file == default_file()
    assert all(step.why for step in pipeline.steps), "each pass says why it is there"


def test_changes_of_another_pipeline(base: Path) -> None:
    text = 'extends = "base.toml"\n'
    assert load(base, text) == ["a", "b", "c"]
    assert load(base, text + '[[insert]]\nname="x"\nafter="b"\n') == ["a", "b", "x", "c"]
    assert load(base, text + '[[insert]]\nname="x"\nbefore="a"\n') == ["x", "a", "b", "c"]
    assert load(base, text + '[[remove]]\nname="b"\n') == ["a", "c"]
    assert load(base, text + '[[replace]]\nname="b"\nby="x"\n') == ["a", "x", "c"]
    assert load(base, text + steps("d")) == ["a", "b", "c", "d"]


def test_a_replacement_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        '[[pass]]\nname="a"\nwhy="w"\nwhen={s=true}\noptions={n=1}\n'
    )
    (tmp_path / "p.toml").write_text('extends="base.toml"\n[[replace]]\nname="a"\noptions={n=2}\n')
    (step,) = load_pipeline(str(tmp_path / "p.toml")).steps
    assert (step.why, step.when, step.options) == ("w", {"s": (True,)}, {"n": 2})
    (tmp_path / "p.toml").write_text('extends="base.toml"\n[[replace]]\nname="a"\nby="b"\n')
    (step,) = load_pipeline(str(tmp_path / "p.toml")).steps
    assert (step.when, step.options) == ({"s": (True,)}, {}), "options belong to the pass"


def test_extending_the_default(tmp_path: Path) -> None:
    names = load(tmp_path, 'extends = "default"\n[[insert]]\nname = "x"\nafter = "load"\n')
    at = names.index("load")
    assert names[at + 1] == "x"


def test_what_is_identified_includes_the_base(base: Path) -> None:
    load(base, 'extends = "base.toml"\n')
    before = load_pipeline(str(base / "p.toml")).source
    (base / "base.toml").write_text(steps("a"))
    assert load_pipeline(str(base / "p.toml")).source != before


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[[pass]]\nname = "a\n', 2, "not a TOML file"),
        ("", 0, "has no passes"),
        ("[[pass]]\n", 1, "no `name`"),
        ('[[pass]]\nname = "a"\nwen = 3\n', 3, "unknown key `wen` in [[pass]]"),
        ("\n[[pass]]\nname = 3\n", 3, "`name`: expected a string, found 3"),
        ('[[pass]]\nname = "a"\nwhen = "exe"\n', 3, "`when`: expected a table"),
        ('[[passes]]\nname = "a"\n', 1, "unknown key `passes`"),
        ('[pass]\nname = "a"\n', 0, "`pass` is not a list"),
        ('[[remove]]\nname = "a"\n', 0, "extends nothing"),
        ("\nextends = 3\n", 2, "`extends` is not a string"),
        ('extends = "p.toml"\n', 0, "extends itself"),
        ('extends = "base.toml"\n[[remove]]\nname = "zz"\n', 3, 'has no pass "zz"'),
        ('extends = "base.toml"\n[[insert]]\nname = "x"\n', 2, "needs one of"),
        ('extends = "base.toml"\n\n[[insert]]\nname = "x"\nafter = "q"\n', 5, 'has no pass "q"'),
    ],
)
def test_errors_have_file_line_and_remedy(base: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        load(base, text)
    error = caught.value
    assert message in error.message
    assert (error.file, error.line) == (str(base / "p.toml"), line)
    assert error.remedy


def test_a_missing_file() -> None:
    with pytest.raises(PipelineError, match="cannot read the pipeline nofile: no such file"):
        load_pipeline("nofile")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PipelineError, match="not a TOML file"):
        load_pipeline(str(tmp_path / "p.toml"))
