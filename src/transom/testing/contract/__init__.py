"""Suites that an adapter of a database passes before it may call itself one."""

from .backend import BackendContract

__all__ = ["BackendContract"]
