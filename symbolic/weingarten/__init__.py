"""Words of inverses, complex matrices and rotations, as sums with the Weingarten function."""
