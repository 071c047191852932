"""How each server is started: one worker, as its documentation deploys it, without an access log.

What a documentation leaves at its default stays there, ours included: forwarded fields, limits, timeouts, `date` and `server`.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Server:
    """One server's command line.

    Attributes:
        name: of the distribution, whose version is shown, and of its command.
        serve: the arguments; `{app}` is `module:attribute`, `{port}` a port of 127.0.0.1.
        tls: the further arguments for HTTPS.
        http2: the further arguments for HTTP/2, where it is not there without being asked for.
        patient: the further arguments to hold 10,000 connections that say nothing for a minute.
    """

    name: str
    serve: str
    tls: str
    http2: str = ""
    patient: str = ""

    def command(
        self,
        app: str,
        port: int,
        *,
        certificate: Certificate | None = None,
        http2: bool = False,
        patient: bool = False,
    ) -> list[str]:
        """Return the whole command line, with the script that stands beside this interpreter."""
        line = self.serve
        if certificate:
            line += f" {self.tls}"
        if http2:
            line += f" {self.http2}"
        if patient:
            line += f" {self.patient}"
        chain, key = (certificate.chain, certificate.key) if certificate else ("", "")
        return [
            str(Path(sys.executable).parent / self.name),
            *shlex.split(line.format(app=app, port=port, chain=chain, key=key)),
        ]


SERVERS = {
    server.name: server
    for server in (
        Server(
            "transom",
            "serve {app} --port {port} --no-access-log --log-level warning",
            tls="--ssl-certfile {chain} --ssl-keyfile {key}",
            patient="--timeout-keep-alive 120 --timeout-header 120 --backlog 16384",
        ),
        Server(
            "uvicorn",
            "{app} --port {port} --loop uvloop --http httptools --no-access-log --log-level warning",
            tls="--ssl-certfile {chain} --ssl-keyfile {key}",
            http2="--http zttp --http2",  # httptools does not speak it
            patient="--timeout-keep-alive 120 --backlog 16384",
        ),
        Server(
            "granian",
            "{app} --interface asgi --port {port} --no-access-log --log-level warning",
            tls="--ssl-certificate {chain} --ssl-keyfile {key}",
            # Its backpressure counts connections, idle ones too.
            patient="--backlog 16384 --backpressure 16384 --http1-header-read-timeout 60000",
        ),
        Server(
            "fastpysgi",
            "{app} --host 127.0.0.1 --port {port}",
            tls="--certfile {chain} --keyfile {key}",
        ),
        Server(
            "gunicorn",
            "{app} --worker-class asgi --bind 127.0.0.1:{port} --log-level warning",
            tls="--certfile {chain} --keyfile {key}",
            patient="--keep-alive 120 --worker-connections 16384 --backlog 16384",
        ),
        Server(
            "hypercorn",
            "{app} --worker-class uvloop --bind 127.0.0.1:{port} --log-level warning",
            tls="--certfile {chain} --keyfile {key}",
            patient="--keep-alive 120",
        ),
        Server(
            "h2corn",
            "{app} --port {port} --no-access-log",
            tls="--certfile {chain} --keyfile {key}",
            patient="--timeout-handshake 120 --timeout-request-header 120 --backlog 16384",
        ),
    )
}


def environment(file: Path | None = None) -> dict[str, str]:
    """Return what a server finds in its environment: where the applications are, and the file that one of them sends."""
    paths = [path for path in (os.environ.get("PYTHONPATH"), str(APPS)) if path]
    return {"PYTHONPATH": os.pathsep.join(paths), **({"BENCH_FILE": str(file)} if file else {})}
