"""Expectations of words: integration by parts, pairings, rows, cumulants."""
