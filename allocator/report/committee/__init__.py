"""The committee's page: what is decided, whether it is proven, what binds, what could go wrong."""
