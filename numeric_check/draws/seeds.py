"""Random streams named by text, so that a result depends on what was asked and never on who computed it."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_for(text: str, batch_index: int = 0) -> np.random.SeedSequence:
    """The seed of batch `batch_index` of the experiment named `text`.

    The text is hashed with SHA-256 (a fixed function, unlike Python's salted `hash`) and the batch index is
    the spawn key, so the streams of different texts and of different batches are independent. Raises
    ValueError for a negative index.
    """
    if batch_index < 0:
        raise ValueError(f"batch_index is {batch_index}: give an integer of at least 0")
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "little"), spawn_key=(batch_index,))


def generator_for(text: str, batch_index: int = 0) -> np.random.Generator:
    """A generator on the stream of `seed_for(text, batch_index)`."""
    return np.random.Generator(np.random.SFC64(seed_for(text, batch_index)))
