"""Profiles as runtime/pprof writes them: gzip around a protocol buffer.

Of its fields (github.com/google/pprof, proto/profile.proto) these are read, by their numbers:

    Profile   2 sample, 4 location, 5 function, 6 string_table
    Sample    1 location_id, the leaf first; 2 value
    Location  1 id, 4 line, of which the last is the function that the others were inlined into
    Line      1 function_id
    Function  1 id, 2 name, a place in string_table
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def functions(data: bytes) -> list[str]:
    """The functions in the profile, the hottest first: by the samples in which they run
    themselves, then by those in which what they called does. Raises ValueError for no profile."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as e:
            raise ValueError(f"not a profile: {e}") from e
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    samples, location, name = _tables(data)
    for places, values in samples:
        weight = values[0] if values else 0
        stack = [name.get(location.get(place, 0), "") for place in places]
        if stack:
            own[stack[0]] += weight
        for each in set(stack):
            below[each] += weight
    del below[""]
    if not below:
        raise ValueError("not a profile, or one without samples")
    return sorted(below, key=lambda each: (-own[each], -below[each], each))


def _tables(
    data: bytes,
) -> tuple[list[tuple[list[int], list[int]]], dict[int, int], dict[int, str]]:
    """Samples (locations, values), the function of each location, the name of each function."""
    samples: list[tuple[list[int], list[int]]] = []
    location: dict[int, int] = {}
    named: dict[int, int] = {}
    strings: list[str] = []
    for number, value in _fields(data):
        if number == 6:
            strings.append(_message(value).decode("utf-8", "surrogateescape"))
        elif number == 2:
            places: list[int] = []
            values: list[int] = []
            for field, inner in _fields(_message(value)):
                if field in (1, 2):
                    (places if field == 1 else values).extend(_numbers(inner))
            samples.append((places, values))
        elif number == 4:
            key, function = 0, 0
            for field, inner in _fields(_message(value)):
                if field == 1:
                    key = _number(inner)
                elif field == 4:
                    line = dict(_fields(_message(inner)))
                    function = _number(line.get(1, 0))
            location[key] = function
        elif number == 5:
            fields = dict(_fields(_message(value)))
            named[_number(fields.get(1, 0))] = _number(fields.get(2, 0))
    name = {key: strings[at] for key, at in named.items() if at < len(strings)}
    return samples, location, name


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number, value."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind, 0)
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif not size:
            raise ValueError(f"not a profile: a field of kind {kind}")
        if at + size > len(data):
            raise ValueError("not a profile, or one that is cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("not a profile, or one that is cut short")


def _numbers(value: int | bytes) -> list[int]:
    """A repeated field, packed or not."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _number(value: int | bytes) -> int:
    if isinstance(value, int):
        return value
    raise ValueError("not a profile: text where a number is expected")


def _message(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError("not a profile: a number where a message is expected")
