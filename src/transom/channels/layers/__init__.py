"""Implementations of `ChannelLayer`."""

from transom.channels.layers.memory import MemoryLayer

__all__ = ["MemoryLayer"]
