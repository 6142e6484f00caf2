"""Estimates of the losses: the plain protocol and cheaper ones."""
