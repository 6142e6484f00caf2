"""Seeds, samples, running means, processes."""
