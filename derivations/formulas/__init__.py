"""Any step's formula as a number, a function, an optimum."""
