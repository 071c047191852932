"""Messages for the visitor's next page: what became of a form, shown once after the redirect.

    await messages.success(request, "Your vote was counted.")
    return redirect("polls:results", pk=pk)

    {% for message in messages %}<p class="{{ message.tags }}">{{ message }}</p>{% endfor %}

They wait in the session, so a middleware has to keep sessions. Iterating over them takes them; who does not iterate leaves
them for the next page. A page that fails with 500 takes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from transom.web.request import Request

__all__ = [
    "DEBUG",
    "DEFAULT_TAGS",
    "ERROR",
    "INFO",
    "SUCCESS",
    "WARNING",
    "Message",
    "WaitingMessages",
    "add_message",
    "debug",
    "error",
    "get_level",
    "get_messages",
    "info",
    "set_level",
    "success",
    "warning",
]

# As in Django.
DEBUG = 10
INFO = 20
SUCCESS = 25
WARNING = 30
ERROR = 40
DEFAULT_TAGS = {DEBUG: "debug", INFO: "info", SUCCESS: "success", WARNING: "warning", ERROR: "error"}

KEY = "_messages"
# A session may live in a cookie, which holds 4 KiB at most, base64 and all; messages that no page shows must not fill it.
MAX_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Message:
    """One message. In a template `{{ message }}` is its text, escaped unless it was marked as safe.

    Attributes:
        level: one of `DEBUG`, `INFO`, `SUCCESS`, `WARNING`, `ERROR`, or a number of your own.
        message: the text.
        extra_tags: further words for `tags`.
        level_tag: the word for the level; empty where a level of your own has none in the setting `message_tags`.
        is_safe: whether the text is HTML, as of `markupsafe.Markup`.
    """

    level: int
    message: str
    extra_tags: str = ""
    level_tag: str = ""
    is_safe: bool = False

    @property
    def tags(self) -> str:
        """The words of `extra_tags` and `level_tag`, for the attribute `class`."""
        return " ".join(filter(None, (self.extra_tags, self.level_tag)))

    def __str__(self) -> str:
        return self.message

    def __html__(self) -> str:
        return self.message if self.is_safe else escape(self.message)


class WaitingMessages:
    """The messages of a visitor, the oldest first; `messages` in every template. Iterating takes them.

    Without sessions there are none. A session is looked at, and so the response varies by cookie, only when iteration begins.
    """

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    async def __aiter__(self) -> AsyncIterator[Message]:
        request = self._request
        if request.open_session is None:
            return
        tags = _find_tags(request)
        for level, text, extra_tags, is_safe in (await request.session()).pop(KEY, ()):
            yield Message(level, text, extra_tags, tags.get(level, ""), is_safe)

    def __bool__(self) -> bool:
        """Refuse: whether there are any is not known before the session was awaited.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "whether messages wait is known only once they are read; write {% for message in messages %}, with loop.first "
            "and loop.last for what stands around them"
        )


def get_messages(request: Request) -> WaitingMessages:
    """Return the messages that wait for this visitor, to iterate over with `async for`, which takes them."""
    return WaitingMessages(request)


def get_level(request: Request) -> int:
    """Return the least level of messages that are kept during this request."""
    return request.app.settings.message_level if request.message_level is None else request.message_level


def set_level(request: Request, level: int | None) -> None:
    """Keep only messages of this level and above for the rest of this request; None for the setting `message_level`."""
    request.message_level = level


async def add_message(
    request: Request, level: int, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message for the next page that shows messages; below the least level it is dropped.

    All that wait have room for 2000 letters, for which the oldest give way.

    Args:
        request: the request.
        level: how grave it is.
        message: the text, or what `str` makes a text of; it is escaped when it is shown, unless it has `__html__`.
        extra_tags: further words for `Message.tags`.
        fail_silently: drop it where there are no sessions, for apps that do not know the site.

    Raises:
        RuntimeError: no middleware keeps sessions.
    """
    if level < get_level(request) or (fail_silently and request.open_session is None):
        return
    session = await request.session()
    waiting = [*session.get(KEY, ()), [level, str(message), extra_tags, hasattr(message, "__html__")]]
    while len(waiting) > 1 and sum(map(_size_of, waiting)) > MAX_SIZE:
        del waiting[0]
    session[KEY] = waiting


async def debug(
    request: Request, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message for developers; dropped unless the least level is lowered. See `add_message`."""
    await add_message(request, DEBUG, message, extra_tags, fail_silently=fail_silently)


async def info(
    request: Request, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message that tells something. See `add_message`."""
    await add_message(request, INFO, message, extra_tags, fail_silently=fail_silently)


async def success(
    request: Request, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message that something was done. See `add_message`."""
    await add_message(request, SUCCESS, message, extra_tags, fail_silently=fail_silently)


async def warning(
    request: Request, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message that something may go wrong. See `add_message`."""
    await add_message(request, WARNING, message, extra_tags, fail_silently=fail_silently)


async def error(
    request: Request, message: object, extra_tags: str = "", *, fail_silently: bool = False
) -> None:
    """Keep a message that something went wrong. See `add_message`."""
    await add_message(request, ERROR, message, extra_tags, fail_silently=fail_silently)


def _size_of(
    stored: list[Any],
) -> int:  # Any: level, text, extra tags and whether it is safe, as JSON brings them
    return len(stored[1]) + len(stored[2])


def _find_tags(request: Request) -> Mapping[int, str]:
    return DEFAULT_TAGS | request.app.settings.message_tags
