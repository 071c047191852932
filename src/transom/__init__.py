"""Transom: an async-native web stack for Python, from the socket to the database."""

__all__ = ["__version__"]

__version__ = "0.1.0"
