"""Queries as a user writes them: tokens, trees, their shapes, and what they are multiplied out."""
