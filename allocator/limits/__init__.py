"""Limits: measure x filter x bound, compiled to rows over five bases."""

from allocator.limits.compile import compile_limits

__all__ = ["compile_limits"]
