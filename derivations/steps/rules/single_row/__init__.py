"""Rules for a task with one validation row: its bidiagonal form in chi-square variables, their averages, and bounds."""
