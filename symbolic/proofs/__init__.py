"""Orders in large sizes, signs of polynomials, global minima."""
