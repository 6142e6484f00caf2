"""Moments entry by entry, at small sizes: the check of every answer, and oracles of tests."""
