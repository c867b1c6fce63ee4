"""What a check found, in the forms of other tools."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from linkpipe.ask.findings import Finding, to_junit, to_sarif

RULES = {"size": "it is small", "names": "names are nice"}
FOUND = (
    Finding("size", "too large", "main.go", 7),
    Finding("size", "large", excused="for now"),
    Finding("names", "\x01\udcff is no name", excused="old"),
)


def test_sarif() -> None:
    """Rules, places, and what is excused as suppressed."""
    (run,) = json.loads(to_sarif("check", RULES, FOUND, version="1.2"))["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("check", "1.2")
    assert [rule["id"] for rule in driver["rules"]] == ["size", "names"]
    first, second, _ = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "main.go"}, "region": {"startLine": 7}}
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "external", "justification": "for now"}]
    assert "locations" not in second


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
