"""What a check found, in the forms that other tools read: SARIF 2.1.0, and JUnit's XML.

SARIF is an OASIS standard (Static Analysis Results Interchange Format). JUnit's form has none; what
is written here is the part of it that all readers agree on.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from linkpipe import __version__
from linkpipe.values import Value, record

_SURROGATES = re.compile("[\ud800-\udfff]")
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@record
class Finding(Value):
    """One thing that a check found.

    Attributes:
        rule: the rule that it is against.
        text: what is wrong.
        file: the file that it is about, "" for none, and ``line`` the line in it, 0 for none.
        excused: why it is let pass, "": it is not.
    """

    rule: str
    text: str
    file: str = ""
    line: int = 0
    excused: str = ""


def to_sarif(
    tool: str, rules: Mapping[str, str], findings: Sequence[Finding], *, version: str = __version__
) -> str:
    """A log of one run of ``tool``, whose ``rules`` are rule -> what it says; JSON. What is excused
    is a result that is suppressed."""
    driver = {
        "name": tool,
        "version": version,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in rules.items()],
    }
    runs = [{"tool": {"driver": driver}, "results": [_result(each) for each in findings]}]
    log = {"$schema": _SARIF, "version": "2.1.0", "runs": runs}
    return _SURROGATES.sub("�", json.dumps(log, indent=1, ensure_ascii=False)) + "\n"


def _result(found: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "level": "error",
        "message": {"text": found.text},
    }
    if found.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(os.fsencode(found.file))}}
        if found.line:
            place["region"] = {"startLine": found.line}
        result["locations"] = [{"physicalLocation": place}]
    if found.excused:
        result["suppressions"] = [{"kind": "external", "justification": found.excused}]
    return result


def to_junit(tool: str, rules: Mapping[str, str], findings: Sequence[Finding]) -> str:
    """Each of ``rules`` (rule -> what it says) as a test, which fails where there are findings
    against it that nothing excuses; XML. Raises ValueError for a finding against another rule."""
    unknown = sorted({f.rule for f in findings} - set(rules))
    if unknown:
        raise ValueError(f"a finding is against {unknown[0]!r}, which is none of the rules")
    against = {rule: [f for f in findings if f.rule == rule] for rule in rules}
    failed = {rule: [f for f in found if not f.excused] for rule, found in against.items()}
    count = {"tests": str(len(rules)), "failures": str(sum(map(bool, failed.values())))}
    top = ET.Element("testsuites", count)
    suite = ET.SubElement(top, "testsuite", {"name": _xml(tool), **count})
    for rule, text in rules.items():
        case = ET.SubElement(suite, "testcase", {"classname": _xml(tool), "name": _xml(rule)})
        if failed[rule]:
            failure = ET.SubElement(case, "failure", {"message": _xml(text)})
            failure.text = _xml("\n".join(f.text for f in failed[rule]))
        passed = [f"{f.text} ({f.excused})" for f in against[rule] if f.excused]
        if passed:
            ET.SubElement(case, "system-out").text = _xml("\n".join(passed))
    ET.indent(top)
    return ET.tostring(top, "unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """The text without what XML cannot hold: names of symbols may be any bytes."""
    return _NO_XML.sub("�", text)
