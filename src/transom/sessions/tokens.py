"""Tokens of sessions that are kept on the server: random, and known there only by their hash."""

from __future__ import annotations

import hashlib
import secrets

__all__ = ["hash_token", "make_token"]

TOKEN_SIZE = 32  # bytes; 256 bits cannot be guessed


def make_token() -> str:
    """Return a new token, of 43 letters."""
    return secrets.token_urlsafe(TOKEN_SIZE)


def hash_token(token: str) -> str:
    """Return the SHA-256 in 64 hex digits. A token that is random needs neither salt nor a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
