"""The prices of `symbolic.query.work` against measured times: `python -m benchmarks.work`.

Each query is answered whole, check and printing included, from empty caches and without the limit. Printed are the
seconds of processor time, those of them for the check, and the estimate, with a mark where a query over 2 s would be
answered or one under 1 s refused.
"""

import json
import time
from typing import Any

from benchmarks.tools import clear_caches
from derivations.command.moment import run
from symbolic.query import check, query, work
from symbolic.query.answer import Answer

QUERIES = (
    ("W", "identity"),
    ("W^4", "general"),
    ("W^8", "general"),
    ("W^16", "general"),
    ("W^20", "general"),
    ("W^24", "general"),
    ("W^24", "identity"),
    ("tr(W^6)^4", "general"),
    ("W^-8", "general"),
    ("W^-10", "general"),
    ("W^-12", "general"),
    ("W^6 tr(W^-3)", "general"),
    ("W^8 tr(W^-4)", "general"),
    ("W A W B W", "general"),
    ("W A W B W C W", "general"),
    ("W A W B W C W D W", "general"),
    ("W A W B W C W D W A W", "general"),
    ("W A W A W A W A W A W A W", "general"),
    ("W^3 A W^3 A W^3", "general"),
    ("W^6 A W^6", "general"),
    ("W^7 A W^7", "general"),
    ("W^8 A W^8", "identity"),
    ("W^3 A W^3 B W^3 C W^3", "identity"),
    ("tr(A W) tr(B W) tr(C W) tr(D W) tr(A B W)", "general"),
    ("tr((W1 W2)^8)", "general"),
    ("W1^4 W2^4 W1^4 W2^4", "general"),
    ("W1^3 A W2^3 W1^3 A W2^3", "general"),
    ("tr(W1 A W2 B) tr(W1 B W2 C) tr(W1 C W2 D) tr(W1 W2)", "general"),
    ("W1^8 W2^8", "general"),
    ("(W + A)^4", "general"),
    ("(W + A)^5", "general"),
    ("(W + A)^6", "identity"),
    ("(W1 + W2)^4", "general"),
    ("(W + I)^12", "general"),
)


def measured(text: str, covariance: str) -> tuple[float, float, float]:
    """Seconds of processor time, those for the check, and the estimate in seconds."""
    spent = {"check": 0.0, "estimate": 0.0}

    def timed(answer: Answer) -> tuple[str, ...]:
        start = time.process_time()
        checked = check.examine(answer)
        spent["check"] = time.process_time() - start
        return checked

    def free(*arguments: Any) -> int:
        spent["estimate"] = of_query(*arguments) / 1000
        return 0

    of_query, examine = work.of_query, query.examine
    work.of_query, query.examine = free, timed
    try:
        clear_caches()
        start = time.process_time()
        json.dumps(run(text, covariance=covariance).as_dict())
        seconds = time.process_time() - start
    finally:
        work.of_query, query.examine = of_query, examine
    return seconds, spent["check"], spent["estimate"]


def main() -> None:
    """Measure and print."""
    limit = work.MAX_WORK / 1000
    print("seconds    check  estimate")
    for text, covariance in QUERIES:
        seconds, checking, estimate = measured(text, covariance)
        mark = "ANSWERED" if seconds > 2 and estimate <= limit else ""
        mark = "REFUSED" if seconds < 1 and estimate > limit else mark
        print(f"{seconds:7.3f} {checking:8.3f} {estimate:9.3f}  {text}, {covariance} {mark}", flush=True)


if __name__ == "__main__":
    main()
