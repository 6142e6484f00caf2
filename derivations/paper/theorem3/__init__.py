"""Theorem 3: general covariance and inputs of other laws."""
