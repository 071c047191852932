"""Which group names and messages every channel layer accepts."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.channels.layer import Message

MAX_NAME_LENGTH = 100
_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_NAME_LENGTH}}}", re.ASCII)


def check_group_name(group: str) -> None:
    """Accept what every broker can carry as a channel name.

    Raises:
        ValueError: the name has other characters than ASCII letters, digits, `-`, `_` and `.`, or not 1 to 100.
    """
    if not _NAME.fullmatch(group):
        raise ValueError(
            f"invalid group name {group!r}; expected 1 to {MAX_NAME_LENGTH} ASCII letters, digits, '-', '_' or '.'"
        )


def encode_message(message: Mapping[str, Any]) -> str:
    """Return the message as JSON text; `decode_message` gives every reader a copy of its own.

    Raises:
        TypeError: the message is not a dict, or holds a key or value JSON has not; the message says where.
    """
    # Checked here because callers may be untyped; json.dumps alone turns keys into strings without a word.
    if not isinstance(message, dict):
        raise TypeError(
            f"a message is a dict of JSON values, not {type(message).__name__}: send {{'key': value}}"
        )
    _check_value(cast("object", message), "message")
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def decode_message(text: str) -> Message:
    """Return a new dict from what `encode_message` made."""
    return cast("Message", json.loads(text))


def _check_value(value: object, path: str) -> None:
    match value:
        case None | bool() | int() | str():
            pass
        case float():
            if not math.isfinite(value):
                raise TypeError(f"{path} is {value!r}, which JSON has no number for; send None or a string")
        case dict():
            for key, item in cast("dict[object, object]", value).items():
                if not isinstance(key, str):
                    raise TypeError(
                        f"{path} has the key {key!r} of type {type(key).__name__}; JSON keys are strings"
                    )
                _check_value(item, f"{path}[{key!r}]")
        case list() | tuple():
            for index, item in enumerate(cast("list[object] | tuple[object, ...]", value)):
                _check_value(item, f"{path}[{index}]")
        case _:
            raise TypeError(
                f"{path} is of type {type(value).__name__}, which JSON cannot hold; "
                "send a str, int, float, bool, None, list or dict"
            )
