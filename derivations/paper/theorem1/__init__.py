"""Theorem 1: more parameters than validation data, p > n_v m."""
