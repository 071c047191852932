"""What systemd asks of a service: take the sockets it opened, and tell it how one is.

Source: sd_listen_fds(3), sd_notify(3), systemd.service(5).
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_FIRST_DESCRIPTOR: Final = 3  # SD_LISTEN_FDS_START


def take_descriptors(environ: MutableMapping[str, str] = os.environ) -> list[int]:
    """Return the descriptors that systemd opened for this process, and forget them: no child shall take them for its own."""
    values = [environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")]
    # A process in between, such as a shell, may have been the one they are meant for.
    if values[0] != str(os.getpid()) or not (values[1].isascii() and values[1].isdecimal()):
        return []
    return list(range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(values[1])))


class Notifier:
    """Tells systemd how the service is; without systemd, nobody. Never waits and never fails.

    Args:
        address: path of a datagram socket; one that begins with @ is abstract. None for nobody.
        watchdog: seconds without a sign of life after which systemd restarts the service; 0 for never.

    Attributes:
        deadline: when the next sign of life is due, in seconds of a clock that only runs forward; inf for never.
    """

    def __init__(self, address: str | None = None, watchdog: float = 0.0) -> None:
        self._address = address
        # Half of it, as sd_watchdog_enabled(3) advises.
        self._interval = watchdog / 2
        self.deadline = 0.0 if address and watchdog else inf
        self._said = ""

    @classmethod
    def take(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """Return the notifier that the environment asks for, and forget it: no child shall speak for this process."""
        address = environ.pop("NOTIFY_SOCKET", None)
        watchdog, process = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        if not watchdog.isdecimal() or process not in ("", str(os.getpid())):
            watchdog = "0"
        return cls(address, int(watchdog) / 1_000_000)

    def ready(self) -> None:
        """Requests are served, for the first time or again after `reloading`; more often, it is not said."""
        self._say("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """The service is about to renew itself, and is `ready` when it has. Source: Type=notify-reload."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service is about to end; nothing else is said afterwards."""
        self._say("STOPPING=1")

    def tick(self, now: float) -> None:
        """Give a sign of life if it is due."""
        if now >= self.deadline:
            self.deadline = now + self._interval
            self._send("WATCHDOG=1")

    def _say(self, what: str, more: str = "") -> None:
        if self._said not in (what, "STOPPING=1"):
            self._said = what
            self._send(f"{what}\n{more}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(message.encode(), address)
