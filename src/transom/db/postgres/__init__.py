"""What only PostgreSQL has; see `README.md`."""

from transom.db.postgres.extensions import (
    BloomExtension,
    BtreeGinExtension,
    BtreeGistExtension,
    CITextExtension,
    CreateExtension,
    CryptoExtension,
    HStoreExtension,
    TrigramExtension,
    UnaccentExtension,
)

__all__ = [
    "BloomExtension",
    "BtreeGinExtension",
    "BtreeGistExtension",
    "CITextExtension",
    "CreateExtension",
    "CryptoExtension",
    "HStoreExtension",
    "TrigramExtension",
    "UnaccentExtension",
]
