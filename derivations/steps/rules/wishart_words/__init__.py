"""Words in a Wishart matrix and its inverse, for real and for complex rows, and their means by triangular roots."""
