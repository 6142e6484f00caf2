"""How a step is proved, measured and judged; it knows no particular step."""
