"""What the servers are asked to do. The application is the same for all of them; the load is as much as they can take."""

from __future__ import annotations

from dataclasses import dataclass

from servers.load import BODY_SIZE, H2load, LoadGenerator, WebSocketClient, Wrk
from servers.probe import Probe

# The name of each contender in the tables, and the server behind it. The first is compared with the others.
CONTENDERS = {
    "transom": "transom",
    "transom again": "transom",
    "uvicorn": "uvicorn",
    "granian": "granian",
    "fastpysgi": "fastpysgi",
    "gunicorn": "gunicorn",
    "hypercorn": "hypercorn",
    "h2corn": "h2corn",
}
FIELD = ("transom", "transom again", "uvicorn", "granian", "fastpysgi")
WEBSOCKET_FIELD = ("transom", "transom again", "uvicorn", "granian", "gunicorn")  # fastpysgi speaks none
HTTP2_FIELD = ("transom", "uvicorn", "granian", "h2corn")
HTTP2_WIDE_FIELD = ("transom", "transom again", "uvicorn", "granian", "hypercorn", "h2corn")

MEGABYTE = 1_048_576
ECHO = 65_536
FILE_SIZE = 51_200
FEW = (
    16  # connections for large bodies, so that the buffers of all of them stay in the caches of the processor
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A name for the command line, a title for the table, and what is served, asked and put as load.

    Attributes:
        tls: everything goes over TLS.
        http2: the servers are to speak HTTP/2, and the first request does; over TLS it is agreed on (ALPN), else simply spoken.
    """

    name: str
    title: str
    app: str
    load: LoadGenerator
    probe: Probe | None
    contenders: tuple[str, ...] = FIELD
    tls: bool = False
    http2: bool = False

    @property
    def kind(self) -> str:
        """Return which table it is in, and which file of the results."""
        return "http2" if self.http2 else "server"


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
            contenders=tuple(name for name in CONTENDERS if name != "h2corn"),
        ),
        Scenario(
            name="plaintext-h2load",
            title="plaintext, by h2load",
            app="plaintext:app",
            load=H2load(64, streams=0),
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
        Scenario(
            name="h2",
            title="plaintext, 10 streams",
            app="plaintext:app",
            load=H2load(),
            probe=PLAINTEXT,
            contenders=HTTP2_WIDE_FIELD,
            http2=True,
        ),
        Scenario(
            name="h2-1",
            title="plaintext, 1 stream",
            app="plaintext:app",
            load=H2load(64, streams=1),
            probe=PLAINTEXT,
            contenders=HTTP2_FIELD,
            http2=True,
        ),
        Scenario(
            name="h2-100",
            title="plaintext, 100 streams",
            app="plaintext:app",
            load=H2load(4, streams=100),
            probe=PLAINTEXT,
            contenders=HTTP2_FIELD,
            http2=True,
        ),
        Scenario(
            name="h2-page",
            title="10 KB body, 10 streams",
            app="page:app",
            load=H2load(),
            probe=Probe(size=10_240),
            contenders=HTTP2_FIELD,
            http2=True,
        ),
        Scenario(
            name="h2-upload",
            title="64 KB upload, 10 streams",
            app="streaming:upload",
            load=H2load(upload=True),
            probe=Probe(b"%d" % BODY_SIZE, method="POST", body=b"x" * BODY_SIZE),
            contenders=HTTP2_FIELD,
            http2=True,
        ),
        Scenario(
            name="h2-tls",
            title="plaintext over TLS, 10 streams",
            app="plaintext:app",
            load=H2load(scheme="https"),
            probe=PLAINTEXT,
            contenders=HTTP2_FIELD,
            tls=True,
            http2=True,
        ),
        Scenario(
            name="h2-tls-1",
            title="plaintext over TLS, 1 stream",
            app="plaintext:app",
            load=H2load(64, streams=1, scheme="https"),
            probe=PLAINTEXT,
            contenders=HTTP2_FIELD,
            tls=True,
            http2=True,
        ),
        Scenario(
            name="h2-tls-100",
            title="plaintext over TLS, 100 streams",
            app="plaintext:app",
            load=H2load(4, streams=100, scheme="https"),
            probe=PLAINTEXT,
            contenders=HTTP2_FIELD,
            tls=True,
            http2=True,
        ),
        Scenario(
            name="h2-tls-page",
            title="10 KB body over TLS, 10 streams",
            app="page:app",
            load=H2load(scheme="https"),
            probe=Probe(size=10_240),
            contenders=HTTP2_FIELD,
            tls=True,
            http2=True,
        ),
        Scenario(
            name="h2-tls-upload",
            title="64 KB upload over TLS, 10 streams",
            app="streaming:upload",
            load=H2load(scheme="https", upload=True),
            probe=Probe(b"%d" % BODY_SIZE, method="POST", body=b"x" * BODY_SIZE),
            contenders=HTTP2_FIELD,
            tls=True,
            http2=True,
        ),
    )
}
