"""The benchmark measures what a link server does."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import served
from benchmarks.bench import Setting
from tests.conformance import oracle
from tests.conformance.programs import TINY, inputs


def test_a_served_link_counts_what_the_server_computes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The client alone computes a fraction of it. The bytes are the oracle's."""
    monkeypatch.setenv("LINKPIPE_SERVER_WAIT", "30000")
    monkeypatch.setattr(served, "BEFORE", 1)
    given, flags = inputs(TINY), ("-s", "-w")
    with served.Server(tmp_path / "server", oracle.linkpipe()) as server:
        ours = server.link(given, flags, tmp_path / "ours", {})
        monkeypatch.setattr(server, "_cpu", lambda: 0.0)
        client = server.link(given, flags, tmp_path / "again", {})
    assert ours.cpu > client.cpu + 0.05
    theirs = oracle.link_oracle(given, flags, tmp_path / "theirs")
    assert oracle.differences(ours, theirs) == []


def test_names_of_cases() -> None:
    setting = Setting.of("go -s -w+served")
    assert (setting.program, setting.flags, setting.served) == ("go", ("-s", "-w"), True)
    assert not Setting.of("go+probes").served
