"""The PROXY protocol: strict, whatever the cuts, and not a byte more than the header is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.proxy_protocol import MAX_LENGTH, HeaderParser, ProxyHeader, ProxyProtocolError, _crc32c

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
TCP4 = bytes([192, 0, 2, 1, 10, 0, 0, 2]) + (5000).to_bytes(2, "big") + (443).to_bytes(2, "big")
TCP6 = (
    bytes.fromhex("20010db8000000000000000000000007" + "20010db8000000000000000000000001")
    + (5000).to_bytes(2, "big")
    + (443).to_bytes(2, "big")
)
UNIX = b"/client".ljust(108, b"\0") + b"/run/app.sock".ljust(108, b"\0")
PROXIED4 = ProxyHeader(True, ("192.0.2.1", 5000), ("10.0.0.2", 443))
PROXIED6 = ProxyHeader(True, ("2001:db8::7", 5000), ("2001:db8::1", 443))


def binary(command: int, kind: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, kind]) + len(rest).to_bytes(2, "big") + rest


def tlv(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def parse(data: bytes) -> tuple[ProxyHeader | None, int]:
    parser = HeaderParser()
    taken = parser.receive_data(data)
    return parser.header, taken


LINES = [
    (b"PROXY TCP4 192.0.2.1 10.0.0.2 5000 443\r\n", PROXIED4),
    (b"PROXY TCP6 2001:db8::7 2001:DB8::1 5000 443\r\n", PROXIED6),
    (
        b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n",
        ProxyHeader(True, (":".join(["ffff"] * 8), 65535), (":".join(["ffff"] * 8), 65535)),
    ),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:10.0.0.2 5000 443\r\n", PROXIED4),
    (b"PROXY UNKNOWN\r\n", ProxyHeader(False)),
    (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ProxyHeader(False)),
]
BINARIES = [
    (binary(0x21, 0x11, TCP4), PROXIED4),
    (binary(0x21, 0x21, TCP6), PROXIED6),
    (binary(0x21, 0x31, UNIX), ProxyHeader(True, None, ("/run/app.sock", None))),
    (binary(0x20, 0x00, b""), ProxyHeader(False)),
    (binary(0x20, 0x11, TCP4), ProxyHeader(False)),
    (binary(0x20, 0xFF, b"junk"), ProxyHeader(False)),  # 2.2: the receiver must ignore what LOCAL brings
    (binary(0x21, 0x00, b""), ProxyHeader(False)),
    (binary(0x21, 0x11, TCP4 + tlv(0x01, b"h2") + tlv(0x04, bytes(100))), PROXIED4),
    # PP2_TYPE_SSL: the client speaks TLS with the balancer, or it does not.
    (
        binary(0x21, 0x11, TCP4 + tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3"))),
        PROXIED4._replace(is_secure=True),
    ),
    (binary(0x21, 0x11, TCP4 + tlv(0x20, b"\x00\0\0\0\0")), PROXIED4),
    (binary(0x21, 0x11, TCP4 + tlv(0xEA, b"\x01vpce-08d2bf15fac5001c9")), PROXIED4),  # what AWS adds
    (binary(0x21, 0x11, TCP4 + tlv(0x04, bytes(MAX_LENGTH - 16 - 12 - 3))), PROXIED4),
]


@pytest.mark.parametrize(("data", "header"), LINES + BINARIES)
def test_headers(data: bytes, header: ProxyHeader) -> None:
    assert parse(data) == (header, len(data))


@pytest.mark.parametrize(("data", "header"), LINES + BINARIES)
def test_what_follows_is_not_touched(data: bytes, header: ProxyHeader) -> None:
    """It may be the begin of a TLS handshake."""
    for rest in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PROXY TCP4", SIGNATURE):
        assert parse(data + rest) == (header, len(data))


@given(st.sampled_from(LINES + BINARIES), st.data())
def test_cuts_make_no_difference(case: tuple[bytes, ProxyHeader], data: st.DataObject) -> None:
    sent, header = case
    stream = sent + b"rest"
    parser, at = HeaderParser(), 0
    while parser.header is None:
        size = data.draw(st.integers(1, len(stream) - at))
        at += parser.receive_data(stream[at : at + size])
    assert (parser.header, at) == (header, len(sent))


def checksummed(rest: bytes) -> bytes:
    blank = binary(0x21, 0x11, TCP4 + tlv(0x03, bytes(4)) + rest)
    return blank.replace(tlv(0x03, bytes(4)), tlv(0x03, _crc32c(blank).to_bytes(4, "big")))


def test_checksum() -> None:
    """2.2.4: a receiver that knows it must verify it."""
    assert _crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    data = checksummed(tlv(0x04, b"pad"))
    assert parse(data) == (PROXIED4, len(data))
    with pytest.raises(ProxyProtocolError, match="checksum"):
        parse(data[:-1] + b"x")
    with pytest.raises(ProxyProtocolError, match="checksum"):
        parse(binary(0x21, 0x11, TCP4 + tlv(0x03, b"abc")))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"\r\n\r\n\x00\r\nQUIX",
        b"PROXY\r\n",
        b"PROXY \r\n",
        b"proxy TCP4 192.0.2.1 10.0.0.2 5000 443\r\n",
        b"PROXY  TCP4 192.0.2.1 10.0.0.2 5000 443\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 5000\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 5000 443 \r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 5000 443\n\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 65536 443\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 05000 443\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.2 -1 443\r\n",
        b"PROXY TCP4 192.0.2.256 10.0.0.2 5000 443\r\n",
        b"PROXY TCP4 192.000.002.001 10.0.0.2 5000 443\r\n",
        b"PROXY TCP4 ::1 ::2 5000 443\r\n",
        b"PROXY TCP6 192.0.2.1 10.0.0.2 5000 443\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 5000 443\r\n",
        b"PROXY UDP4 192.0.2.1 10.0.0.2 5000 443\r\n",
        b"PROXY UNKNOWNN\r\n",
        b"PROXY UNKNOWN " + b"x" * 93,
        b"PROXY TCP4 " + b"1" * 200,
        binary(0x11, 0x11, TCP4),
        binary(0x22, 0x11, TCP4),
        binary(0x31, 0x11, TCP4),
        binary(0x21, 0x12, TCP4),
        binary(0x21, 0x11, TCP4[:-1]),
        binary(0x21, 0x21, TCP4),
        binary(0x21, 0x31, TCP6),
        binary(0x21, 0x11, TCP4 + b"\x01"),
        binary(0x21, 0x11, TCP4 + b"\x01\x00"),
        binary(0x21, 0x11, TCP4 + tlv(0x01, b"ab")[:-1]),
        binary(0x21, 0x11, TCP4 + bytes(MAX_LENGTH)),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ProxyProtocolError):
        parse(data)


@pytest.mark.parametrize("data", [b"X", b"PROXX", b"\r\r", SIGNATURE[:-1] + b"x", b"PROXY " + b"x" * 101])
def test_refusal_does_not_wait_for_more(data: bytes) -> None:
    with pytest.raises(ProxyProtocolError):
        parse(data)


def test_refusal_of_a_length_does_not_wait_for_the_bytes() -> None:
    with pytest.raises(ProxyProtocolError, match="65551 bytes"):
        parse(SIGNATURE + b"\x21\x11\xff\xff")


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\0\x0c"]),
)
def test_junk_is_refused_or_waited_for(junk: bytes, begin: bytes) -> None:
    data = begin + junk
    try:
        header, taken = parse(data)
    except ProxyProtocolError:
        return
    assert taken <= len(data)
    assert header is not None or taken == len(data)
