"""From what the parts of a proof set out, what is put in on the way, and what its names stand for."""
