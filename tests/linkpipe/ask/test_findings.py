"""What a check found, in the forms of other tools."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from linkpipe.ask.findings import Finding, to_junit, to_sarif
from tests.sarif import read_sarif

RULES = {"size": "it is small", "names": "names are nice"}
FOUND = (
    Finding("size", "too large", "main.go", 7),
    Finding("size", "large", excused="for now"),
    Finding("names", "\x01\udcff is no name", excused="old"),
)


def test_sarif() -> None:
    """Rules, places, and what is excused as suppressed; in the form of the schema."""
    (run,) = read_sarif(to_sarif("check", RULES, FOUND, version="1.2"))["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("check", "1.2")
    assert [rule["id"] for rule in driver["rules"]] == ["size", "names"]
    first, second, _ = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "main.go"}, "region": {"startLine": 7}}
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "external", "justification": "for now"}]
    assert "locations" not in second


def test_any_name_and_text() -> None:
    """Of any bytes: what no Unicode can hold is replaced, what it can hold stays, and a file's name
    is a URI, with the bytes that it has."""
    odd = Finding("a\x02b", "bad \udcff \U0001f600\u00a0", "/a b/\udcff#1%.go")
    rules = {"a\x02b": "no \x03 \U0001f600"}
    text = to_sarif("check", rules, [odd])
    text.encode()
    (result,) = read_sarif(text)["runs"][0]["results"]
    assert result["message"]["text"] == "bad � \U0001f600\u00a0"
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "/a%20b/%FF%231%25.go"
    (case,) = ET.fromstring(to_junit("che\x04ck", rules, [odd]).encode()).iter("testcase")
    assert (case.get("name"), case.get("classname")) == ("a�b", "che�ck")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "no � \U0001f600"
    assert failure.text == "bad � \U0001f600\u00a0"


def test_a_finding_against_no_rule_is_not_lost() -> None:
    with pytest.raises(ValueError, match="'other', which is none of the rules"):
        to_junit("check", RULES, [Finding("other", "x")])


def test_junit() -> None:
    """A test for each rule; what is excused fails none, and names that no XML can hold do not
    break it."""
    root = ET.fromstring(to_junit("check", RULES, FOUND))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    size, names = root.iter("testcase")
    failure = size.find("failure")
    assert failure is not None
    assert failure.text == "too large"
    assert size.findtext("system-out") == "large (for now)"
    assert names.find("failure") is None
    assert names.findtext("system-out") == "�� is no name (old)"
