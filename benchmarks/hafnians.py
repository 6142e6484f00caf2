"""E tr W^k at small integer n and p through hafnians (thewalrus): one for every choice of the indices."""

from itertools import product

import numpy as np
import thewalrus


def trace_moment_value(power: int, n: int, p: int) -> float:
    """The sum over rows i_t and columns a_t of E prod_t x(i_t, a_t) x(i_t, a_{t+1}), each a hafnian."""
    total = 0.0
    for rows in product(range(n), repeat=power):
        for columns in product(range(p), repeat=power):
            slots = [
                pair
                for t in range(power)
                for pair in ((rows[t], columns[t]), (rows[t], columns[(t + 1) % power]))
            ]
            covariance = np.array([[float(a == b) for b in slots] for a in slots])
            total += float(thewalrus.hafnian(covariance).real)
    return total
