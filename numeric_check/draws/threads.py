"""One thread of linear algebra per worker process.

The matrices here are small and many. Threads inside each operation gain nothing, and where every core has a
worker already they contend: the singular values of a 1000 x 30 matrix then take twenty times as long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Read once, when the libraries are loaded: they bind processes started later, not this one.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def single_threaded() -> list[str]:
    """One thread each from here on, unless the user has asked for another number; the variables that were set for it."""
    unset = [name for name in VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    return unset


@contextmanager
def one_thread_per_worker() -> Iterator[None]:
    """Processes started inside use one thread each, unless the user has asked for another number."""
    unset = single_threaded()
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)
