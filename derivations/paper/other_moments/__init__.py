"""Moments of other random matrices than real Wishart matrices, and of determinants: a room for each kind."""
