"""Moves for laws of few values: signs, their counts, eigenvalues in equal numbers, inputs that are 1 or -1."""
