"""Tell the kernel which of the sockets that share a port get the next connections (Linux).

Sockets with SO_REUSEPORT form a group; the kernel gives each new connection to one of them, whether its worker serves or not.
A classic BPF program on the group picks the socket instead: one at random among those that serve. So a worker that is gone,
that hangs, or that is about to go gets nothing new, and no socket need be closed for that, which would reset the connections
that wait in it. The program sees sockets as numbers, in the order in which they began to listen.

Source: socket(7) SO_ATTACH_REUSEPORT_CBPF; Linux Documentation/networking/filter.rst.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_RANDOM: Final = (
    0xFFFFF000 + 56
)  # SKF_AD_OFF + SKF_AD_RANDOM: a random number, in the place of bytes of the packet
_LOAD, _MODULO, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06


def build_program(indexes: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return the instructions (code, jump if true, jump if false, operand) that pick one of the indexes, each as often."""
    program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(indexes))]
    for number, index in enumerate(indexes[:-1]):
        program += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, index)]
    return [*program, (_RETURN, 0, 0, indexes[-1])]


def steer(listener: socket.socket, indexes: Sequence[int]) -> None:
    """Give the next connections of the socket's group to the sockets with these indexes, at least one.

    An index that no socket has means any socket.

    Raises:
        OSError: the system cannot.
    """
    program = build_program(indexes)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: the number of instructions, and where they are.
    pointer = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, pointer)


def can_steer() -> bool:
    """Tell whether this system can: Linux can, some sandboxes cannot."""
    if sys.platform != "linux":
        return False
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind(("127.0.0.1", 0))
            probe.listen()
            steer(probe, [0])
        except OSError:
            return False
    return True
