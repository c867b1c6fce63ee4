"""The commands, as processes: what they print, and with which status they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linkpipe.cli import _group, link
from linkpipe.engine.entrypoints import scan
from linkpipe.engine.plugins import Catalog
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import environment, goroot, link_tool

ROOT = Path(__file__).parents[3]
STUB = ROOT / "bin" / "linkpipe-toolexec"


def linkpipe(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", *args],
        capture_output=True,
        text=True,
        env=environment(**env),
        check=False,
    )


def test_help_lists_the_commands() -> None:
    done = linkpipe("--help")
    assert done.returncode == 0
    assert re.search(r"^  link +Link a Go program", done.stdout, re.MULTILINE)
    assert "_people" not in done.stdout


def test_an_unknown_command() -> None:
    done = linkpipe("lnk")
    assert done.returncode == 2
    assert 'unknown command "lnk"\n\tdid you mean link?' in done.stderr


def test_verify_is_no_flag() -> None:
    """But a command: tables are checked by -check."""
    assert "flag provided but not defined: -verify" in linkpipe("link", "-verify", "x.a").stderr


@pytest.mark.parametrize("command", ["passes", "show", "diff", "compare", "build"])
def test_each_command_has_help(command: str) -> None:
    done = linkpipe(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "linkpipe " + command in done.stdout


def test_installed_passes() -> None:
    done = linkpipe("passes", "--installed")
    assert done.returncode == 0
    assert re.search(
        r"^load +linkpipe \S+ +passes +yes +linkpipe\.passes\.load:load$",
        done.stdout,
        re.MULTILINE,
    )


def test_passes_of_a_wrong_pipeline(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('[[pass]]\nname = "laod"\n')
    done = linkpipe("passes", "--pipeline", str(tmp_path / "p.toml"))
    assert done.returncode == 2
    assert f'{tmp_path}/p.toml:2: unknown pass "laod"' in done.stderr
    assert "did you mean load" in done.stderr


def test_the_plan_as_json(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        'extends = "default"\n[[replace]]\nname = "load"\nwhy = "first"\n'
    )
    done = linkpipe("passes", "--format", "json", LINKPIPE_PIPELINE=str(tmp_path / "p.toml"))
    (row,) = (row for row in json.loads(done.stdout)["passes"] if row["name"] == "load")
    assert (row["name"], row["why"], row["provides"]) == ("load", "first", ["packages", "objects"])


def test_version() -> None:
    """Three fields and more, as the go command wants it; it follows the pipeline."""
    version = (goroot() / "VERSION").read_text().split()[0]
    done = linkpipe("link", "-V=full")
    assert re.fullmatch(rf"link version {version} linkpipe=\d\S*-[0-9a-f]{{16}}\n", done.stdout)
    assert linkpipe("link", "-V=full").stdout == done.stdout
    short = linkpipe("link", "-V")
    assert re.fullmatch(rf"link version {version} linkpipe=\d\S*\n", short.stdout)


def test_version_follows_the_pipeline(tmp_path: Path) -> None:
    """The go command must not take a link of another pipeline out of its cache."""
    (tmp_path / "p.toml").write_text('extends = "default"\n[[remove]]\nname = "load"\n')
    one = linkpipe("link", "-V=full").stdout
    assert linkpipe("link", "-V=full", LINKPIPE_PIPELINE=str(tmp_path / "p.toml")).stdout != one


def test_a_pipeline_that_writes_nothing_is_refused(tmp_path: Path) -> None:
    """It would succeed, and leave no file; whoever looks at the plan is told so, too."""
    (tmp_path / "p.toml").write_text('extends = "default"\n[[remove]]\nname = "output"\n')
    for arguments in (
        ("link", "-pipeline", str(tmp_path / "p.toml"), str(tmp_path / "missing.a")),
        ("passes", "--pipeline", str(tmp_path / "p.toml")),
    ):
        done = linkpipe(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert f"{tmp_path}/p.toml:3: output, which provides the fact `output`, is" in done.stderr


def test_a_wrong_pipeline_is_refused_before_inputs_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('[[pass]]\nname = "laod"\n')
    done = linkpipe("link", "-pipeline", str(tmp_path / "p.toml"), str(tmp_path / "missing.a"))
    assert done.returncode == 2
    assert "unknown pass" in done.stderr
    assert "missing.a" not in done.stderr


def test_the_link_command_is_light() -> None:
    """What every link of every `go build` would pay for."""
    code = (
        "import sys\n"
        "from linkpipe.cli.link import main\n"
        "main(['-V=full'])\n"
        "heavy = {'numpy', 'networkx', 'cattrs', 'rich', 'click', 'structlog',"
        " 'importlib.metadata'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    env = environment(LINKPIPE_CHECK="0")  # tests ask for the check, users do not
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout.splitlines()[1:] == ["[]"], done.stderr


def test_the_stub_passes_other_tools_through_without_python(tmp_path: Path) -> None:
    tool = tmp_path / "compile"
    tool.write_text('#!/bin/sh\necho "$# $1 $2"\nexit 7\n')
    tool.chmod(0o755)
    done = subprocess.run(
        [STUB, tool, "a b", "c"],
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "2 a b c\n")


def test_the_installed_stub_links_with_linkpipe() -> None:
    installed = Path(sys.executable).parent / "linkpipe-toolexec"
    done = subprocess.run(
        [installed, link_tool(), "-V=full"],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " linkpipe=" in done.stdout


def test_modules_in_the_current_directory_are_not_imported(tmp_path: Path) -> None:
    """A link runs in its user's directories, where an attr.py may lie."""
    (tmp_path / "attr.py").write_text("raise SystemExit('hijacked')")
    installed = Path(sys.executable).parent / "linkpipe-toolexec"
    done = subprocess.run(
        [installed, link_tool(), "-V"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_build_hands_everything_to_the_go_command(tmp_path: Path) -> None:
    go = tmp_path / "mygo"
    go.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    go.chmod(0o755)
    done = linkpipe("build", "-buildmode=plugin", "-o", "p.so", ".", LINKPIPE_GO=str(go))
    first, toolexec, *rest = done.stdout.splitlines()
    assert first == "build"
    assert os.path.basename(toolexec) == "linkpipe-toolexec"
    assert rest == ["-buildmode=plugin", "-o", "p.so", "."]


def test_build_names_files_so_that_every_link_finds_them(tmp_path: Path) -> None:
    """The go command links in directories of its own choice."""
    go = tmp_path / "mygo"
    go.write_text("#!/bin/sh\necho $LINKPIPE_PIPELINE\n")
    go.chmod(0o755)
    done = linkpipe("build", LINKPIPE_GO=str(go), LINKPIPE_PIPELINE="p.toml")
    assert done.stdout == f"{os.getcwd()}/p.toml\n"


def test_build_without_go() -> None:
    done = linkpipe("build", ".", LINKPIPE_GO="/nonexistent/go")
    assert done.returncode == 1
    assert "install Go" in done.stderr


def dumped(path: Path, *values: int, fact: str = "t") -> str:
    lines = [
        {"header": {"schema": "linkpipe.table/1", "fact": fact, "after": "p"}},
        *({"id": n, "name": f"{'long' * 9}{n}é", "v": v} for n, v in enumerate(values)),
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


LONG = "long" * 9


def test_diff_of_two_dumped_tables(tmp_path: Path) -> None:
    a, b = dumped(tmp_path / "a", 1, 2), dumped(tmp_path / "b", 1, 3)
    done = linkpipe("diff", a, b)
    assert done.returncode == 1
    assert done.stdout == f"~ 1 {LONG}1é: v: 2 -> 3\n0 added, 0 removed, 1 changed\n"
    assert linkpipe("diff", a, a).returncode == 0


def dumped_link(folder: Path, *values: int, fact: str = "t") -> str:
    dumped(folder / f"01.p.{fact}.jsonl", *values[:1], fact=fact)
    dumped(folder / f"12.q.{fact}.jsonl", *values, fact=fact)
    (folder / "00.plan.json").write_text("{}")
    return str(folder)


def test_diff_of_two_dumped_links(tmp_path: Path) -> None:
    """Of what their last passes left; rows are paired by name, and facts that one has not named."""
    a, b = dumped_link(tmp_path / "a", 1, 2), dumped_link(tmp_path / "b", 1, 3)
    dumped_link(tmp_path / "b", 1, fact="u")
    done = linkpipe("diff", a, b)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "t:",
        f"~ {LONG}1é v: 2 -> 3",
        "0 added, 0 removed, 1 changed",
        "u: only after",
    ]
    assert linkpipe("diff", a, a).returncode == 0
    assert linkpipe("diff", a, b, "--fact", "u").stdout == "u: only after\n"
    told = json.loads(linkpipe("diff", a, b, "--format", "json").stdout)
    assert (told["schema"], told["same"]) == ("linkpipe.diff/1", False)
    (change,) = told["tables"][0]["changes"]
    assert change["columns"] == {"v": {"before": 2, "after": 3}}


def test_diff_that_cannot_be(tmp_path: Path) -> None:
    """Is 2, for 1 is a difference."""
    a, other = dumped(tmp_path / "a", 1), dumped(tmp_path / "b", 1, fact="u")
    (tmp_path / "x").write_text("no table")
    for arguments, message in (
        ((a, other), f"{a} is a table of `t`, {other} one of `u`"),
        ((a, str(tmp_path / "x")), "is not a table that linkpipe dumped"),
        ((a, str(tmp_path)), "a table and a directory"),
        ((a, str(tmp_path / "missing")), "does not exist"),
        ((str(tmp_path), str(tmp_path)), "there is no dumped link"),
    ):
        done = linkpipe("diff", *arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_show_a_dump(tmp_path: Path) -> None:
    """In a pipe names are whole, however long."""
    done = linkpipe("show", dumped(tmp_path / "a", 7, 8), "--columns", "name,v")
    assert done.stdout.splitlines() == [
        "t after p: 2 of 2 rows",
        f"name{' ' * 36}v",
        f"{LONG}0é  7",
        f"{LONG}1é  8",
    ]


def test_show_on_a_terminal_leaves_out_columns_rather_than_cut(tmp_path: Path) -> None:
    """And a name that is wider than the terminal is folded."""
    file = dumped(tmp_path / "a", 7)
    code = (
        "import sys\nfrom linkpipe.cli import show\n"
        "sys.stdout.isatty = lambda: True\nsys.exit(show.main(sys.argv[1:]))"
    )
    for columns, whole in (("44", True), ("20", False)):
        done = subprocess.run(
            [sys.executable, "-c", code, file],
            capture_output=True,
            text=True,
            env=environment(COLUMNS=columns, NO_COLOR="1"),
            check=True,
        )
        assert (f"{LONG}0" in done.stdout) == whole
        assert done.stdout.count("long") == 9 or not whole
        assert "no room for v: --columns chooses" in done.stdout
        assert "…" not in done.stdout
        assert "\x1b" not in done.stdout, "NO_COLOR is set"


def test_show_what_is_not_there(tmp_path: Path) -> None:
    file = dumped(tmp_path / "a", 7)
    (tmp_path / "x").write_bytes(b"\x7fELF\xff")
    for arguments, message in (
        ((file, "--columns", "nam"), 'no column "nam"\n\tdid you mean name?'),
        ((file, "--match", "("), "no regular expression"),
        ((str(tmp_path / "x"),), "is not a table that linkpipe dumped"),
        ((str(tmp_path / "missing"),), "does not exist"),
    ):
        done = linkpipe("show", *arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["passes", "show", "diff", "compare"])
def test_options_that_every_command_has(command: str) -> None:
    """But link and build, whose flags are Go's."""
    short, long = linkpipe(command, "-h"), linkpipe(command, "--help")
    assert (short.returncode, short.stdout) == (0, long.stdout)
    assert "--format [text|json]" in " ".join(short.stdout.split())
    assert "exit status is 0" in " ".join(short.stdout.split())
    version = linkpipe(command, "--version")
    assert (version.returncode, version.stdout) == (0, linkpipe("--version").stdout)
    wrong = linkpipe(command, "--nosuch")
    assert wrong.returncode == 2
    assert "No such option" in wrong.stderr


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys(item) for item in value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_output_is_short_everywhere() -> None:
    """Of every command that writes a file by name."""
    found = {
        name: option.opts
        for name, command in _group.whole().commands.items()
        for option in command.params
        if "--output" in option.opts
    }
    assert {"report", "save", "size"} <= set(found)
    assert [name for name, opts in found.items() if "-o" not in opts] == []


def test_json_for_programs(tmp_path: Path) -> None:
    """A schema with a version in each, and one style of keys."""
    a, b = dumped(tmp_path / "a", 1, 2), dumped(tmp_path / "b", 1, 3)
    for arguments, schema, status in (
        (("passes",), "linkpipe.plan/1", 0),
        (("passes", "--installed"), "linkpipe.installed/1", 0),
        (("show", a), "linkpipe.rows/1", 0),
        (("diff", a, b), "linkpipe.diff/1", 1),
        (("compare", a, a), "linkpipe.compare/1", 0),
    ):
        done = linkpipe(*arguments, "--format", "json")
        assert done.returncode == status, done.stderr
        told = json.loads(done.stdout)
        assert told["schema"] == schema
        assert [key for key in keys(told) if not re.fullmatch(r"[a-z][a-z0-9_]*", key)] == []


def test_output_where_only_ascii_can_be_written(tmp_path: Path) -> None:
    """Signs that there are not are escaped; nothing fails."""
    a, b = dumped(tmp_path / "a", 1, 2), dumped(tmp_path / "b", 1, 3)
    (tmp_path / "é").write_text("x")
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments, status in (
        (("--help",), 0),
        (("show", a), 0),
        (("show", "-h"), 0),
        (("diff", a, b), 1),
        (("passes",), 0),
        (("passes", "--dot"), 0),
        (("passes", "--format", "json"), 0),
        (("compare", a, str(tmp_path / "é")), 2),
        (("build", "-h"), 0),
        (("link", "-V"), 0),
    ):
        done = linkpipe(*arguments, **ascii_only)
        assert done.returncode == status, done.stderr
        assert "UnicodeEncodeError" not in done.stderr
        assert "Traceback" not in done.stderr
    on_terminal = (
        "import sys\nfrom linkpipe.cli.main import run\n"
        f"sys.stdout.isatty = lambda: True\nsys.argv[1:] = ['show', {a!r}]\nrun()"
    )
    done = subprocess.run(
        [sys.executable, "-c", on_terminal],
        capture_output=True,
        text=True,
        env=environment(**ascii_only),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{LONG}0\\xe9" in done.stdout


def test_observers_are_found_like_passes() -> None:
    """The built-in ones stand in the same entry point groups as anybody's."""
    catalog = Catalog()
    assert {"timing", "dump", "check", "log"} <= set(catalog.offers("observers"))
    assert {"jsonl", "dot", "graphml"} <= set(catalog.offers("dumpers"))


def third_party(folder: Path, source: str) -> dict[str, str]:
    """A distribution with one pass named "own", and a pipeline of it; the environment to use it."""
    info = folder / "own-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.passes]\nown = own_pass:own\n")
    (info / "RECORD").write_text("")
    (folder / "own_pass.py").write_text(
        "from linkpipe.engine.pass_api import linkpass\n"
        "@linkpass(name='own', provides=('output',))\ndef own(link):\n" + source
    )
    (folder / "p.toml").write_text('[[pass]]\nname = "own"\n')
    return {"PYTHONPATH": str(folder), "LINKPIPE_PIPELINE": str(folder / "p.toml")}


def test_a_crash_in_a_pass_is_one_paragraph(tmp_path: Path) -> None:
    """No traceback, unless it is asked for."""
    env = third_party(tmp_path, "    raise KeyError('oops')\n")
    done = linkpipe("link", "x.a", **env)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "linkpipe: pass own: crashed with KeyError: 'oops'\n\towner: own 1\n"
        f"\tat: {tmp_path}/own_pass.py:4\n\tthis is a bug in the pass"
    )
    assert "Traceback" not in done.stderr
    assert "Traceback" in linkpipe("link", "x.a", LINKPIPE_DEBUG="1", **env).stderr


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_unwinds_the_passes(tmp_path: Path, number: int, status: int, word: str) -> None:
    """What a pass cleans up in `finally` is cleaned up: temporary files, above all. And it is said
    which pass it was."""
    env = third_party(
        tmp_path,
        "    import pathlib, time\n"
        f"    here = pathlib.Path({str(tmp_path)!r})\n"
        "    try:\n"
        "        (here / 'started').touch()\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        (here / 'unwound').touch()\n",
    )
    # Whoever runs the tests may have it ignored (a job in the background).
    start = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    start += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    with subprocess.Popen(
        [sys.executable, "-c", start, "-P", "-m", "linkpipe", "link", "x.a"],
        env=environment(**env),
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        for _ in range(600):
            if (tmp_path / "started").exists():
                break
            time.sleep(0.05)
        running.send_signal(number)
        _, printed = running.communicate(timeout=30)
    assert (tmp_path / "unwound").exists()
    assert running.returncode == status
    assert re.fullmatch(
        rf"linkpipe: {word} while the pass own was running, for \d+\.\d s\n", printed
    )


def test_an_observer_that_cannot_start(tmp_path: Path) -> None:
    info = tmp_path / "own-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.observers]\nbad = own_watch:Bad\n")
    (tmp_path / "own_watch.py").write_text(
        "from linkpipe.engine.runner import Observer\n"
        "class Bad(Observer):\n  def __init__(self): raise ValueError(7)\n"
    )
    done = linkpipe("link", "-observe=bad", "x.a", PYTHONPATH=str(tmp_path))
    assert done.stderr == (
        "linkpipe: the observer bad of own 1 cannot start: ValueError: 7\n"
        f"\tit failed at {tmp_path}/own_watch.py:3; link without it, or report it to its author\n"
    )


def test_a_broken_observer_is_no_traceback(tmp_path: Path) -> None:
    done = linkpipe("link", "-observe", "nosuch", "x.a")
    assert done.returncode == 2
    assert 'linkpipe: unknown observer "nosuch"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_link_imports_nothing_that_it_can_do_without(tmp_path: Path) -> None:
    """Each of these is a hundredth of a small link and more; numpy imports numpy.ma when
    np.unique is asked for nothing but values."""
    given = inputs(table()["hello"])
    code = (
        "import sys, numpy; before = set(sys.modules); from linkpipe.cli import link; "
        f"assert link.main({[*given.argv[:-1], '-s', '-w', '-o', str(tmp_path / 'out')]!r} + "
        f"{[given.argv[-1]]!r}) == 0; "
        "heavy = {'numpy.ma', 'pathlib', 'urllib', 'ipaddress', 'networkx', 'importlib.metadata', "
        "'subprocess', 'tempfile'}; print(sorted(heavy & (set(sys.modules) - before)))"
    )
    env = environment(**given.env, LINKPIPE_CHECK="")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_link_starts_no_threads_for_linear_algebra(tmp_path: Path) -> None:
    """numpy's library would start one for each processor, which costs a third of a small link."""
    code = (
        "import os, sys; from linkpipe.cli import link; "
        f"link.main(['-importcfg', '/dev/null', {str(tmp_path / 'missing.a')!r}]); "
        "assert 'numpy' in sys.modules; print(len(os.listdir('/proc/self/task')))"
    )
    env = {k: v for k, v in environment().items() if k != "OPENBLAS_NUM_THREADS"}
    env["LINKPIPE_THREADS"] = "1"  # none of linkpipe's own either
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


def test_entry_points_that_are_known_are_not_read_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A server hands what it has read to its children."""
    given = inputs(table()["hello"])
    argv = [*given.flags, "-o", str(tmp_path / "out"), str(given.main)]
    known = [entry for entry in scan() if (entry.group, entry.name) != ("linkpipe.passes", "load")]
    assert link.main(argv, variables=given.environment(), entries=known) == 2
    assert 'unknown pass "load"' in capsys.readouterr().err
