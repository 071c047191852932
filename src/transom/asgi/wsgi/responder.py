"""The thread's half of a request: call the WSGI application, and take its response apart.

Source: PEP 3333, "Specification Details".
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from transom.asgi.wsgi.body import RequestBody
from transom.asgi.wsgi.disconnect import ClientDisconnected
from transom.asgi.wsgi.environ import build_environ
from transom.asgi.wsgi.exchange import Exchange, Message, Order
from transom.asgi.wsgi.filewrapper import FileWrapper
from transom.asgi.wsgi.head import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from wsgiref.types import WSGIApplication

    from _typeshed import OptExcInfo

    from transom.asgi.types import HTTPScope


class Responder:
    """Runs the application for one request.

    Args:
        exchange: where messages go to and the request body comes from.
        app: the application.
        scope: of the request.
        has_body: whether the request may have a body.
        multiprocess: whether other processes run the same application.
    """

    def __init__(
        self,
        exchange: Exchange,
        app: WSGIApplication,
        scope: HTTPScope,
        *,
        has_body: bool,
        multiprocess: bool,
    ) -> None:
        self._exchange = exchange
        self._app = app
        self._scope = scope
        self._has_body = has_body
        self._multiprocess = multiprocess
        self._is_head = scope["method"] == "HEAD"
        self._head: Head | None = None
        self._head_posted = False
        self._left: int | None = None  # bytes that are missing to the promised content-length
        self._ended = False  # the response is complete

    def run(self) -> None:
        """Serve the request. Never raises: the loop is told."""
        error: BaseException | None = None
        try:
            if self._exchange.begin():
                self._respond()
        except Exception as exc:
            error = exc
        except BaseException as exc:
            # sys.exit() in an application ends its request; passed on, it would end the event loop.
            error = RuntimeError(f"application raised {exc!r}")
            error.__cause__ = exc
        self._exchange.end(error)

    def _respond(self) -> None:
        body = RequestBody.open(self._exchange.pull_body) if self._has_body else io.BytesIO()
        environ = build_environ(self._scope, cast("Any", body), multiprocess=self._multiprocess)
        iterable = self._app(environ, self.start_response)
        try:
            self._send(iterable)
        except ClientDisconnected:
            pass  # what nobody reads is not made
        finally:
            close: Callable[[], object] | None = getattr(iterable, "close", None)
            if close is not None:
                close()

    def _send(self, iterable: Iterable[bytes]) -> None:
        if isinstance(iterable, FileWrapper) and self._send_file(iterable):
            return
        if type(iterable) in (list, tuple):
            self._send_sequence(cast("Sequence[bytes]", iterable))
        else:
            self._send_iterable(iterable)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """Take status and fields, which leave with the first piece of the body; return `write`.

        Raises:
            ValueError: the status or a field is malformed.
            RuntimeError: it was called before, without an error to report.
            BaseException: the error that is to be reported, if it is too late to.
        """
        if exc_info is not None:
            try:
                if self._head_posted and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle through this frame
        elif self._head is not None:
            raise RuntimeError("start_response was called a second time, without exc_info")
        self._head = Head.parse(status, headers)
        return self.write

    def write(self, piece: bytes) -> None:
        """Send a piece of the body before the ones that are returned.

        Raises:
            ClientDisconnected: nobody reads it.
        """
        self._post_piece(piece)

    # The three kinds of responses.

    def _send_sequence(self, pieces: Sequence[bytes]) -> None:
        """Send what is all there, with its length, in one go."""
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._head is not None and not self._head_posted and not self._is_head:
            self._head.set_length(len(body))
            self._left = self._head.content_length
        self._post_piece(body)
        self._post_end()

    def _send_iterable(self, pieces: Iterable[bytes]) -> None:
        """Send piece by piece: none waits for the next one."""
        for piece in pieces:
            self._post_piece(piece)
            if self._is_head and self._head_posted:
                break
        self._post_end()

    def _send_file(self, wrapper: FileWrapper) -> bool:
        """Have the server send a file by itself; return False if it cannot."""
        if "http.response.zerocopysend" not in (self._scope.get("extensions") or {}):
            return False
        region, head = wrapper.find_region(), self._head
        if region is None or head is None or self._head_posted or self._is_head or not region.count:
            return False
        head.set_length(region.count)
        count = region.count if head.content_length is None else min(region.count, head.content_length)
        self._exchange.post(
            self._take_head(head),
            {
                "type": "http.response.zerocopysend",
                "file": region.file,
                "offset": region.offset,
                "count": count,
                "more_body": False,
            },
        )
        self._exchange.flush()  # the file is closed next
        return True

    # Messages.

    def _post_piece(self, piece: bytes) -> None:
        if not isinstance(piece, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a piece of the body must be bytes, not {type(piece).__name__}")
        if not piece:
            return  # PEP 3333: the head waits for one that is not empty
        if self._ended:
            raise ValueError("the body is longer than its content-length")
        orders: list[Message | bytes | Order] = [piece]
        if not self._head_posted:
            if self._head is None:
                raise RuntimeError("the application sent a body before it called start_response")
            orders.insert(0, self._take_head(self._head))
        if self._left is not None:
            self._left -= len(piece)
            if self._left == 0:
                # Complete: the client need not wait for what the application does after its last piece.
                self._ended = True
                orders.append(Order.END_BODY)
        self._exchange.post(*orders)

    def _post_end(self) -> None:
        if self._ended:
            return
        self._ended = True
        # A message of its own, even where it could be one with the last piece: how a response of unknown length is framed must
        # not depend on which thread was faster.
        end: Message = {"type": "http.response.body", "body": b"", "more_body": False}
        if self._head_posted:
            self._exchange.post(end)
        elif self._head is None:
            raise RuntimeError("the application returned without calling start_response")
        else:
            self._exchange.post(self._take_head(self._head), end)

    def _take_head(self, head: Head) -> Message:
        self._head_posted = True
        if not self._is_head:
            self._left = head.content_length
        return head.to_message()
