"""What serves readers first: the opening page, the explorer, drawings with their data, and what to take away."""
