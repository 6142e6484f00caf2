"""Answers to moment queries that are put together from answers to others: with determinants, and Kronecker products."""
