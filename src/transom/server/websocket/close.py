"""Close codes, and the payload of a close frame."""

from __future__ import annotations

from enum import IntEnum

from transom.server.websocket.exceptions import LocalProtocolError, RemoteProtocolError

MAX_REASON_SIZE = 123  # a control frame holds 125 bytes, the code takes two of them


class CloseCode(IntEnum):
    """Registered close codes that this package names.

    Source: RFC 6455 section 7.4.1 and the IANA WebSocket close code registry.
    """

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS_RECEIVED = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_PAYLOAD = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013


# 1004 is reserved; 1005, 1006 and 1015 only ever describe the absence of a code (RFC 6455 7.4.1).
_REGISTERED = frozenset({*range(1000, 1004), *range(1007, 1015)})


def is_wire_code(code: int) -> bool:
    """Tell whether a close frame may carry the code.

    Source: RFC 6455 section 7.4.2: registered codes, 3000-3999 (libraries) and 4000-4999 (applications).
    """
    return code in _REGISTERED or 3000 <= code <= 4999


def build_close_payload(code: int, reason: str = "") -> bytes:
    """Return the payload of a close frame.

    Raises:
        LocalProtocolError: the code may not be sent, or the reason is longer than 123 bytes in UTF-8.
    """
    if not is_wire_code(code):
        raise LocalProtocolError(
            f"close code {code!r} may not be sent; choose from 1000-1003, 1007-1014, 3000-4999 (RFC 6455 7.4)"
        )
    encoded = reason.encode()
    if len(encoded) > MAX_REASON_SIZE:
        raise LocalProtocolError(
            f"close reason of {len(encoded)} bytes does not fit a control frame; keep it to {MAX_REASON_SIZE} (RFC 6455 5.5)"
        )
    return code.to_bytes(2, "big") + encoded


def parse_close_payload(payload: bytes) -> tuple[int, str]:
    """Return code and reason of a close frame; 1005 and no reason where the payload is empty.

    Raises:
        RemoteProtocolError: half a code, a code that may not be sent, or a reason that is not UTF-8.

    Source: RFC 6455 section 5.5.1.
    """
    if not payload:
        return CloseCode.NO_STATUS_RECEIVED.value, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not is_wire_code(code):
        raise RemoteProtocolError(f"invalid close payload or code {code}", CloseCode.PROTOCOL_ERROR)
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as exc:
        raise RemoteProtocolError("close reason is not UTF-8", CloseCode.INVALID_PAYLOAD) from exc
