"""Cache: values kept for a while under a key, in this process or in a store that several share."""

from transom.cache.backends.memory import MemoryCache
from transom.cache.base import CacheBackend
from transom.cache.caching import DEFAULT, Cache, Default, cache

__all__ = ["DEFAULT", "Cache", "CacheBackend", "Default", "MemoryCache", "cache"]
