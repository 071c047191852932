"""Suites that an adapter passes before it may call itself a backend of databases or caches, or a store of sessions."""

from .backend import BackendContract
from .cache import CacheContract
from .sessions import SessionStoreContract

__all__ = ["BackendContract", "CacheContract", "SessionStoreContract"]
