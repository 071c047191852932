"""Migrations: how the tables of this app came to be, step by step."""
