"""The learning problem: sizes, input laws, one gradient step, the outer solution."""
