"""Records as a JUnit XML report, which continuous integration reads: one case per step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from derivations.verification.plain_records import Record
from derivations.verification.verify import checked

# characters that XML 1.0 has no way to write
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(records: Sequence[Record]) -> str:
    """The report: a step that does not pass is a failure with its reasons, one where nothing was checked is skipped."""
    failures = sum(not record["passed"] for record in records)
    skipped = sum(record["passed"] and not checked(record) for record in records)
    total = sum(record["seconds"] for record in records)
    counts = {
        "tests": str(len(records)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
        "time": f"{total:.3f}",
    }
    suites = ElementTree.Element("testsuites", {"name": "derive verify", **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "steps", **counts})
    for record in records:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {
                "classname": record["page"].partition("#")[0],
                "name": record["name"],
                "time": f"{record['seconds']:.3f}",
            },
        )
        said = _UNWRITABLE.sub("?", reasons(record))
        if not record["passed"]:
            ElementTree.SubElement(case, "failure", {"message": said})
        elif not checked(record):
            ElementTree.SubElement(case, "skipped", {"message": said})
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def reasons(record: Record) -> str:
    """Both statuses of a record with their reasons, in one line."""
    parts = (
        ("proof", record["proof"], record["proof_reason"]),
        ("numeric", record["numeric"], record["numeric_reason"]),
    )
    return "; ".join(f"{part} {status}" + (f": {reason}" if reason else "") for part, status, reason in parts)
