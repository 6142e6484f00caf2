"""What worker processes are told before they begin: one thread of linear algebra each, and to keep the memory of arrays.

The matrices here are small and many. Threads inside each operation gain nothing, and where every core has a
worker already they contend: the singular values of a 1000 x 30 matrix then take twenty times as long.
The arrays of a batch are like those of the next. glibc gives the memory of large ones back, and to get it anew takes up to
half of the time of drawing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Read once, when the libraries are loaded: they bind processes started later, not this one.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# Read once, when a process begins.
MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(2**28))


def single_threaded() -> list[str]:
    """One thread each from here on, unless the user has asked for another number; the variables that were set for it."""
    return _set(dict.fromkeys(VARIABLES, "1"))


def _set(values: Mapping[str, str]) -> list[str]:
    """Variables of the environment as given, but for those that are set already; the names of the others."""
    unset = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in unset})
    return unset


@contextmanager
def told_to_workers() -> Iterator[None]:
    """Processes started inside use one thread each and keep their memory, unless the user has asked for something else."""
    unset = [*single_threaded(), *_set(MEMORY)]
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)
