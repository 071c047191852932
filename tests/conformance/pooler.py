"""A pooler of PostgreSQL sessions in transaction mode, as PgBouncer is one, and as unkind as it may be.

Each transaction of a client runs on another session of the server than the one before. The messages are those of
https://www.postgresql.org/docs/current/protocol-message-formats.html.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
SESSIONS = 2

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def running_pooler(host: str, port: int) -> AsyncIterator[int]:
    """A pooler in front of a server that asks for no password; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Client(reader, writer, host, port).serve()
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


class Client:
    """One client, with sessions of the server that take turns."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        self._reader, self._writer = reader, writer
        self._host, self._port = host, port
        self._sessions: list[Stream] = []

    async def serve(self) -> None:
        startup = await self._read_startup()
        if startup is None:
            return
        try:
            for number in range(SESSIONS):
                self._sessions.append(await self._open(startup, tell=number == 0))
            await self._take_turns()
        finally:
            for _, writer in self._sessions:
                writer.close()

    async def _read_startup(self) -> bytes | None:
        while True:
            size = await self._reader.readexactly(4)
            rest = await self._reader.readexactly(struct.unpack("!I", size)[0] - 4)
            (code,) = struct.unpack("!I", rest[:4])
            if code == SSL_REQUEST:
                self._writer.write(b"N")
            else:
                return None if code == CANCEL_REQUEST else size + rest

    async def _open(self, startup: bytes, *, tell: bool) -> Stream:
        session = await asyncio.open_connection(self._host, self._port)
        session[1].write(startup)
        await self._relay_answer(session, tell=tell)
        return session

    async def _take_turns(self) -> None:
        while True:
            session = self._sessions.pop(0)
            self._sessions.append(session)
            while await self._exchange(session) != b"I":
                pass

    async def _exchange(self, session: Stream) -> bytes:
        """Pass on what the client sends up to a Query or a Sync, and all answers; return the state of the transaction."""
        kind, message = await read_message(self._reader)
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(self._relay_answer(session, tell=True))
            session[1].write(message)
            while kind not in b"QS":
                kind, message = await read_message(self._reader)
                session[1].write(message)
        return answer.result()

    async def _relay_answer(self, session: Stream, *, tell: bool) -> bytes:
        """Pass on what the server answers; return whether it is in a transaction then: `I` if not."""
        while True:
            kind, message = await read_message(session[0])
            if tell:
                self._writer.write(message)
            if kind == b"Z":
                return message[-1:]


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the kind of a message, and the whole of it."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
