"""Channels: messages from anywhere in the site to everyone who listens to a named group."""

from transom.channels.groups import Groups, group_send, groups
from transom.channels.layer import ChannelLayer, Subscription
from transom.channels.layers.memory import MemoryLayer

__all__ = ["ChannelLayer", "Groups", "MemoryLayer", "Subscription", "group_send", "groups"]
