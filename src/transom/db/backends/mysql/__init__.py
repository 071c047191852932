"""MariaDB through asyncmy, on a pool of our own."""

from .backend import MySQLBackend

__all__ = ["MySQLBackend"]
