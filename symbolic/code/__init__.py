"""Formulas as source code in four languages."""
