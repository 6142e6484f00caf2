"""Theorem 2: more validation data than parameters, n_v m > p."""
