"""Matrix words, their coefficients and letters, and how they are written and evaluated."""
