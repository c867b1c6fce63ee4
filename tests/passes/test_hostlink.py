"""hostlink: the arguments that the C compiler gets, what it is asked before, and its failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.runner import run_plan
from linkpipe.errors import HostLinkError, PassError, UserError
from linkpipe.flags.options import Options
from linkpipe.formats import elf
from linkpipe.formats.arena import MappedFiles
from linkpipe.hostlinker.hosttools import BUILD_ID, EXPORT, NO_PIE, UNUSED, Prober, _relevant
from linkpipe.passes.hostlink import hostlink
from linkpipe.passes.hostprobe import hostprobe
from linkpipe.tables.cgo import CgoFacts
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import HostObject
from linkpipe.tables.symbols import Flag
from linkpipe.testing.links import release
from tests.conformance.toolchain import ROOT
from tests.linkpipe.hostlinker.test_reloc_sums import PAIR, signed
from tests.linkpipe.synthetic import plan_of, steps
from tests.tiny import EXTERNAL, PLUGIN, Tiny

# As small as an object can be: nothing but its header.
GO_O = elf.FileHeader(elf.CLASS64, "<", elf.FileType.REL, 62, 0, 0, 0, 0, 0, 0, 0).to_bytes()

# Says which linkers it has, logs its arguments, refuses what REFUSED lists, and writes "linked" to
# the -o file.
COMPILER = """#!/bin/sh
case "$*" in
    "-fuse-ld=gold -Wl,--version") echo "$GOLD"; exit 0;;
    -Wl,--version) echo "$LD"; exit 0;;
esac
printf '%s\\n' "$*" >> "$LOG"
for word in $REFUSED; do
    case " $* " in *" $word "*) echo "unrecognized option $word" >&2; exit 1;; esac
done
out=
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
[ "$SAYS" = nothing ] && exit 0
if [ -n "$WRITES" ]; then cp "$WRITES" "$out"; else echo linked > "$out"; fi
echo "$SAYS" | sed "s,OUT,$out,"
exit ${STATUS:-0}
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A C compiler that obeys the environment; answers about it are not remembered."""
    path = tmp_path / "cc"
    path.write_text(COMPILER)
    path.chmod(0o755)
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("REFUSED", "-Qunused-arguments")
    monkeypatch.setenv("SAYS", "")
    monkeypatch.setenv("LINKPIPE_PROBE_CACHE", "off")
    return path


def host_link(
    tmp_path: Path,
    compiler: Path,
    *,
    mode: Mode,
    ldflags: tuple[str, ...] = (),
    host: tuple[bytes, ...] = (),
    exports: tuple[str, ...] = (),
    arch: Architecture = ARCH,
    **flags: Any,
) -> Link:
    tiny = Tiny(mode, **flags)
    for name in exports:
        tiny.symbol(name)
    link = tiny.link()
    edit = link.symbols.edit()
    for name in exports:
        edit.add_flags(edit.lookup(name), Flag.CGO_EXPORT_DYNAMIC)
    content = tmp_path / "archive"
    content.write_bytes(b"".join(host) or b"\0")
    mapped = MappedFiles([content.stat().st_size])
    mapped.map(0, str(content))
    ends = np.cumsum([len(h) for h in host]).tolist()
    objects: Any = SimpleNamespace(arena=mapped.arena)
    packages: Any = SimpleNamespace(
        host_objects=tuple(
            HostObject("p", "x.o", "x.a", end - len(h), len(h), "elf")
            for h, end in zip(host, ends, strict=True)
        )
    )
    options = Options(
        **{
            "E": "_rt0",
            "buildmode": "exe",
            "w": True,
            "o": str(tmp_path / "out"),
            "extld": (str(compiler),),
            **flags,
        }
    )
    cgo = CgoFacts(ldflags=ldflags, libraries=(), imports={}, interpreter="", dynamic=False)
    link = Link(
        {
            "options": options,
            "arch": arch,
            "release": release(),
            "external_relocs": PAIR,
            "mode": mode,
            "symbols": edit.freeze(),
            "objects": objects,
            "packages": packages,
            "cgo": cgo,
            "image": np.frombuffer(GO_O, np.uint8),
        }
    )
    return hostlink.run(hostprobe.run(link))


def arguments(link: Link, tmp_path: Path) -> str:
    """The argument list after the compiler, with the temporary folder named T."""
    folder = os.path.dirname(link.hostlink.objects[0])
    return " ".join(link.hostlink.command[1:]).replace(folder, "T").replace(str(tmp_path), "D")


def test_a_plugin(tmp_path: Path, compiler: Path) -> None:
    link = host_link(
        tmp_path,
        compiler,
        mode=PLUGIN,
        buildmode="plugin",
        ldflags=("-O2", "-lpthread"),
        host=(b"first", b"second"),
        tmpdir=str(tmp_path),
    )
    assert arguments(link, tmp_path) == (
        "-m64 -Wl,-S -Wl,-z,relro -shared -Wl,-z,now -Wl,-z,nocopyreloc -o T/out -rdynamic "
        "-Wl,--compress-debug-sections=zlib T/go.o T/000000.o T/000001.o -O2 -lpthread"
    )
    assert (tmp_path / "out").read_text() == "linked\n"
    assert (tmp_path / "go.o").read_bytes() == GO_O
    assert (tmp_path / "000001.o").read_bytes() == b"second"
    assert (tmp_path / "go.o").stat().st_mtime == 0


@pytest.mark.parametrize(
    ("buildmode", "expected"),
    [
        ("pie", "-Wl,-z,relro -pie -o D/out -Qunused-arguments T/go.o"),
        (
            "c-shared",
            (
                "-Wl,-z,relro -shared -Wl,-z,nodelete -Wl,-Bsymbolic -o D/out -rdynamic "
                "-Qunused-arguments T/go.o"
            ),
        ),
    ],
)
def test_what_may_lie_anywhere(
    tmp_path: Path,
    compiler: Path,
    monkeypatch: pytest.MonkeyPatch,
    buildmode: str,
    expected: str,
) -> None:
    """Nothing is asked of which the answer is not needed."""
    monkeypatch.setenv("REFUSED", "")
    flags: dict[str, Any] = {"buildmode": buildmode, "w": False, "compressdwarf": False}
    link = host_link(tmp_path, compiler, mode=attrs.evolve(EXTERNAL, pic=True), **flags)
    assert arguments(link, tmp_path) == f"-m64 {expected}"
    asked = {flag for flag, _ in link.hostlink.answers}
    assert asked == {BUILD_ID, UNUSED} | ({EXPORT} if buildmode == "pie" else set())
    log = (tmp_path / "log").read_text()
    assert NO_PIE[0] not in log
    assert (EXPORT in log) == (buildmode == "pie")


@pytest.mark.parametrize(
    ("flags", "refused", "expected"),
    [
        ({"s": True}, "", "-m64 -s -o D/out -Qunused-arguments -Wl,--compress"),
        ({"B": "0xab"}, "", "-Wl,--build-id=0xab -o"),
        ({"B": "none"}, "", "-Wl,--build-id=none -o"),
        ({"B": "0xab"}, BUILD_ID, "-m64 -Wl,-S -o"),
        ({}, EXPORT, "-o D/out -rdynamic"),
        ({"r": "/lib:/x", "I": "/ld.so"}, "", "-Wl,-rpath,/lib:/x -Wl,--dynamic-linker,/ld.so"),
        ({"compressdwarf": False}, "", "-Qunused-arguments T/go.o"),
        ({"extldflags": ("-lm",)}, "", "T/go.o -no-pie -lm"),
        ({}, NO_PIE[0], "T/go.o -nopie"),
        ({"bindnow": True}, "", "-Wl,-S -Wl,-z,now -o"),
        ({"extldflags": ("-static",)}, EXPORT, "-o D/out -static"),
    ],
)
def test_what_decides_the_arguments(
    tmp_path: Path,
    compiler: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: dict[str, Any],
    refused: str,
    expected: str,
) -> None:
    monkeypatch.setenv("REFUSED", refused)
    link = host_link(tmp_path, compiler, mode=EXTERNAL, **flags)
    assert expected in arguments(link, tmp_path)


@pytest.mark.parametrize(
    ("says", "takes_gold"),
    [
        ("GNU ld (GNU Binutils for Debian) 2.35.2", True),
        ("collect2 version 10\nGNU ld (GNU Binutils) 2.9", True),
        ("GNU ld (GNU Binutils) 2.36", False),
        ("GNU ld version 3.1-23", False),
        ("GNU gold (GNU Binutils 2.35.2) 1.16", False),
        ("GNU ld of my own", False),
        ("", False),
    ],
)
def test_a_linker_that_is_too_old_gives_way_to_gold(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch, says: str, takes_gold: bool
) -> None:
    """Where the architecture asks for a newer one, and other modules may be loaded."""
    monkeypatch.setenv("LD", says)
    monkeypatch.setenv("GOLD", "GNU gold (GNU Binutils 2.35.2) 1.16")
    asking = attrs.evolve(ARCH, oldest_ld=(2, 36))
    for arch, mode, expected in (
        (asking, PLUGIN, takes_gold),
        (ARCH, PLUGIN, False),
        (asking, EXTERNAL, False),
    ):
        link = host_link(tmp_path, compiler, mode=mode, arch=arch)
        assert ("-Wl,-z,nocopyreloc -fuse-ld=gold" in arguments(link, tmp_path)) is expected
        assert ("-fuse-ld" in arguments(link, tmp_path)) is expected


def test_no_linker_that_is_new_enough(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The C compiler takes GNU ld where there is no gold, and does not say so."""
    monkeypatch.setenv("LD", "GNU ld (GNU Binutils for Debian) 2.35.2")
    monkeypatch.setenv("GOLD", "GNU ld (GNU Binutils for Debian) 2.35.2")
    arch = attrs.evolve(ARCH, oldest_ld=(2, 36))
    with pytest.raises(HostLinkError, match=r"must be ld>=2\.36 or gold"):
        host_link(tmp_path, compiler, mode=PLUGIN, arch=arch)


def test_exports_to_c_are_named_one_by_one(tmp_path: Path, compiler: Path) -> None:
    link = host_link(tmp_path, compiler, mode=EXTERNAL, exports=("zeta", "alpha"))
    flag = "-Wl,--export-dynamic-symbol="
    assert f"{flag}alpha {flag}zeta" in arguments(link, tmp_path)


def test_a_failing_compiler_says_why_and_the_old_output_stays(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS", "3")
    monkeypatch.setenv("SAYS", "cannot find -lmissing")
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(HostLinkError) as error:
        host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin")
    first, second, third = str(error.value).splitlines()[:3]
    assert first == f"running {compiler} failed: exit status 3"
    assert second.startswith(f"{compiler} -m64 -Wl,-S -Wl,-z,relro -shared")
    assert third == "cannot find -lmissing"
    assert error.value.exit_status == 2
    assert (tmp_path / "out").read_bytes() == b"old"
    assert not list(tmp_path.glob(".out*"))


def test_a_failing_compiler_leaves_nothing_where_nothing_was(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS", "3")
    with pytest.raises(HostLinkError):
        host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


# Writes half of an output; a child of it will do so once more, unless it is ended, too.
SLOW = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
case "$out" in */out) ;; *) exit 0;; esac
rm -f "$out"
echo half > "$out"
(trap '' TERM; sleep 1; echo late > "$out") &
echo started > "$LOG"
sleep 60
"""

INTERRUPTED = """
import signal
import sys
from pathlib import Path
from linkpipe.process.run import process
from tests.passes.test_hostlink import PLUGIN, host_link

# Whoever runs the tests may have these ignored (nohup, a job in the background).
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

def command():
    try:
        host_link(Path(sys.argv[1]), Path(sys.argv[2]), mode=PLUGIN, buildmode="plugin")
    except KeyboardInterrupt:
        return 130

process(command)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_an_interrupted_link_brings_the_old_output_back(
    tmp_path: Path, compiler: Path, number: signal.Signals
) -> None:
    """And ends what the compiler has started, which would write to it later."""
    compiler.write_text(SLOW)
    out, log = tmp_path / "out", tmp_path / "log"
    out.write_text("old")
    out.chmod(0o751)
    argv = [sys.executable, "-c", INTERRUPTED, str(tmp_path), str(compiler)]
    with subprocess.Popen(argv, cwd=ROOT) as process:
        until = time.monotonic() + 50
        while not (log.exists() and log.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    assert out.read_text() == "old"
    assert out.stat().st_mode & 0o777 == 0o751
    time.sleep(1.2)
    assert out.read_text() == "old"
    assert not list(tmp_path.glob(".out*"))


def test_a_linker_that_does_not_add_up_is_refused_where_that_is_needed(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it succeeds: the old output stays."""
    monkeypatch.setenv("WRITES", signed(tmp_path / "made", b"Linker: LLD 1.0\0", ARCH))
    (tmp_path / "out").write_text("old")
    adds = attrs.evolve(ARCH, sums=True)
    with pytest.raises(HostLinkError, match=r"LLD 1\.0, keeps one of two"):
        host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin", arch=adds)
    assert (tmp_path / "out").read_text() == "old"
    host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin")
    assert (tmp_path / "out").read_bytes().startswith(b"\x7fELF")


def test_a_compiler_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HostLinkError, match=r'running nocc failed: exec: "nocc": .* not found'):
        host_link(tmp_path, Path("nocc"), mode=PLUGIN, buildmode="plugin")
    with pytest.raises(HostLinkError, match="failed: fork/exec /no/cc: no such file or directory"):
        host_link(tmp_path, Path("/no/cc"), mode=PLUGIN, buildmode="plugin")
    file = tmp_path / "not-executable"
    file.write_text("#!/bin/sh\n")
    with pytest.raises(HostLinkError, match=f"failed: fork/exec {file}: permission denied"):
        host_link(tmp_path, file, mode=PLUGIN, buildmode="plugin")


def test_the_output_is_named_as_the_user_names_it(
    tmp_path: Path,
    compiler: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SAYS", "warning: OUT is odd")
    monkeypatch.chdir(tmp_path)
    out = "./out"  # some linkers write it into the file
    flags: dict[str, Any] = {"buildmode": "plugin", "o": out}
    host_link(tmp_path, compiler, mode=PLUGIN, v=1, tmpdir=str(tmp_path), **flags)
    assert f" -o {out} " in (tmp_path / "log").read_text().splitlines()[-1]
    first, second = capfd.readouterr().out.splitlines()
    assert first.startswith(f'host link: "{compiler}" "-m64" "-Wl,-S"')
    assert f' "-o" "{out}" "-rdynamic" ' in first
    assert second == f"warning: {out} is odd"
    monkeypatch.setenv("STATUS", "1")
    with pytest.raises(HostLinkError) as error:
        host_link(tmp_path, compiler, mode=PLUGIN, **flags)
    assert f" -o {out} -rdynamic" in str(error.value)
    assert f"\nwarning: {out} is odd" in str(error.value)


def test_c_objects_are_named_on_demand(
    tmp_path: Path, compiler: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    host_link(
        tmp_path,
        compiler,
        mode=PLUGIN,
        buildmode="plugin",
        host=(b"first",),
        tmpdir=str(tmp_path),
        v=1,
    )
    line = f"host obj copy: x.o from pkg p -> {tmp_path}/000000.o"
    assert capfd.readouterr().out.splitlines()[0] == line


def test_a_compiler_that_writes_nothing_leaves_nothing(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With flags such as -### that is no failure; an old output would be mistaken for a new one."""
    monkeypatch.setenv("SAYS", "nothing")
    (tmp_path / "out").write_bytes(b"old")
    host_link(tmp_path, compiler, mode=EXTERNAL)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_an_output_without_a_place_for_the_checksum_is_left_alone(
    tmp_path: Path, compiler: Path
) -> None:
    host_link(tmp_path, compiler, mode=EXTERNAL)
    assert (tmp_path / "out").read_text() == "linked\n"
    host_link(tmp_path, compiler, mode=EXTERNAL, o="/dev/null")


def test_a_temporary_folder_that_is_not_there(tmp_path: Path, compiler: Path) -> None:
    missing = tmp_path / "none"
    with pytest.raises(UserError) as error:
        host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin", tmpdir=str(missing))
    assert str(error.value) == (
        f"cannot create {missing}/go.o: open {missing}/go.o: no such file or directory"
    )


def test_warnings_of_a_link_that_works_are_shown(
    tmp_path: Path,
    compiler: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SAYS", "ld: warning: something")
    host_link(tmp_path, compiler, mode=PLUGIN, buildmode="plugin")
    assert capfd.readouterr().out == "ld: warning: something\n"


def test_long_argument_lists_go_into_a_file(tmp_path: Path, compiler: Path) -> None:
    long = tuple(f"-l{'x' * 100}{i}" for i in range(400))
    host_link(
        tmp_path,
        compiler,
        mode=PLUGIN,
        buildmode="plugin",
        ldflags=long,
        tmpdir=str(tmp_path),
    )
    assert (tmp_path / "log").read_text().splitlines()[-1] == f"@{tmp_path}/response"
    assert f'"{long[-1]}"' in (tmp_path / "response").read_text()


@pytest.fixture
def cache(tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Answers are remembered here; the compiler passes for a program, scripts are always asked."""
    monkeypatch.delenv("LINKPIPE_PROBE_CACHE")
    for name in ("COMPILER_PATH", "GCC_EXEC_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("linkpipe.hostlinker.probecache.is_program", lambda path: True)
    return tmp_path / "cache" / "linkpipe" / "probes"


def ask(compiler: Path, *flags: str, base: tuple[str, ...] = ("-m64",)) -> tuple[list[bool], int]:
    """Ask a new prober; the answers, and how often the compiler was run for them."""
    log = compiler.parent / "log"
    log.write_text("")
    prober = Prober([str(compiler)], base)
    prober.start(flags)
    answers = [prober.supports(flag) for flag in flags]
    prober.close()
    return answers, len(log.read_text().splitlines())


def test_answers_are_remembered_for_this_very_compiler(compiler: Path, cache: Path) -> None:
    assert ask(compiler, BUILD_ID, UNUSED) == ([True, False], 2)
    assert ask(compiler, BUILD_ID, UNUSED) == ([True, False], 0)
    (answers,) = cache.iterdir()
    assert json.loads(answers.read_text()) == {BUILD_ID: True, UNUSED: False}
    assert ask(compiler, BUILD_ID, EXPORT) == ([True, True], 1), "one answer is known"
    answers.write_text("{not json")
    assert ask(compiler, BUILD_ID)[1] == 1, "a damaged cache has to be asked anew"
    assert ask(compiler, BUILD_ID, base=("-m32",))[1] == 1, "other flags, other answers"
    compiler.write_text(COMPILER + "\n")
    assert ask(compiler, BUILD_ID)[1] == 1, "another compiler under the same name was not asked"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("1", "cannot write: no space left on device"),
        ("1", "unknown error"),
        ("1", "unrecognized option --else"),
        ("$(kill -KILL $$)", "unrecognized option --build-id"),
    ],
)
def test_a_failure_that_is_no_answer_is_not_remembered(
    compiler: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, status: str, says: str
) -> None:
    """Or one full disk would take the build id out of all later links."""
    working = compiler.read_text()

    def become(text: str) -> None:
        """Be another compiler that looks the same: size, time and inode."""
        compiler.write_text(text.ljust(2000))
        os.utime(compiler, (1, 1))

    become(working.replace("${STATUS:-0}", status))
    monkeypatch.setenv("SAYS", says)
    assert ask(compiler, BUILD_ID) == ([False], 1)
    monkeypatch.setenv("SAYS", "")
    become(working)
    assert ask(compiler, BUILD_ID) == ([True], 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("LINKPIPE_PROBE_CACHE", "off"), ("COMPILER_PATH", "/x"), ("XDG_CACHE_HOME", "relative")],
)
def test_where_nothing_is_remembered(
    compiler: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert ask(compiler, BUILD_ID) == ([True], 1)
    assert ask(compiler, BUILD_ID) == ([True], 1)


def test_scripts_and_flags_that_lead_elsewhere_are_always_asked(
    compiler: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(compiler, BUILD_ID, base=("-B/x",)) == ask(compiler, BUILD_ID, base=("-B/x",))
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent.parent))
    monkeypatch.setenv("LOG", str(compiler.parent / "log"))
    assert ask(compiler, BUILD_ID)[1] == ask(compiler, BUILD_ID)[1] == 1
    assert not cache.exists()


def test_answers_about_files_of_this_link_are_not_remembered(compiler: Path, cache: Path) -> None:
    assert ask(compiler, f"@{compiler.parent}/response") == ([True], 1)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_none(compiler: Path, cache: Path) -> None:
    cache.parent.parent.write_text("no folder")
    assert ask(compiler, BUILD_ID) == ([True], 1)


def test_an_unfinished_link_leaves_no_probes_behind(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link fails between asking and picking the answers up."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temp").mkdir()
    compiler.write_text("#!/bin/sh\necho $$ > $LOG\nexec sleep 60\n")
    prober = Prober([str(compiler)], [])

    def ask(link: Link) -> Link:
        prober.start(["-a"])
        while not (tmp_path / "log").exists():
            time.sleep(0.01)
        return link.evolve(compiler_flags=link.start(prober))

    def fail(link: Link) -> Link:
        raise ValueError("on purpose")

    first = Pass("ask", ask, (), ["compiler_flags"])
    plan = plan_of(tmp_path, steps("ask", "fail"), first, Pass("fail", fail))
    with pytest.raises(PassError, match="on purpose"):
        run_plan(plan, Link({}))
    assert not list((tmp_path / "temp").iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "log").read_text()), 0)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["-lm", "x.o", "-O2"], []),
        (["-L", "/lib", "-L/usr"], ["-L", "/lib", "-L/usr"]),
        (["-l", "m", "-fuse-ld=lld"], ["-fuse-ld=lld"]),
        (["-Wl,-rpath", "-Wl,/x", "-Wl,-z,now"], ["-Wl,-z,now"]),
        (["-target"], ["-target"]),
    ],
)
def test_which_flags_matter_for_a_question(given: list[str], kept: list[str]) -> None:
    assert _relevant(given, release()) == kept


@pytest.mark.parametrize("gold", ["GNU gold (GNU Binutils 2.35.2) 1.16", "GNU ld 2.40"])
def test_gold_and_no_other_where_the_release_knows_no_other(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch, gold: str
) -> None:
    monkeypatch.setenv("LD", "GNU ld (GNU Binutils for Debian) 2.44")
    monkeypatch.setenv("GOLD", gold)
    arch = attrs.evolve(ARCH, needs_gold=True, oldest_ld=(2, 36))
    if "gold" in gold:
        link = host_link(tmp_path, compiler, mode=PLUGIN, arch=arch)
        assert "-Wl,-z,nocopyreloc -fuse-ld=gold" in arguments(link, tmp_path)
        return
    with pytest.raises(HostLinkError, match=r"must be gold \(issue #15696, 22040\), but is not"):
        host_link(tmp_path, compiler, mode=PLUGIN, arch=arch)
