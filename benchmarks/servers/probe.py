"""One request before the load, so that all servers do the same work."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass

import httpx

from harness import RunError

TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Probe:
    """One request and the answer it must get.

    Attributes:
        chunked: the body goes without its length; over HTTP/1.1 only.
        size: of the answer, if the answer itself is not given.
    """

    answer: bytes | None = None
    size: int | None = None
    method: str = "GET"
    body: bytes | None = None
    chunked: bool = False

    def check(self, port: int, *, tls: bool, http2: bool) -> None:
        """Ask a server.

        Raises:
            RunError: it answers differently, or not; or not in HTTP/2, which `http2` asks for without offering anything else.
        """
        try:
            status, got = self._ask_http2(port, tls) if http2 else self._ask(port, tls)
        except (OSError, http.client.HTTPException, httpx.HTTPError) as exc:
            raise RunError(f"the first request was not answered: {exc!r}") from exc
        self._compare(status, got)

    def _ask(self, port: int, tls: bool) -> tuple[int, bytes]:
        connection = (
            http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT, context=_context())
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        )
        try:
            body = iter([self.body]) if self.chunked else self.body
            connection.request(self.method, "/", body=body)  # chunked, if it does not know how long it is
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _ask_http2(self, port: int, tls: bool) -> tuple[int, bytes]:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
        with httpx.Client(
            http1=False, http2=True, verify=_context(), timeout=TIMEOUT, trust_env=False
        ) as client:
            response = client.request(self.method, url, content=self.body)
            return response.status_code, response.content

    def _compare(self, status: int, got: bytes) -> None:
        if status != 200:
            raise RunError(f"the first answer has status {status}, not 200: {got[:200]!r}")
        if self.answer is not None and got != self.answer:
            raise RunError(
                f"the first answer has {len(got)} bytes, {got[:20]!r}, not the {len(self.answer)} of {self.answer[:20]!r}"
            )
        if self.size is not None and len(got) != self.size:
            raise RunError(f"the first answer has {len(got)} bytes, not {self.size}")


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it was made a moment ago, and nobody signed it
    return context
