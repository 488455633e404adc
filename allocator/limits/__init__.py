"""Limits: measure x filter x bound, compiled to rows over five bases."""

from allocator.limits.compile import TermsByRule, compile_limits

__all__ = ["TermsByRule", "compile_limits"]
