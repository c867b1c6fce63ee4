"""A small parent of the process that does the work.

Whatever happens in a link (an input that is cut short while it is mapped, memory that runs out, a
pass that ends the process), somebody has to say what it was, and to remove what is left. So a
command forks before anything heavy is imported: the child goes on, and the parent waits, hands on
the signals that it gets, and ends with the child's status. For a child that leaves no result it
speaks: one error that names the pass and the inputs that are no longer what they were when they
were opened. The child's temporary files go, and an old output that it had set aside comes back.

Working directory and standard streams are the child's as they were the parent's. When the parent
itself is killed, the child is asked to end, and tidies up as it does then.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from linkpipe.process import ledger

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Requests to end: handed on to the child, which unwinds."""

_GRACE = 1.0
"""Seconds that a process group has to end by itself."""

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

_parent = 0
_caller = 0
_spent = 0.0


def fork(variables: Mapping[str, str] = os.environ) -> None:
    """Go on as a child, while this process waits for it and ends with its status.

    Does nothing when the variable LINKPIPE_ONE_PROCESS asks for that, or when there can be no
    child: too many processes, no memory.
    """
    global _parent, _caller, _spent
    if variables.get("LINKPIPE_ONE_PROCESS", "0") not in ("", "0", "false"):
        return
    me, caller = os.getpid(), os.getppid()
    old = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        memory = ledger.share()
        child = os.fork()
    except OSError:
        ledger.forget()
        child = 0
    else:
        if child:
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                    signal.signal(number, lambda number, _: _send(child, number))
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
            os._exit(_wait(child, memory))
        _parent, _caller, _spent = me, caller, time.process_time()
    signal.pthread_sigmask(signal.SIG_SETMASK, old)


def be_child(memory: int, before: float, caller: int) -> None:
    """Be the child of a process that is not this one's parent: note things in a memory of its, an
    open file, after it has spent so much processor time, seconds; ``caller`` has started it."""
    global _caller, _spent
    ledger.share(memory)
    _caller, _spent = caller, before


def end_with_parent() -> None:
    """Let this process be asked to end when its parent, if it has one, is gone."""
    if not _parent:
        return
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != _parent:
        os.kill(os.getpid(), signal.SIGTERM)


def caller() -> int:
    """The process that has started this one, or the one that this one is the child of."""
    return _caller or os.getppid()


def spent() -> float:
    """Processor time that the parent had spent when it forked, seconds."""
    return _spent


def end_group(group: int) -> None:
    """End the processes of a group, first asking: a compiler removes its temporary files. When the
    first of them is gone nobody tells the others any more."""
    until = time.monotonic() + _GRACE
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
        while not _gone(group) and time.monotonic() < until:
            time.sleep(0.005)
        os.killpg(group, signal.SIGKILL)
        while time.monotonic() < until + _GRACE:
            _gone(group)
            os.killpg(group, 0)  # fails when nobody is left
            time.sleep(0.005)


def _gone(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:  # none of ours
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False


def _send(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _wait(child: int, memory: mmap.mmap) -> int:
    """Wait for the child; the status to end with."""
    return ended(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), memory)


def ended(code: int | None, memory: mmap.mmap) -> int:
    """See to what a child left that ended with ``code``, below zero a signal, None if that is not
    known; the status to end with."""
    notes = list(ledger.noted(memory))
    finished = notes[-1:] == [("finished", str(code))]
    if code or not finished:
        _tidy(notes)  # it may have been interrupted when it did so itself
    if finished and code is not None:
        return code
    sys.stderr.write(_obituary(code, notes))
    sys.stderr.flush()
    return 128 - code if code and code < 0 else 2


def _tidy(notes: Iterable[tuple[str, ...]]) -> None:
    """Remove what a child left behind, when nobody writes to it any more."""
    from linkpipe.process.litter import put_back, remove

    groups = {}
    for kind, *words in notes:
        if kind in ("started", "ended"):
            groups[int(words[0])] = kind == "started"
    for group in (group for group, runs in groups.items() if runs):
        end_group(group)
    for kind, *words in notes:
        if kind == "aside":
            with suppress(OSError):
                put_back(*words)
    for kind, *words in notes:
        if kind == "making":
            with suppress(OSError):
                remove(words[0])


def _obituary(code: int | None, notes: Iterable[tuple[str, ...]]) -> str:
    """What a child died of, as an error of linkpipe's."""
    doing, inputs = "", {}
    for kind, *words in notes:
        if kind == "doing":
            doing = words[0]
        elif kind == "input":
            inputs[words[1]] = int(words[0])
    changed = [
        f"\t{path} had {was} bytes when it was opened and "
        + ("is gone" if now is None else f"has {now} now")
        for path, was, now in (ledger.changed(inputs) if inputs else ())
    ]
    where = f"{doing}: " if doing else ""
    if changed:
        why = "do not rebuild packages during a link; link again"
    elif code is None:
        why = "the link server that did the link has ended, too; link again"
    elif code >= 0:
        who = f"the {doing.partition(' ')[0]}" if doing else "what is installed beside linkpipe"
        why = f"this is a bug in {who}: code that is called has to return, or to raise an error"
    elif -code == signal.SIGKILL:
        why = "somebody killed it, or memory ran out: the kernel's log would say so"
    else:
        why = "link again; if it happens again, report it (LINKPIPE_ONE_PROCESS=1 for a debugger)"
    if code is None:
        what = "the process was ended, and left no result"
    elif code >= 0:
        what = f"the process was ended with status {code}, and left no result"
    else:
        name = signal.strsignal(-code) or "unknown"
        what = f"the process was ended by signal {-code} ({name.lower()})"
    return "\n".join([f"linkpipe: {where}{what}", *changed, f"\t{why}\n"])
