"""When numbers agree."""
