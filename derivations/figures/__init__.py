"""The figures: panels, points, drawing."""
