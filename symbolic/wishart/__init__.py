"""Moments of Wishart matrices and of their inverses."""
