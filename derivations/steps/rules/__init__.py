"""What the rules of a chain do: expansions about means, sums over tasks, second routes at exact matrices."""
