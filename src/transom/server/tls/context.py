"""TLS: from the options to contexts for new connections, and what applications are told of a connection.

A context is built once and used until one of its files changes. Then another takes its place, and connections that are open
go on with the one they began with. Which context a connection uses is settled by the name it asks for (SNI); all agree in
everything but the certificate, because OpenSSL takes versions and demands on clients from the first.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transom.server.exceptions import TLSError
from transom.server.server_names import NamedFiles, find_by_server_name, parse_server_names
from transom.server.tls.certificate import parse_certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.server.config import Config

logger = logging.getLogger("transom.server")

ALPN: Final = ("h2", "http/1.1")
_LOOK_EVERY: Final = 3  # seconds
_VERSIONS: Final = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
_VERIFY_MODES: Final = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

Stamp = tuple[tuple[int, int, int] | None, ...]


class TLSContext(ssl.SSLContext):
    """A context that knows its certificate, which `ssl` does not tell.

    Attributes:
        server_cert: the certificate in PEM.
    """

    server_cert: str


class Certificates:
    """The contexts for new connections: the one of `ssl_certfile`, and those of `ssl_sni`.

    Raises:
        TLSError: a file is missing or is not what it should be.
    """

    def __init__(self, config: Config) -> None:
        if config.ssl_certfile is None:
            raise TLSError("there is no certificate; name one with --ssl-certfile")
        self._config = config
        self._files = [
            NamedFiles("", config.ssl_certfile, config.ssl_keyfile),
            *parse_server_names(config.ssl_sni),
        ]
        self._ticks = 0
        self._contexts: dict[str, TLSContext] = {}
        self._loaded: dict[str, Stamp] = {}  # what the files were when they were read, well or not
        self._seen: dict[str, Stamp] = {}  # what they were at the last look
        for files in self._files:
            self._loaded[files.name] = self._seen[files.name] = self._stamp(files)
            self._load(files)

    def tick(self) -> None:
        """Look at the files now and then; to be called once a second."""
        self._ticks += 1
        if self._ticks % _LOOK_EVERY == 0:
            self.renew()

    @property
    def context(self) -> TLSContext:
        """What a new connection begins with."""
        return self._contexts[""]

    def find(self, server_name: str | None) -> TLSContext:
        """Return the context for a name that a client asks for."""
        return find_by_server_name(self._contexts, server_name) or self.context

    def renew(self) -> None:
        """Read again what has changed.

        Files are read when two looks in a row find them alike: certificate and key are not written at the same moment. What
        cannot be used is logged once, and what was read before stays in use.
        """
        for files in self._files:
            name, stamp = files.name, self._stamp(files)
            is_settled = stamp == self._seen[name]
            self._seen[name] = stamp
            if not is_settled or stamp == self._loaded[name]:
                continue
            self._loaded[name] = stamp
            try:
                self._load(files)
            except TLSError as exc:
                logger.error("the certificate in use stays: %s", exc)
            else:
                logger.info("read %s again", files.certfile)

    def _load(self, files: NamedFiles) -> None:
        context = build_context(self._config, files.certfile, files.keyfile)
        if not files.name and self._config.ssl_sni:
            context.sni_callback = self._choose
        self._contexts[files.name] = context

    def _choose(self, connection: ssl.SSLObject, server_name: str | None, context: ssl.SSLContext) -> None:
        chosen = find_by_server_name(self._contexts, server_name)
        if chosen is not None:
            connection.context = chosen

    def _stamp(self, files: NamedFiles) -> Stamp:
        return tuple(
            _stamp(path)
            for path in (files.certfile, files.keyfile, self._config.ssl_ca_certs)
            if path is not None
        )


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def build_context(config: Config, certfile: str, keyfile: str | None) -> TLSContext:
    """Return a context that shows this certificate, and is like all others in everything else.

    Raises:
        TLSError: a file is missing or is not what it should be.
    """
    context = TLSContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion[config.ssl_minimum_version.replace(".", "_")]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(ALPN if config.http2 else ALPN[1:])
    if config.ssl_ciphers is not None:
        try:
            context.set_ciphers(config.ssl_ciphers)
        except ssl.SSLError as exc:
            raise TLSError(
                f"ssl_ciphers {config.ssl_ciphers!r} names no cipher; see openssl ciphers -v"
            ) from exc
    _load_chain(context, certfile, keyfile, config.ssl_keyfile_password)
    context.server_cert = _read_certificate(certfile)
    if config.ssl_cert_reqs != "none" and config.ssl_ca_certs is not None:
        _demand_certificates(context, config.ssl_cert_reqs, config.ssl_ca_certs)
    return context


def _demand_certificates(context: TLSContext, demand: str, ca_certs: str) -> None:
    try:
        context.load_verify_locations(_readable(ca_certs))
    except ssl.SSLError as exc:
        raise TLSError(f"{ca_certs} holds no certificate of an authority in PEM") from exc
    context.verify_mode = _VERIFY_MODES[demand]
    # A session that is resumed has the certificate that was checked once, without its chain: each connection is checked anew.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


def _load_chain(context: ssl.SSLContext, certfile: str, keyfile: str | None, password: str | None) -> None:
    asked = False

    def give_password() -> str:
        nonlocal asked
        asked = True
        if password is None:
            raise TLSError(f"the key in {keyfile or certfile} is encrypted; give --ssl-keyfile-password")
        return password

    _readable(certfile)
    if keyfile is not None:
        _readable(keyfile)
    try:
        context.load_cert_chain(certfile, keyfile, give_password)
    except ssl.SSLError as exc:
        raise TLSError(_explain(exc, certfile, keyfile, asked)) from exc


def _explain(error: ssl.SSLError, certfile: str, keyfile: str | None, asked: bool) -> str:
    key = keyfile or certfile
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} is not that of the certificate in {certfile}"
    if error.reason:
        return f"OpenSSL refuses {certfile}: {error.reason.lower().replace('_', ' ')}"
    if _CERTIFICATE.search(Path(certfile).read_bytes()) is None:
        return f"{certfile} holds no certificate in PEM"
    if b"PRIVATE KEY-----" not in Path(key).read_bytes():
        return f"{key} holds no private key in PEM" + (
            "" if keyfile else "; name its file with --ssl-keyfile"
        )
    return f"the password of the key in {key} is wrong" if asked else f"{certfile} or {key} is damaged"


def _readable(path: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as exc:
        raise TLSError(f"cannot read {path}: {exc.strerror}") from exc


def _read_certificate(path: str) -> str:
    """Return the first certificate of a file in PEM, and say so if it is out of date."""
    found = _CERTIFICATE.search(Path(path).read_bytes())
    if found is None:
        raise TLSError(f"{path} holds no certificate in PEM")
    pem = found[0].decode("latin-1")
    certificate, now = parse_certificate(ssl.PEM_cert_to_DER_cert(pem)), datetime.now(UTC)
    if now > certificate.not_after:
        logger.warning(
            "the certificate in %s expired on %s; clients will refuse it", path, certificate.not_after
        )
    elif now < certificate.not_before:
        logger.warning("the certificate in %s is valid from %s on only", path, certificate.not_before)
    return pem + "\n"


def describe_connection(connection: ssl.SSLObject) -> dict[str, Any]:  # Any: as in the scope's extensions
    """Return the `tls` extension of a scope.

    Source: ASGI TLS extension 0.2.
    """
    chain = _client_chain(connection)
    cipher, version = connection.cipher(), connection.version()
    return {
        "server_cert": getattr(connection.context, "server_cert", None),
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(each) for each in chain],
        "client_cert_name": parse_certificate(chain[0]).subject if chain else None,
        # A certificate that does not stand the check ends the handshake.
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(version or ""),
        "cipher_suite": _cipher_suites().get(cipher[0]) if cipher else None,
    }


def _client_chain(connection: ssl.SSLObject) -> list[bytes]:
    """Return what the client sent, its own certificate first; nothing else before Python 3.13."""
    leaf = connection.getpeercert(binary_form=True)
    if leaf is None:
        return []
    # Typed by hand: pyright checks against 3.11, which does not have it.
    whole_chain: Callable[[], list[bytes]] | None = getattr(connection, "get_unverified_chain", None)
    return whole_chain() if whole_chain is not None else [leaf]


def hide_malformed_server_names() -> None:
    """Let no client write to stderr of this process: `ssl` prints a server name that is not ASCII, and ends the handshake."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if not (
            isinstance(unraisable.exc_value, UnicodeDecodeError) and isinstance(unraisable.object, bytes)
        ):
            before(unraisable)

    sys.unraisablehook = hook


@cache
def _cipher_suites() -> dict[str, int]:
    """Return the numbers of the IANA registry by OpenSSL's names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return {each["name"]: each["id"] & 0xFFFF for each in context.get_ciphers()}
