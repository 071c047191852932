"""Suites that an adapter passes before it may call itself a backend of databases or caches."""

from .backend import BackendContract
from .cache import CacheContract

__all__ = ["BackendContract", "CacheContract"]
