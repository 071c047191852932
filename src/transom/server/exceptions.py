"""What the server raises into an application, and what it raises to whoever starts it.

Exception
├── MessageError(RuntimeError)       an ASGI message out of order or of an unknown type
├── ClientDisconnected(OSError)      the application sent to a client that is gone
├── LoadError(Exception)             the application could not be imported
├── StartupError(Exception)          the application refused to start, or did not in time
├── BindError(Exception)             an address cannot be listened on
└── ConfigError(Exception)           an option, or a file that an option names, cannot be used
"""

from __future__ import annotations

from typing import cast


class MessageError(RuntimeError):
    """The application sent a message that is malformed, unknown or out of order; nothing of it has left."""


class ClientDisconnected(OSError):
    """The application sent to a client that is gone.

    An application need not catch it: one that escapes is not logged.  Source: ASGI HTTP and WebSocket spec 2.4.
    """


class LoadError(Exception):
    """The application could not be imported; the message says what was looked for and what is there."""


class StartupError(Exception):
    """The application's lifespan failed to start; the process ends with exit code 3."""


class BindError(Exception):
    """An address cannot be listened on; the message says which, why and what to do."""


class ConfigError(Exception):
    """An option, or a file that an option names, cannot be used; the message is one line for whoever gave it."""


class TLSError(Exception):
    """A certificate, key or list of authorities cannot be used; the message says which file, why and what to do."""


def is_client_disconnect(error: BaseException) -> bool:
    """Tell whether an error is ClientDisconnected, or a group (of groups) of nothing else.

    A task group of the application wraps what its tasks raise.
    """
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)  # isinstance() cannot tell what it holds
        return all(map(is_client_disconnect, group.exceptions))
    return isinstance(error, ClientDisconnected)
