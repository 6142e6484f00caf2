"""Beyond the paper: what becomes of the exact results as all sizes grow in proportion."""
