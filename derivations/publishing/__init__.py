"""Staging and building the book."""
