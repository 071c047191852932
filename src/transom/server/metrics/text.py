"""The metrics there are, and their text for Prometheus.

Source: Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final, NamedTuple

from transom import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.server.metrics.metrics import Samples

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """One metric, with samples of one or many labels.

    Attributes:
        kind: `counter`, `gauge` or `histogram`.
    """

    name: str
    kind: str
    help: str


FAMILIES: Final = (
    Family(
        "transom_requests_total", "counter", "Requests that have ended, WebSockets too, by method and status."
    ),
    Family(
        "transom_request_duration_seconds",
        "histogram",
        "Time from the complete request head to the last byte of the response; without WebSockets.",
    ),
    Family("transom_response_bytes_total", "counter", "Bytes of response bodies."),
    Family("transom_requests_refused_total", "counter", "Requests that reached no application, by status."),
    Family("transom_requests_in_progress", "gauge", "Applications that run now, those of WebSockets too."),
    Family("transom_connections_total", "counter", "Connections that were accepted."),
    Family("transom_connections_open", "gauge", "Connections that are open, WebSockets too."),
    Family("transom_websockets_open", "gauge", "WebSockets that are open."),
    Family(
        "transom_loop_lag_seconds",
        "histogram",
        "By how much the event loop of a worker is late, measured once a second.",
    ),
    Family(
        "transom_access_log_lines_lost_total",
        "counter",
        "Lines of the access log that its reader was too slow for.",
    ),
    Family("transom_workers", "gauge", "Worker processes by state."),
    Family("transom_worker_restarts_total", "counter", "Worker processes that were replaced, by reason."),
    Family("transom_resident_memory_bytes", "gauge", "Memory that the worker processes hold."),
    Family("transom_start_time_seconds", "gauge", "When the server was started, in seconds since 1970."),
    Family("transom_build_info", "gauge", "1, with the versions of Transom and Python."),
)
BUILD_INFO: Final = (
    f'transom_build_info{{version="{__version__}",python="{platform.python_version()}",'
    f'implementation="{platform.python_implementation()}"}}'
)

_PARTS: Final = {"histogram": ("_bucket", "_sum", "_count")}


def build_text(samples: Samples) -> bytes:
    """Return all samples under the heads of their families."""
    by_name: dict[str, list[str]] = {}
    for values in samples:
        _collect(values, by_name)
    lines: list[str] = []
    for name, kind, meaning in FAMILIES:
        lines += (f"# HELP {name} {meaning}", f"# TYPE {name} {kind}")
        for part in _PARTS.get(kind, ("",)):
            lines += by_name.get(name + part, ())
    return ("\n".join(lines) + "\n").encode()


def _collect(values: Mapping[str, float], by_name: dict[str, list[str]]) -> None:
    for sample, value in values.items():
        number = repr(value) if value % 1 else str(int(value))
        by_name.setdefault(sample.partition("{")[0], []).append(f"{sample} {number}")
