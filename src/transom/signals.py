"""Signals: one part of a program says that something happened, and others, which it need not know, act on it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import MethodType
from typing import Any, TypeAlias, TypeVar
from weakref import WeakMethod, ref

__all__ = ["Receiver", "Signal", "receiver"]

logger = logging.getLogger("transom.signals")

Receiver: TypeAlias = Callable[..., Awaitable[object] | object]
"""A function that takes `sender`, `signal` and the keywords of the signal: `async def`, or a plain one."""

R = TypeVar("R", bound=Receiver)


@dataclass(frozen=True, slots=True, eq=False)
class _Connection:
    """One receiver with the sender that it listens to.

    Attributes:
        key: what it is known by; of receivers that are gone, the same key may come again.
        receiver: returns the receiver, or None once it is gone.
        sender: returns the sender, or None once it is gone; None for all senders.
    """

    key: tuple[object, object]
    receiver: Callable[[], Receiver | None]
    sender: Callable[[], object] | None

    @property
    def is_alive(self) -> bool:
        return self.receiver() is not None and (self.sender is None or self.sender() is not None)

    def hears(self, sender: object) -> bool:
        return self.sender is None or self.sender() is sender


class Signal:
    """Something that happens, and the functions to call when it does.

    Receivers are called one after the other in the order of their connection, each awaited if it can be. Connecting and
    disconnecting while a signal is sent counts from the next time on. Connect where modules are imported: a signal is
    not meant to be changed by several threads at once.
    """

    def __init__(self) -> None:
        self._connections: tuple[_Connection, ...] = ()  # replaced, never changed

    def connect(
        self,
        receiver: Receiver,
        sender: object = None,
        weak: bool = True,
        dispatch_uid: object = None,
    ) -> None:
        """Call a function each time the signal is sent. A second time for the same receiver and sender does nothing.

        Args:
            receiver: a function, `async def` or not, that takes keywords it does not name (`**kwargs`).
            sender: the object to listen to, such as a model; None for all of them.
            weak: whether the receiver may be freed once nothing else refers to it, which ends the connection: so it is
                at once for a lambda, and for a function made inside another that ends.
            dispatch_uid: what the receiver is known by instead of its identity, for a module that is run twice.

        Raises:
            TypeError: the receiver cannot be called, or not with keywords it does not name.
        """
        _check_receiver(receiver)
        key = (_identity(receiver) if dispatch_uid is None else dispatch_uid, _identity(sender))
        alive = self._alive()
        if all(connection.key != key for connection in alive):
            made = _Connection(
                key,
                _refer(receiver) if weak else lambda: receiver,
                None if sender is None else _refer(sender),
            )
            alive = (*alive, made)
        self._replace(alive)

    def disconnect(
        self, receiver: Receiver | None = None, sender: object = None, dispatch_uid: object = None
    ) -> bool:
        """End a connection, named as it was made, and return whether there was one."""
        key = (_identity(receiver) if dispatch_uid is None else dispatch_uid, _identity(sender))
        alive = self._alive()
        kept = tuple([connection for connection in alive if connection.key != key])
        self._replace(kept)
        return len(kept) < len(alive)

    def has_listeners(self, sender: object = None) -> bool:
        """Whether anything would be called if this sender sent the signal."""
        return bool(self._connections) and bool(self._receivers(sender))

    async def send(self, sender: object, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call the receivers, and return each with what it returned. Any: each signal has keywords of its own.

        An exception of a receiver comes out here, and those after it are not called.

        Cancellation: reaches the receiver that is awaited; those before it are done, those after it are not called.
        """
        answers: list[tuple[Receiver, Any]] = []
        for each in self._receivers(sender):
            answers.append((each, await self._call(each, sender, named)))
        return answers

    async def send_robust(self, sender: object, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call the receivers as `send()` does, and go on after an exception: it is logged, and stands as the answer.

        Cancellation: as in `send()`; it is no exception of a receiver.
        """
        answers: list[tuple[Receiver, Any]] = []
        for each in self._receivers(sender):
            try:
                answers.append((each, await self._call(each, sender, named)))
            except Exception as exc:
                name = getattr(each, "__qualname__", repr(each))
                logger.exception("receiver %s failed in send_robust()", name)
                answers.append((each, exc))
        return answers

    async def _call(self, each: Receiver, sender: object, named: dict[str, Any]) -> Any:
        answer = each(signal=self, sender=sender, **named)
        return await answer if inspect.isawaitable(answer) else answer

    def _receivers(self, sender: object) -> tuple[Receiver, ...]:
        """Return the functions to call for a sender."""
        found = [connection.receiver() for connection in self._connections if connection.hears(sender)]
        return tuple([each for each in found if each is not None])

    def _alive(self) -> tuple[_Connection, ...]:
        return tuple([connection for connection in self._connections if connection.is_alive])

    def _replace(self, connections: tuple[_Connection, ...]) -> None:
        self._connections = connections


def receiver(signal: Signal | Iterable[Signal], **options: Any) -> Callable[[R], R]:
    """Connect the function below to a signal, or to several: `@receiver(post_save, sender=Question)`.

    Args:
        signal: one, or several.
        options: as in `Signal.connect`. Any: they differ in type.
    """
    signals = (signal,) if isinstance(signal, Signal) else tuple(signal)

    def connect(function: R) -> R:
        for each in signals:
            each.connect(function, **options)
        return function

    return connect


def _identity(target: object) -> object:
    """Return what an object is known by; a bound method is made anew each time it is read."""
    return (id(target.__self__), id(target.__func__)) if isinstance(target, MethodType) else id(target)


def _refer(target: Any) -> Callable[[], Any]:
    """Return a weak reference; a strong one to what cannot be referred to weakly. Any: objects of every type."""
    try:
        return WeakMethod(target) if isinstance(target, MethodType) else ref(target)
    except TypeError:
        return lambda: target


def _check_receiver(receiver: object) -> None:
    if not callable(receiver):
        raise TypeError(f"receiver {receiver!r} cannot be called; connect a function")
    try:
        parameters = inspect.signature(receiver).parameters.values()
    except ValueError:  # written in C, and does not say
        return
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
        raise TypeError(
            f"receiver {receiver!r} must take keywords it does not name, for signals may get more; add **kwargs"
        )
