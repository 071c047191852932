"""What the servers are asked to do. The application is the same for all of them; the load is as much as they can take."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass

from harness import RunError
from servers.load import H2load, LoadGenerator, WebSocketClient, Wrk

# The name of each contender in the tables, and the server behind it. The first is compared with the others.
CONTENDERS = {
    "transom": "transom",
    "transom again": "transom",
    "uvicorn": "uvicorn",
    "granian": "granian",
    "fastpysgi": "fastpysgi",
    "gunicorn": "gunicorn",
    "hypercorn": "hypercorn",
}
FIELD = ("transom", "transom again", "uvicorn", "granian", "fastpysgi")
WEBSOCKET_FIELD = ("transom", "transom again", "uvicorn", "granian", "gunicorn")  # fastpysgi speaks none

MEGABYTE = 1_048_576
ECHO = 65_536
FILE_SIZE = 51_200
FEW = (
    16  # connections for large bodies, so that the buffers of all of them stay in the caches of the processor
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One request and the answer it must get, asked before the load so that all servers do the same work.

    Attributes:
        chunked: the body goes without its length.
        size: of the answer, if the answer itself is not given.
    """

    answer: bytes | None = None
    size: int | None = None
    method: str = "GET"
    body: bytes | None = None
    chunked: bool = False

    def check(self, port: int, tls: bool) -> None:
        """Ask a server.

        Raises:
            RunError: it answers differently, or not.
        """
        connection = _https(port) if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            body = iter([self.body]) if self.chunked else self.body
            connection.request(self.method, "/", body=body)  # chunked, if it does not know how long it is
            response = connection.getresponse()
            got = response.read()
        except (OSError, http.client.HTTPException) as exc:
            raise RunError(f"the first request was not answered: {exc!r}") from exc
        finally:
            connection.close()
        self._compare(response.status, got)

    def _compare(self, status: int, got: bytes) -> None:
        if status != 200:
            raise RunError(f"the first answer has status {status}, not 200: {got[:200]!r}")
        if self.answer is not None and got != self.answer:
            raise RunError(
                f"the first answer has {len(got)} bytes, {got[:20]!r}, not the {len(self.answer)} of {self.answer[:20]!r}"
            )
        if self.size is not None and len(got) != self.size:
            raise RunError(f"the first answer has {len(got)} bytes, not {self.size}")


def _https(port: int) -> http.client.HTTPSConnection:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it was made a moment ago, and nobody signed it
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A name for the command line, a title for the table, and what is served, asked and put as load."""

    name: str
    title: str
    app: str
    load: LoadGenerator
    probe: Probe | None
    contenders: tuple[str, ...] = FIELD
    tls: bool = False


PLAINTEXT = Probe(b"Hello, World!")

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="plaintext",
            title="plaintext, 13 bytes",
            app="plaintext:app",
            load=Wrk(),
            probe=PLAINTEXT,
            contenders=tuple(CONTENDERS),
        ),
        Scenario(
            name="plaintext-h2load",
            title="plaintext, by h2load",
            app="plaintext:app",
            load=H2load(),
            probe=PLAINTEXT,
            contenders=("transom", "uvicorn", "fastpysgi"),
        ),
        Scenario(
            name="json",
            title="JSON object",
            app="json_object:app",
            load=Wrk(),
            probe=Probe(b'{"message":"Hello, World!"}'),
        ),
        Scenario(
            name="distinct",
            title="plaintext, a browser's heads, no two alike",
            app="plaintext:app",
            load=Wrk(script="distinct.lua"),
            probe=PLAINTEXT,
        ),
        Scenario(
            name="pipelined",
            title="plaintext, 16 pipelined",
            app="plaintext:app",
            load=Wrk(script="pipelined.lua"),
            probe=PLAINTEXT,
        ),
        Scenario(name="page", title="10 KB body", app="page:app", load=Wrk(), probe=Probe(size=10_240)),
        Scenario(
            name="download",
            title="1 MB download, streamed",
            app="streaming:download",
            load=Wrk(FEW),
            probe=Probe(size=MEGABYTE),
        ),
        Scenario(
            name="upload",
            title="1 MB upload, with its length",
            app="streaming:upload",
            load=Wrk(FEW, script="post.lua", arguments=(str(MEGABYTE),)),
            probe=Probe(b"%d" % MEGABYTE, method="POST", body=b"x" * MEGABYTE),
        ),
        Scenario(
            name="upload-chunked",
            title="1 MB upload, chunked",
            app="streaming:upload",
            load=Wrk(FEW, script="chunked.lua", arguments=(str(MEGABYTE),)),
            probe=Probe(b"%d" % MEGABYTE, method="POST", body=b"x" * MEGABYTE, chunked=True),
        ),
        Scenario(
            name="echo",
            title="64 KB echo, streamed",
            app="streaming:echo",
            load=Wrk(FEW, script="post.lua", arguments=(str(ECHO),)),
            probe=Probe(b"x" * ECHO, method="POST", body=b"x" * ECHO),
        ),
        Scenario(name="file", title="50 KB file", app="file:app", load=Wrk(), probe=Probe(size=FILE_SIZE)),
        Scenario(
            name="websocket",
            title="WebSocket echo, 64 bytes",
            app="websocket:app",
            load=WebSocketClient(),
            probe=None,  # its load checks every byte
            contenders=WEBSOCKET_FIELD,
        ),
        Scenario(
            name="tls",
            title="plaintext over TLS",
            app="plaintext:app",
            load=Wrk(scheme="https"),
            probe=PLAINTEXT,
            tls=True,
        ),
    )
}
