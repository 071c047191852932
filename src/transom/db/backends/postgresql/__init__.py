"""PostgreSQL through asyncpg, on a pool of our own."""

from .backend import PostgreSQLBackend

__all__ = ["PostgreSQLBackend"]
