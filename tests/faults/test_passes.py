"""Passes and observers that misbehave: they are named, and no output is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.links import OLD, Ended, files, install, link, observer


def untouched(folder: Path) -> bool:
    """Whether the old output is as it was, and nothing is left beside it."""
    return files(folder) == {"out"} and (folder / "out").read_text() == OLD


def refused(done: Ended, who: str, message: str) -> bool:
    """Whether a link failed with one paragraph that names who it was, and says what."""
    lines = done.err.splitlines()
    first, *more = (line for line in lines if not line.startswith("linkpipe: warning: "))
    return (
        first.startswith(f"linkpipe: {who}")
        and message in first
        and 1 <= len(more) <= 4  # with the line that does the link again
        and all(line.startswith("\t") for line in more)
    )


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("sys.exit(0)", 2, "crashed with SystemExit: 0"),
        ("raise GeneratorExit", 2, "crashed with GeneratorExit: "),
        ("raise type('Farewell', (BaseException,), {})", 2, "crashed with Farewell: "),
        ("os._exit(0)", 2, "the process was ended with status 0, and left no result"),
        ("os._exit(7)", 2, "the process was ended with status 7, and left no result"),
        ("os.execv('/bin/true', ['true'])", 2, "was ended with status 0, and left no result"),
        ("os.chdir('/')", 2, "moved the working directory to /"),
        ("os.close(1)", 2, "closed the file of stdout"),
        ("os.close(2)", 2, "closed the file of stderr"),
        ("sys.stdout.close()", 2, "closed sys.stdout"),
        ("sys.stderr.close()", 2, "closed sys.stderr"),
        ("os.umask(0o77)", 2, "changed the umask to 077"),
        ("os.environ['HOME'] = '/'", 2, "changed environment variables: HOME"),
        ("os.environ.clear()", 2, "changed environment variables: "),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 2, "changed the handler of SIGTERM"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "was ended by signal 9 (killed)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "by signal 11 (segmentation fault)"),
    ],
)
def test_a_pass_that_ends_the_link_or_disturbs_it(
    folder: Path, body: str, status: int, message: str
) -> None:
    body += "\nreturn link.evolve(output=link.options.o)"
    done = link(folder, "-pipeline", install(folder, body, provides=("output",)), program=None)
    assert done.status == status
    assert refused(done, "pass own: ", message), done.err
    assert untouched(folder)


IMAGE = ("image",)


@pytest.mark.parametrize(
    ("before", "body", "message"),
    [
        ("output", "link.evolve(image=np.zeros(10))", "of type ndarray of float64, expected"),
        ("output", "link.evolve(image=b'abc')", "of type bytes, expected ndarray of uint8"),
        ("output", "link.evolve(image=link.image[:0])", "is no ELF file: not an ELF file"),
        ("output", "link.evolve(image=np.zeros(80, np.uint8))", "is no ELF file"),
        ("output", "link.evolve(image=link.image[:5000])", "is no ELF file: "),
        ("output", "link.evolve(image=link.image[:-1])", "section 17 ends at 0x"),
        ("output", "link.evolve(image=np.append(link.image, link.image[:1]))", "headers say"),
        ("elfimage", "link.evolve(image=link.image[:-1])", "bytes, and the segments end at "),
        ("elfimage", "link.evolve(image=np.append(link.image, link.image[:1]))", "segments end"),
        ("elfimage", "link.evolve(overlays=((1 << 40, b'x'),))", "have 1 bytes at "),
        ("elfimage", "link.evolve(overlays=((-1, b'x'),))", "have 1 bytes at -1, and the segments"),
        ("output", "link.image.setflags(write=True)", "cannot set WRITEABLE flag to True"),
        ("elfimage", "link.image.setflags(write=True)", "cannot set WRITEABLE flag to True"),
    ],
)
def test_an_image_that_is_none(folder: Path, before: str, body: str, message: str) -> None:
    sets = (*IMAGE, "overlays")
    pipeline = install(folder, f"return {body}", requires=IMAGE, provides=sets, before=before)
    done = link(folder, "-w", "-pipeline", pipeline)
    assert done.status == 2
    assert refused(done, "pass own: ", message), done.err
    assert untouched(folder)


def test_columns_cannot_be_written_to(folder: Path) -> None:
    body = "link.symbols.size.setflags(write=True)\nreturn link"
    pipeline = install(folder, body, requires=("symbols",), before="relocate")
    done = link(folder, "-w", "-pipeline", pipeline)
    assert refused(done, "pass own: ", "cannot set WRITEABLE flag to True"), done.err
    assert untouched(folder)


def test_a_pass_behind_the_output(folder: Path) -> None:
    """The old output is there until all passes have run."""
    body = "assert open('out').read() == 'old output'\nos._exit(0)"
    pipeline = install(folder, body, before="hostlink")
    done = link(folder, "-w", "-pipeline", pipeline)
    assert refused(done, "pass own: ", "left no result"), done.err
    assert untouched(folder)


def test_the_copy_of_a_pass_that_forks_ends(folder: Path) -> None:
    """There is one link: the copy takes nothing away from it."""
    pipeline = install(
        folder, "os.fork()\nos.wait3(0) if 0 else None\nreturn link", before="output"
    )
    done = link(folder, "-w", "-pipeline", pipeline)
    assert done.status == 0
    assert done.err == "linkpipe: pass own: forked, and the copy came back: it ends\n"
    assert os.access(folder / "out", os.X_OK)
    assert files(folder) == {"out"}


@pytest.mark.parametrize("method", ["on_start", "before_pass", "on_end"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", ": ZeroDivisionError: division by zero"),
        ("sys.exit(0)", ": SystemExit: 0"),
        ("raise GeneratorExit", ": GeneratorExit: "),
        ("os.chdir('/')", ": moved the working directory to /"),
        ("os.umask(0)", ": changed the umask to 000"),
        ("os._exit(0)", "the process was ended with status 0, and left no result"),
    ],
)
def test_an_observer_that_fails(folder: Path, method: str, body: str, message: str) -> None:
    """At the end, too, when the new output is ready: the old one stays."""
    observer(folder, f"def {method}(self, *told):\n    {body}")
    done = link(folder, "-w", "-observe", "own")
    assert done.status == 2
    who = "observer own_watch.Own: " if "_exit" in body else "the observer own_watch.Own failed in"
    assert refused(done, who, message), done.err
    assert untouched(folder)
