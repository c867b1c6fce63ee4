"""C compilers that fail, in every way: what the old output was stays, and nothing else does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from linkpipe.hostlinker import hosttools
from tests.conformance.programs import table
from tests.faults.links import OLD, Ended, files, link, start

PLUGIN = table()["plugin"]

# Answers questions as a compiler does; its link is what BODY says, with the output in $out.
COMPILER = """#!/bin/sh
for word; do [ "$last" = -o ] && out=$word; last=$word; done
case "$out" in out) ;; *) exit 0;; esac
echo $$ > log
BODY
"""


def compiler(folder: Path, body: str) -> str:
    """A C compiler beside the output."""
    path = folder / "cc"
    path.write_text(COMPILER.replace("BODY", body))
    path.chmod(0o755)
    (folder / "tmp").mkdir(exist_ok=True)
    return str(path)


def places(folder: Path) -> dict[str, str]:
    """Where temporary files go; nothing is remembered."""
    return {"TMPDIR": str(folder / "tmp"), "LINKPIPE_PROBE_CACHE": "off"}


def linked(folder: Path, cc: str, *flags: str) -> Ended:
    return link(folder, "-w", "-extld", cc, *flags, program=PLUGIN, variables=places(folder))


def clean(folder: Path, *, output: str = OLD) -> bool:
    """Whether there is nothing but the output, and that is so."""
    return (
        files(folder) == {"out"}
        and (folder / "out").read_text() == output
        and not list((folder / "tmp").iterdir())
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("exit 3", "exit status 3"),
        ("echo half > $out; echo no room >&2; exit 1", "exit status 1"),
        ("kill -9 $$", "signal: killed"),
        ("kill -11 $$", "signal: segmentation fault"),
        ("mkdir $out; exit 1", "exit status 1"),
        ("mkdir -p $out/deep; echo > $out/deep/file", "it left a directory as out"),
        ("ln -s / $out", "it left a directory as out"),
    ],
)
def test_a_compiler_that_fails(folder: Path, body: str, message: str) -> None:
    cc = compiler(folder, body)
    done = linked(folder, cc)
    assert done.status == 2
    assert f": running {cc} failed: {message}\n" in done.err
    assert "Traceback" not in done.err
    assert clean(folder)


def test_nothing_is_left_where_nothing_was(folder: Path) -> None:
    (folder / "out").unlink()
    done = linked(folder, compiler(folder, "mkdir $out"))
    assert done.status == 2
    assert files(folder) == set()


@pytest.mark.parametrize("kind", ["missing", "not executable", "a directory", "no program"])
def test_a_compiler_that_cannot_run(folder: Path, kind: str) -> None:
    cc = compiler(folder, "")
    if kind == "missing":
        os.unlink(cc)
    elif kind == "not executable":
        os.chmod(cc, 0o644)
    elif kind == "a directory":
        os.unlink(cc)
        os.mkdir(cc)
    else:
        (folder / "cc").write_bytes(b"\0\1\2")
    done = linked(folder, cc)
    assert done.status == 2
    assert f"running {cc} failed: fork/exec {cc}: " in done.err
    assert "install a C compiler" in done.err
    assert clean(folder)


def test_garbage_is_what_the_compiler_made(folder: Path) -> None:
    """A compiler that says it has succeeded is believed, as by the oracle: with flags of the user's
    it may have made anything."""
    assert linked(folder, compiler(folder, "echo garbage > $out")).status == 0
    assert clean(folder, output="garbage\n")


def test_a_temporary_folder_that_cannot_be_made(folder: Path) -> None:
    done = linked(folder, compiler(folder, "echo made > $out"), "-tmpdir", "none")
    assert done.status == 2
    assert "cannot create none/go.o: open none/go.o: no such file or directory\n" in done.err
    assert clean(folder)


@pytest.mark.parametrize("missing", ["HOME", "TMPDIR", "XDG_CACHE_HOME"])
def test_folders_that_are_not_there(folder: Path, missing: str) -> None:
    """Temporary files go elsewhere, and nothing is remembered."""
    cc = compiler(folder, "echo made > $out")
    variables = {"TMPDIR": str(folder / "tmp"), missing: str(folder / "none")}
    done = link(folder, "-w", "-extld", cc, program=PLUGIN, variables=variables)
    assert done.status == 0, done.err
    assert clean(folder, output="made\n")


@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_is_no_compilers(folder: Path, name: str) -> None:
    """It would take its own for it, and remove the name."""
    cc = folder / "cc"
    cc.write_text(
        "#!/bin/sh\n"
        'for word; do [ "$last" = -o ] && out=$word; last=$word; done\n'
        "case $out in */linkpipe-*) echo made > $out ;; /*) echo $out > log ;; esac\n"
    )
    cc.chmod(0o755)
    (folder / "tmp").mkdir()
    (folder / "stdout").write_text("before\n")
    done = linked(folder, str(cc), "-o", name)
    assert done.status == 0, done.err
    assert done.out == "before\nmade\n"
    assert not (folder / "log").exists()
    assert os.path.lexists(name)
    assert clean(folder)


def test_links_that_share_a_cache(folder: Path) -> None:
    """Of what the compiler can do: each link leaves it whole."""
    compiler(folder, "")
    variables = {"TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "tmp" / "cache")}
    for number in range(3):
        (folder / f"tmp/{number}").mkdir()
    links = [
        start(folder, "-w", "-o", f"tmp/{number}/out", program=PLUGIN, variables=variables)
        for number in range(3)
    ]
    assert [one.ended().status for one in links] == [0] * 3
    outputs = {(folder / f"tmp/{number}/out").read_bytes() for number in range(3)}
    assert len(outputs) == 1
    left = {p.name for p in (folder / "tmp").rglob("*") if p.is_file()}
    assert all(name == "out" or name.endswith(".json") for name in left)


def runs(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


HANGING = "echo half > $out; (trap '' TERM; echo $$ >> log; sleep 300) & wait; sleep 300"


@pytest.mark.parametrize(
    ("number", "whom", "status"),
    [
        (signal.SIGINT, "both", 130),
        (signal.SIGTERM, "both", 143),
        (signal.SIGINT, "parent", 130),
        (signal.SIGTERM, "parent", 143),
        (signal.SIGHUP, "parent", 129),
        (signal.SIGQUIT, "parent", 131),
        (signal.SIGQUIT, "child", 131),
        (signal.SIGKILL, "parent", -9),
        (signal.SIGKILL, "child", 137),
    ],
)
def test_a_compiler_that_hangs_ends_with_the_link(
    folder: Path, number: signal.Signals, whom: str, status: int
) -> None:
    """Whoever gets the signal; of the two that a link consists of, one may be killed."""
    cc = compiler(folder, HANGING)
    running = start(folder, "-w", "-extld", cc, program=PLUGIN, variables=places(folder))
    log = folder / "log"
    running.until(lambda: log.exists() and len(log.read_text().splitlines()) == 2)
    child = running.child
    if whom != "child":
        os.kill(running.pid, number)
    if whom != "parent":
        os.kill(child, number)
    done = running.ended()
    assert done.status == status
    running.wait_for(lambda: not runs(child))
    running.wait_for(lambda: not any(map(runs, map(int, log.read_text().split()))))
    assert clean(folder)
    if number != signal.SIGKILL:
        said = "interrupted" if number == signal.SIGINT else "terminated"
        assert done.err.startswith(f"linkpipe: {said} while the pass hostlink was running, for ")
    elif whom == "child":
        assert done.err.startswith("linkpipe: pass hostlink: the process was ended by signal 9")
    assert len(done.err.splitlines()) <= 2


def impatient() -> None:
    hosttools.PATIENCE = 2


def test_a_compiler_that_answers_no_question(folder: Path) -> None:
    """Is named, and ends with the link."""
    cc = compiler(folder, "")
    Path(cc).write_text("#!/bin/sh\necho $$ >> log\nsleep 300\n")
    done = link(
        folder,
        "-w",
        "-extld",
        cc,
        program=PLUGIN,
        variables=places(folder),
        conditions=impatient,
    )
    assert done.status == 2
    assert f"running {cc} failed: no answer in 2 seconds, asked whether it knows -" in done.err
    assert not any(map(runs, map(int, (folder / "log").read_text().split())))
    (folder / "log").unlink()
    assert clean(folder)


def test_a_compiler_may_link_for_longer_than_it_may_answer(folder: Path) -> None:
    cc = compiler(folder, "sleep 4; echo made > $out")
    how = {"variables": places(folder), "conditions": impatient}
    assert link(folder, "-w", "-extld", cc, program=PLUGIN, **how).status == 0
    assert clean(folder, output="made\n")


def test_the_next_link_removes_what_a_dead_one_left(folder: Path) -> None:
    """When both processes were killed. The old output, which was set aside, comes back."""
    hanging = compiler(folder, "sleep 300")
    running = start(folder, "-w", "-extld", hanging, program=PLUGIN, variables=places(folder))
    log = folder / "log"
    running.until(lambda: log.exists() and log.read_text())
    child = running.child
    os.kill(running.pid, signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    os.kill(running.pid, signal.SIGKILL)
    assert running.ended().status == -signal.SIGKILL
    os.killpg(int(log.read_text()), signal.SIGKILL)
    running.wait_for(lambda: not runs(child))
    left = files(folder)
    assert len(left) == 1
    assert all(name.startswith(".out.linkpipe-") for name in left)
    assert list((folder / "tmp").iterdir())
    done = linked(folder, compiler(folder, "exit 1"))
    assert done.status == 2
    assert clean(folder)
