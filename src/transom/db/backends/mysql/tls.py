"""TLS for a connection, by the names of MySQL's own clients: ssl_mode, ssl_ca, ssl_cert, ssl_key."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.db.url import MySQLOptions


def build_ssl_context(options: MySQLOptions) -> ssl.SSLContext | None:
    """Return the context, or None for a connection without TLS.

    As with MySQL's clients, naming an `ssl_ca` asks for it to be checked, and REQUIRED alone checks no certificate.

    Raises:
        OSError: a file cannot be read or does not hold what it must.
    """
    mode = options.ssl_mode or ("VERIFY_CA" if options.ssl_ca else "DISABLED")
    if mode == "DISABLED":
        return None
    context = ssl.create_default_context(cafile=options.ssl_ca or None)
    context.check_hostname = mode == "VERIFY_IDENTITY"
    if mode == "REQUIRED":
        context.verify_mode = ssl.CERT_NONE
    if options.ssl_cert:
        context.load_cert_chain(options.ssl_cert, options.ssl_key or None)
    return context
