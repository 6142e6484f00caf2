"""Formulas as LaTeX, text and code."""
