"""The program of a scenario as a page of mathematics, in Markdown and in LaTeX."""
