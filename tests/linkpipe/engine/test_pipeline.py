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
    assert (a.place.line(), a.place.line("name")) == (2, 3)
    assert (b.place.line(), b.place.line("name"), b.place.line("when")) == (5, 7, 8)
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


def test_a_phase_goes_on_until_another_one(tmp_path: Path) -> None:
    """Also that of a pass which was removed; a replacement takes it over."""
    names = ("a", "b", "c", "d")
    phase = {"a": "one", "c": "two"}
    tables = [f'{{ name = "{n}", phase = "{phase.get(n, "")}" }}' for n in names]
    (tmp_path / "base.toml").write_text(f"pass = [{', '.join(tables)}]\n")
    (tmp_path / "p.toml").write_text(
        'extends = "base.toml"\n[[remove]]\nname = "c"\n[[replace]]\nname = "a"\nby = "x"\n'
        '[[insert]]\nname = "e"\nafter = "b"\n[[insert]]\nname = "f"\nafter = "d"\n'
        '[[insert]]\nname = "g"\nafter = "f"\nphase = "three"\n'
    )
    found = {step.name: step.phase for step in load_pipeline(str(tmp_path / "p.toml")).steps}
    assert found == {"x": "one", "b": "one", "e": "one", "d": "two", "f": "two", "g": "three"}


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
        ("", 1, "has no passes"),
        ('[[pass]]\nname = "a"\nwhy = """', 3, "not a TOML file"),
        ('pass = ["a"]\n', 1, "[[pass]]: expected a table, found 'a'"),
        ('pass = [\n  { name = "a" },\n  7,\n]\n', 3, "[[pass]]: expected a table, found 7"),
        ('pass = [\n  { name = "a" },\n  { nam = "b" },\n]\n', 3, "unknown key `nam`"),
        ('"pass" = [\n  { name = "a", why = """\n[[pass]]\n""" },\n  {},\n]\n', 5, "no `name`"),
        ('[[pass]]\nname = "a"\n[pass.options]\nx = 1\n[pass.wen]\n', 5, "unknown key `wen`"),
        ("x = " + 2000 * "[", 0, "nested too deeply"),
        ("[[pass]]\n", 1, "no `name`"),
        ('[[pass]]\nname = "a"\nwen = 3\n', 3, "unknown key `wen` in [[pass]]"),
        ("\n[[pass]]\nname = 3\n", 3, "`name`: expected a string, found 3"),
        ('[[pass]]\nname = "a"\nwhen = "exe"\n', 3, "`when`: expected a table"),
        ('[[passes]]\nname = "a"\n', 1, "unknown key `passes`"),
        ('\n[pass]\nname = "a"\n', 2, "`pass` is not a list"),
        ('[[remove]]\nname = "a"\n', 1, "extends nothing"),
        ('extends = "base.toml"\n[insert]\nname = "x"\n', 2, "`insert` is not a list"),
        ('extends = "base.toml"\ninsert = ["x"]\n', 2, "[[insert]]: expected a table, found 'x'"),
        ('\nextends = "nofile.toml"\n', 2, "nofile.toml: no such file"),
        ('extends = "base.toml"\nextends = "base.toml"\n', 2, "not a TOML file"),
        ("\nextends = 3\n", 2, "`extends` is not a path"),
        ('\nextends = "p.toml"\n', 2, "extends itself"),
        ('extends = """\\\n  base.toml"""\n\n[[remove]]\nname = "zz"\n', 5, 'no pass "zz"'),
        ('extends = "base.toml"\n[[remove]]\nname = "zz"\n', 3, 'no pass "zz"'),
        ('extends = "base.toml"\n[[insert]]\nname = "x"\n', 2, "needs one of"),
        ('extends = "base.toml"\n\n[[insert]]\nname = "x"\nafter = "q"\n', 5, 'no pass "q"'),
    ],
)
def test_errors_have_file_line_and_remedy(base: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        load(base, text)
    error = caught.value
    assert message in error.message
    assert (error.file, error.line) == (str(base / "p.toml"), line)
    assert error.remedy


def test_a_circle_of_two(base: Path) -> None:
    """The line is that of the `extends` that closes the circle."""
    (base / "q.toml").write_text('\n\nextends = "p.toml"\n')
    with pytest.raises(PipelineError, match="extends itself") as caught:
        load(base, 'extends = "q.toml"\n')
    assert (caught.value.file, caught.value.line) == (str(base / "q.toml"), 3)


def test_a_long_chain(base: Path) -> None:
    """Longer than Python's stack."""
    before = "base.toml"
    for number in range(1500):
        (base / f"{number}.toml").write_text(f'extends = "{before}"\n')
        before = f"{number}.toml"
    assert load(base, f'extends = "{before}"\n') == ["a", "b", "c"]


def test_both_forms_of_a_list_are_one(base: Path) -> None:
    text = 'extends = "base.toml"\ninsert = [\n  { name = "x", after = "a" },\n]\n'
    assert load(base, text) == ["a", "x", "b", "c"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + steps("a")) == ["a"]


def test_inserts_at_one_place_keep_their_order(base: Path) -> None:
    def insert(name: str, where: str) -> str:
        return f"[[insert]]\nname = '{name}'\n{where}\n"

    after = "".join(insert(name, "after = 'a'") for name in "xyz")
    before = "".join(insert(name, "before = 'b'") for name in "123")
    behind = insert("y2", "after = 'y'")
    text = 'extends = "base.toml"\n'
    assert "".join(load(base, text + after + before + behind)) == "axyy2z123bc"
    assert "".join(load(base, text + insert("b", "after = 'b'"))) == "abbc"


def test_what_was_taken_out_is_said_to_be(base: Path) -> None:
    load(base, 'extends = "base.toml"\n[[remove]]\nname = "b"\n', "less.toml")
    with pytest.raises(PipelineError) as caught:
        load(base, 'extends = "less.toml"\n[[insert]]\nname = "x"\nafter = "b"\n')
    assert caught.value.remedy == f"it was taken out in {base}/less.toml:3"


def test_a_missing_file() -> None:
    with pytest.raises(PipelineError, match="cannot read the pipeline nofile: no such file"):
        load_pipeline("nofile")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"# note\n\xff\xfe")
    with pytest.raises(PipelineError, match="not a TOML file") as caught:
        load_pipeline(str(tmp_path / "p.toml"))
    assert caught.value.line == 2
    with pytest.raises(PipelineError, match="not a path") as caught:
        load(tmp_path, 'extends = "a\\u0000b"\n')
    assert caught.value.line == 1


def test_options_of_one_link_are_not_those_of_the_next(tmp_path: Path) -> None:
    """A file that says the same is read once; what it gives a pass is the pass's own."""
    file = tmp_path / "p.toml"
    file.write_text('pass = [{ name = "a", options = { words = ["x"] } }]\n')
    load_pipeline(str(file)).steps[0].options["words"].append("y")
    assert load_pipeline(str(file)).steps[0].options == {"words": ["x"]}


def test_what_the_default_pipeline_counts_as_the_oracle_does() -> None:
    """The fields that are used are a phase of their own, between two others (ld/main.go)."""
    phases = {step.name: step.phase for step in load_pipeline().steps}
    found = [phases[name] for name in ("dumpdep", "fieldtrack", "reachability", "linksetup")]
    assert found == ["deadcode", "fieldtrack", "deadcode", "linksetup"]
