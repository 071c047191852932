"""PostgreSQL through asyncpg, on a pool of our own."""

from .backend import PgBouncerBackend, PostgreSQLBackend

__all__ = ["PgBouncerBackend", "PostgreSQLBackend"]
