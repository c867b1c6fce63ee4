"""buildinfo: what `go version` reads."""

from __future__ import annotations

from linkpipe.passes.buildinfo import record


def test_record_is_what_the_readers_expect() -> None:
    """debug/buildinfo: magic, pointer size, flags, then two counted strings from byte 32 on."""
    modinfo = b"m" * 300
    data = record(b"go1.27.3", modinfo, 8, False)
    assert data[:16] == b"\xff Go buildinf:\x08\x02"
    assert data[16:32] == bytes(16)
    assert data[32:41] == b"\x08go1.27.3"
    assert data[41:43] == b"\xac\x02"
    assert data[43:343] == modinfo
    assert len(data) % 16 == 0
    assert not any(data[343:])


def test_big_endian_machines_say_so() -> None:
    assert record(b"v", b"", 4, True)[14:16] == b"\x04\x03"
