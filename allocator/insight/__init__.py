"""What risk teams ask of a run: why, what if, what else, how bad. Each answer is a record or a table."""
