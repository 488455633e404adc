"""What was decided with what was known, scored by what happened."""
