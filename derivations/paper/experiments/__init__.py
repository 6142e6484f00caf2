"""The experiments of the paper's figures: what each simulates, its points, and whether two ways to simulate them agree."""
