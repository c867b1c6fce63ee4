"""The fact `hostlink`: how the host linker was called."""

from __future__ import annotations

from linkpipe.values import Value, record


@record
class HostLink(Value):
    """Attributes:
    command: the argument list, the compiler first.
    answers: which flags the compiler was found to take.
    objects: the object files handed over, linkpipe's own first.
    output: the linked file.
    """

    command: tuple[str, ...]
    answers: tuple[tuple[str, bool], ...]
    objects: tuple[str, ...]
    output: str
