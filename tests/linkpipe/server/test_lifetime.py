"""When a server is started and ends, and what it holds meanwhile."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from linkpipe.cli import server
from linkpipe.formats.goobj import MAGIC
from linkpipe.server.stamps import Stamps
from tests.conformance.programs import TINY, inputs
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.server.conftest import Room, observer, until

MOST = 300 << 20
"""Bytes that an idle server may hold."""

ROOT = str(Path(__file__).parents[3])
LINKPIPE = [sys.executable, "-P", "-m", "linkpipe"]


def python(room: Room, code: str) -> str:
    done = room.by_hand([sys.executable, "-P", "-c", code])
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(room: Room) -> dict[str, Any]:
    """What the only server says of itself."""
    told = checked(room.by_hand([*LINKPIPE, "server", "status", "--format=json"]).stdout)
    (one,) = told["servers"]
    return dict(one)


def test_it_holds_nothing_of_who_started_it(room: Room) -> None:
    """Else `go build`, which waits until nobody can write to its pipe, would not end."""
    read, write = os.pipe()
    room.link("-V", more={"pass_fds": (write,)})
    os.close(write)
    process = room.ready()
    assert os.read(read, 1) == b""
    os.close(read)
    proc = Path(f"/proc/{process}")
    assert os.getsid(process) == process
    assert (proc / "cwd").readlink() == Path("/")
    files = {os.readlink(file) for file in (proc / "fd").iterdir()}
    ours = {path for path in files if path.startswith(str(room.runtime))}
    rest = {path.partition(":")[0] for path in files - ours}
    assert rest <= {"/dev/null", "socket", "anon_inode"}
    assert len(list((proc / "task").iterdir())) == 1  # a process that forks has one thread


def test_what_it_holds_is_bounded(shared: Room) -> None:
    (process,) = shared.processes()

    def resident() -> int:
        text = Path(f"/proc/{process}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) << 10

    shared.served()
    before, files = resident(), len(list(Path(f"/proc/{process}/fd").iterdir()))
    for _ in range(5):
        shared.served()
    assert resident() < MOST
    assert resident() < before + (1 << 20)
    until(lambda: len(list(Path(f"/proc/{process}/fd").iterdir())) <= files)


def test_it_ends_when_nobody_asks(room: Room) -> None:
    room.variables["LINKPIPE_SERVER_IDLE"] = "0.02"
    room.serve()
    until(lambda: not room.processes())
    assert not list(room.files.glob("*.socket"))
    room.link()
    assert room.told().endswith("it is started")


def test_it_does_not_end_while_it_links(room: Room) -> None:
    source = (
        "import os, time\nfrom linkpipe.engine.runner import Observer\n\n"
        "class Own(Observer):\n    def on_end(self, link):\n"
        "        time.sleep(float(os.environ.get('FOR', '0')))\n"
    )
    room.variables.update(observer(room, source), LINKPIPE_SERVER_IDLE="0.05")
    for _ in range(10):
        room.link("-V")
        room.ready()
        assert room.link(FOR="4") == (0, "", "")
        if room.told().startswith("by the server"):
            return
    raise AssertionError(room.told())


def test_it_ends_when_something_is_installed(room: Room) -> None:
    """And the link that finds it out is done by what is installed now."""
    room.variables.update(observer(room, "from linkpipe.engine.runner import Observer as Own\n"))
    first = room.serve()
    room.served()
    assert status(room)["why_not"] == ""
    info = room.folder / "installed" / "other-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.observers]\nother = own_watch:Own\n")
    assert status(room)["why_not"].endswith("installed has changed")
    assert status(room)["process"] == first  # to look how it is ends none
    assert room.link("-observe=other") == (0, "", "")
    assert room.told().endswith("installed has changed")
    until(lambda: room.processes() == [])
    room.link()
    assert room.ready() != first
    assert room.served("-observe=other") == (0, "", "")


def test_a_file_in_anothers_place_is_another(tmp_path: Path) -> None:
    """Also when name, size and time of modification are the same."""
    module, other = tmp_path / "module.py", tmp_path / "other"
    module.write_text("a = 1\n")
    stamps = Stamps.take([str(tmp_path)])
    assert stamps.changed() == ""
    before = module.stat()
    other.write_text("a = 2\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(module)
    assert stamps.changed() in (str(module), str(tmp_path))
    stamps = Stamps.take([str(tmp_path)])
    module.write_text("a = 3\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert stamps.changed() == str(module)


def test_what_changes_while_a_server_starts_counts_as_changed(tmp_path: Path) -> None:
    """It may have imported either."""
    (tmp_path / "module.py").write_text("")
    stamps = Stamps.take([str(tmp_path)])
    assert stamps.later_than(time.time() - 5) == str(tmp_path / "module.py")
    assert not stamps.later_than(time.time() + 5)


def test_a_new_folder_is_seen(tmp_path: Path) -> None:
    stamps = Stamps.take([str(tmp_path)])
    (tmp_path / "__pycache__").mkdir()
    assert stamps.changed() == ""
    (tmp_path / "new").mkdir()
    assert stamps.changed() == str(tmp_path)


def test_an_archive_in_anothers_place(room: Room) -> None:
    """Nothing of an archive is kept: its successor is linked, under the same name, size, time."""
    room.serve()
    content = Path(inputs(TINY).main).read_bytes()
    main = room.folder / "main.a"
    main.write_bytes(content)
    before = main.stat()
    assert room.served(main=str(main)) == (0, "", "")
    old = (room.folder / "out").read_bytes()
    other = room.folder / "other.a"
    place = content.index(MAGIC) + 1
    other.write_bytes(content[:place] + b"x" + content[place + 1 :])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(main)
    served = room.link(main=str(main))
    assert served == room.link(main=str(main), LINKPIPE_SERVER="")
    assert served[0]
    assert (room.folder / "out").read_bytes() == old


def test_the_client_is_light() -> None:
    """What it imports is waited for in each link."""
    code = (
        f"import os, sys; sys.path.insert(0, {ROOT!r}); before = set(sys.modules); "
        "from linkpipe.server import client; from linkpipe.process import ledger, streams; "
        "print(sorted(set(sys.modules) - before))"
    )
    told = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True)
    ours = ["", ".process", ".process.ledger", ".process.streams", ".server", ".server.client"]
    ours += [".server.handover", ".server.place"]
    python = ["__future__", "_signal", "_socket", "mmap", "resource", "zlib"]
    built_in = {"_signal", "marshal", "time"}
    found = set(ast.literal_eval(told)) - built_in
    assert found <= {f"linkpipe{name}" for name in ours} | set(python)


def test_a_link_imports_nothing_more(shared: Room) -> None:
    """Neither of a program, nor of a plugin's object for the C compiler."""
    given = inputs(TINY)
    argv = [*given.flags, "-o", "more", str(given.main)]
    told = python(
        shared,
        "import sys; from linkpipe.cli._serve import ready\n"
        "from linkpipe.engine.entrypoints import scan; ready(scan()); before = set(sys.modules)\n"
        "from linkpipe.cli import link\n"
        f"assert link.main({argv!r}) == 0\n"
        f"link.main(['-linkmode=external', *{argv!r}])\n"
        "print(sorted(set(sys.modules) - before))",
    )
    assert told.splitlines()[-1] == "[]"


def test_status_and_stop(room: Room) -> None:
    asked = [*LINKPIPE, "server"]
    done = room.by_hand([*asked, "status"])
    assert (done.returncode, done.stdout) == (1, "there is no server\n")
    process = room.serve()
    until(lambda: status(room)["running"] == 0)  # whom ready() asked may not have ended yet
    one = status(room)
    assert (one["process"], one["answers"]) == (process, True)
    titles, row = room.by_hand([*asked, "status"]).stdout.splitlines()
    assert titles.split()[:3] == ["process", "asked", "running"]
    assert row.split()[0] == str(process)
    os.kill(process, 19)
    done = room.by_hand([*asked, "status"])
    assert "it does not answer" in done.stdout
    done = room.by_hand([*asked, "stop"])
    assert (done.returncode, done.stdout) == (0, f"stopped: {process}\n")
    assert room.processes() == []
    done = room.by_hand([*asked, "stop"])
    assert (done.returncode, done.stdout) == (1, "there is no server\n")


def test_one_that_starts_is_a_server(room: Room) -> None:
    """It can be stopped, before it answers."""
    room.link("-V")
    (process,) = room.processes()
    done = room.by_hand([*LINKPIPE, "server", "stop"])
    assert (done.returncode, done.stdout) == (0, f"stopped: {process}\n")


HOLDS = """
import fcntl, os, signal, sys
from linkpipe.server import place

lock = open(sys.argv[1], "wb", buffering=0)
fcntl.flock(lock, fcntl.LOCK_EX)
if sys.argv[2:]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock.write(place.written(os.getpid()))
signal.pause()
"""


def test_stop_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Past a file that is no lock, and past a server that does not end."""
    room.files.mkdir(mode=0o700)
    (room.files / "0.lock").symlink_to("none")
    hold = [sys.executable, "-P", "-c", HOLDS]
    with (
        subprocess.Popen([*hold, room.files / "1.lock", "stay"]) as stays,
        subprocess.Popen([*hold, room.files / "2.lock"]) as goes,
    ):
        try:
            until(lambda: room_holders(room) == {stays.pid, goes.pid})
            monkeypatch.setattr(server, "_GOES", 0.5)
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(room.runtime))
            assert server.main(["stop"]) == 2
            said = capsys.readouterr()
            assert said.out == f"stopped: {goes.pid}\n"
            assert said.err == f"the server, process {stays.pid}, does not end\n"
        finally:
            stays.kill()
            goes.kill()
    (room.files / "0.lock").unlink()


def room_holders(room: Room) -> set[int]:
    """The processes that hold the locks."""
    found = (room.files / f"{number}.lock" for number in (1, 2))
    told = [path.read_text().partition(" ")[0] for path in found if path.exists()]
    return {int(process) for process in told if process}


def test_go_build_ends(room: Room) -> None:
    """With a server that is started in it, and with one that links."""
    program = room.folder / "program"
    program.mkdir()
    (program / "go.mod").write_text("module started.test\n\ngo 1.24\n")
    from tests.conformance.toolchain import goroot

    stub = Path(sys.executable).with_name("linkpipe-toolexec")
    command = [str(goroot() / "bin" / "go"), "build", f"-toolexec={stub}", "-o", "program"]
    for number in range(20):  # on a machine under load it may not have answered in time
        (program / "main.go").write_text(f"package main\n\nfunc main() {{ println({number}) }}\n")
        env = room.environment(LINKPIPE_TIMING=str(room.folder / "timing"), GOFLAGS="")
        done = subprocess.run(
            command, cwd=program, env=env, capture_output=True, text=True, check=False, timeout=300
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        ran = subprocess.run([program / "program"], capture_output=True, text=True, check=True)
        assert ran.stderr == f"{number}\n"
        if room.told().startswith("by the server"):
            break
        room.ready()
    assert room.told().startswith("by the server")
