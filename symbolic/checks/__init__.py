"""Certificates: the same moments entry by entry, at small sizes."""
