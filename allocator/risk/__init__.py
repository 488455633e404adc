"""What a unit drawn ties up in capital; `certification` and the checker compute it again."""
