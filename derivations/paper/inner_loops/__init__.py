"""Beyond the paper: other inner loops and other outer gradients, by the same reduction to one task."""
