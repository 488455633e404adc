"""What if: the best value as limits move, as anything moves a little, and under stress."""
