"""Timings of the moment engines beside the tools that can do parts of their work."""
