"""What chains of moves keep, and the rules that every chain knows."""
