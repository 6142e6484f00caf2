"""What tests of several rooms do to the project that they look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from derivations.support import sources


@contextmanager
def edited(module: str) -> Iterator[None]:
    """Inside, the keys of results are as they would be after an edit of a module; of none where the name is empty."""
    right = sources._hash
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sources, "_hash", lambda name: "edited" if name == module else right(name))
            sources.fingerprint.cache_clear()
            yield
    finally:
        sources.fingerprint.cache_clear()
