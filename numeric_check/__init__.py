"""Floating-point confirmation: the meta-learning problem sampled from its definition, and verdicts.

Plain NumPy; independent of the symbolic engine, with which it shares no formula.
"""
