"""One cold run in a process of its own, timed without imports: `python -m benchmarks.measure ROW METHOD`."""

import json
import re
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.rows import ROWS
from benchmarks.tools import clear_caches


def measure(row_name: str, position: int) -> dict[str, float]:
    """Seconds of the run, those of the processor, and the peak memory of this process in MB (imports included)."""
    method = next(row for row in ROWS if row.name == row_name).methods[position]
    for module in method.imports:
        import_module(module)
    if method.warm:
        method.run()
    clear_caches()
    start, used = time.perf_counter(), time.process_time()
    method.run()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    return {"seconds": seconds, "processor": used, "peak_mb": peak_memory()}


def peak_memory() -> float:
    """Peak resident memory in MB, from Linux where possible: getrusage may report a parent's peak."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return (int(found.group(1)) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
