"""Expressions as a user writes them, averaged, checked and written out."""
