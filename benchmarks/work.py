"""The prices of `symbolic.query.work` against measured times: `python -m benchmarks.work`.

Each query is answered whole, certificates and printing included, from empty caches and without the limit. Printed
are the seconds of processor time, those of them for certificates, and the estimate, with a mark where a query over
2 s would be answered or one under 1 s refused.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks.tools import clear_caches
from derivations.command.moment import run
from symbolic.query import query_expectation, work

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
    """Seconds of processor time, those for certificates, and the estimate in seconds."""
    spent = {"certificates": 0.0, "estimate": 0.0}

    def timed(certify: Callable[..., Any]) -> Callable[..., Any]:
        def run_timed(*arguments: Any) -> Any:
            start = time.process_time()
            result = certify(*arguments)
            spent["certificates"] += time.process_time() - start
            return result

        return run_timed

    def free(*arguments: Any) -> int:
        spent["estimate"] = of_query(*arguments) / 1000
        return 0

    of_query, own = work.of_query, (query_expectation.certify, query_expectation.certify_inverse)
    work.of_query = free
    query_expectation.certify, query_expectation.certify_inverse = map(timed, own)
    try:
        clear_caches()
        start = time.process_time()
        json.dumps(run(text, covariance=covariance))
        seconds = time.process_time() - start
    finally:
        work.of_query = of_query
        query_expectation.certify, query_expectation.certify_inverse = own
    return seconds, spent["certificates"], spent["estimate"]


def main() -> None:
    """Measure and print."""
    limit = work.MAX_WORK / 1000
    print("seconds  certificates  estimate")
    for text, covariance in QUERIES:
        seconds, certificates, estimate = measured(text, covariance)
        mark = "ANSWERED" if seconds > 2 and estimate <= limit else ""
        mark = "REFUSED" if seconds < 1 and estimate > limit else mark
        print(f"{seconds:7.3f} {certificates:13.3f} {estimate:9.3f}  {text}, {covariance} {mark}", flush=True)


if __name__ == "__main__":
    main()
