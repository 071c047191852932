"""Listening sockets: bound by address, inherited, or handed down by systemd."""
