"""Runs a command and writes down its times and peak memory: `measure.py REPORT COMMAND …`.

A process of its own, and a small one, because Linux counts the memory of the process that called
exec into the peak of what it became: a link started from a large Python would seem to need as
much. The peak is that of the command or of one of the processes that it waited for; CPU time is
that of all of them, in the program and in the kernel.
"""

import os
import resource
import sys
import time

LARGEST = 4 << 30
"""Bytes of a file that the command writes. The oracle takes the blocks of an output before it
writes it: one of terabytes fills the disk for a second, in which whatever runs beside it fails."""


def main(report: str, command: list[str]) -> int:
    """Run the command; returns its exit status, 128 + N for signal N."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    with open(report, "w") as file:
        file.write(f"{seconds} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss * 1024}")
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
