"""Migrations of polls, in the order their dependencies give."""
