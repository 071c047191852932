"""Stores for `transom.cache`."""
