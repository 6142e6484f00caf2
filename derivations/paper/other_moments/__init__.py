"""Moments of other random matrices than real Wishart matrices: a room for each kind."""
