"""Runs that were altered by hand, and how: what no reader of a run may let pass, and what changes nothing."""
