"""What the paper does not have: exact results at every size, and what they say of its orders."""
