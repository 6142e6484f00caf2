"""The paper, part by part: what is printed, derived and sampled, side by side."""
