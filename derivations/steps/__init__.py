"""What a step is; the contents in reading order; orders, signs and plain draws that steps share."""
