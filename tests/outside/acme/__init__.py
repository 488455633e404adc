"""What another team adds to the allocator."""
