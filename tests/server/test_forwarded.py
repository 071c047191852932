"""Forwarded fields: only what trusted proxies wrote, and never an error."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.forwarded import MAX_HOPS, iter_elements, parse_node, resolve
from transom.server.scope import Peer
from transom.server.trust import TrustedProxies

PROXY = ("10.0.0.1", 4000)
TRUSTED = TrustedProxies(["10.0.0.0/8", "unix"])


def ask(
    style: str,
    *headers: tuple[str, str],
    trusted: TrustedProxies = TRUSTED,
    client: tuple[str, int] | None = PROXY,
) -> tuple[Peer, list[tuple[bytes, bytes]]]:
    peer = Peer("http", client, ("10.0.0.2", 8000), is_trusted=True)
    return resolve(peer, [(name.encode(), value.encode()) for name, value in headers], style, trusted)


def client_of(style: str, value: str, **options: TrustedProxies) -> tuple[str, int] | None:
    name = "forwarded" if style == "forwarded" else "x-forwarded-for"
    return ask(style, (name, value), **options)[0].client


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("203.0.113.7", ("203.0.113.7", 0)),
        ("203.0.113.7:5555", ("203.0.113.7", 5555)),
        ("2001:db8::7", ("2001:db8::7", 0)),
        ("[2001:DB8::7]:80", ("2001:db8::7", 80)),
        ("::ffff:203.0.113.7", ("203.0.113.7", 0)),
        # Right-most address that is no proxy of ours; what is left of it, anybody may have written.
        ("6.6.6.6, 203.0.113.7", ("203.0.113.7", 0)),
        ("6.6.6.6, 203.0.113.7, 10.9.9.9", ("203.0.113.7", 0)),
        ("10.3.3.3, 10.2.2.2", ("10.3.3.3", 0)),
        ("<script>, 203.0.113.7", ("203.0.113.7", 0)),
        (", ,203.0.113.7,", ("203.0.113.7", 0)),
        ("203.0.113.7, unix:", ("203.0.113.7", 0)),  # nginx behind nginx over a Unix socket
        # Hidden on purpose: nobody, rather than the proxy and its rights.
        ("unknown", None),
        ("203.0.113.7, unknown", None),
        # Unreadable: the last that could be read.
        ("garbage", PROXY),
        ("203.0.113.7, garbage, 10.2.2.2", ("10.2.2.2", 0)),
        ("1.2.3", PROXY),
        ("01.2.3.4", PROXY),
        ("[1.2.3.4]", PROXY),
        ("[::1", PROXY),
        ("203.0.113.7:99999", PROXY),
        ("203.0.113.7:", PROXY),
        (":" * 5000, PROXY),
        ("", PROXY),
    ],
)
def test_x_forwarded_for(value: str, client: tuple[str, int] | None) -> None:
    assert client_of("x-forwarded", value) == client


def test_fields_of_one_name_are_one_list() -> None:
    """A proxy may add a field of its own instead of appending."""
    peer, _ = ask("x-forwarded", ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.7"))
    assert peer.client == ("203.0.113.7", 0)


def test_trusting_everybody_takes_the_left_most() -> None:
    trusted = TrustedProxies(["*"])
    assert client_of("x-forwarded", "203.0.113.7, 198.51.100.1", trusted=trusted) == ("203.0.113.7", 0)


def test_hops_are_bounded() -> None:
    hops = [f"10.1.{number}.1" for number in range(200)]
    client = client_of("x-forwarded", ", ".join(hops))
    assert client == (hops[-MAX_HOPS], 0)
    assert client_of("forwarded", ", ".join(f"for={hop}" for hop in hops)) == client


def test_proxy_on_a_unix_socket() -> None:
    peer, _ = ask("x-forwarded", ("x-forwarded-for", "203.0.113.7"), client=None)
    assert peer.client == ("203.0.113.7", 0)
    assert peer.client_host == "203.0.113.7"


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("wss", "https"), ("ws", "http"), ("http", "http")]
    + [(bad, "http") for bad in ("ftp", "javascript", "https:", "", '"https"', "https;http")],
)
def test_scheme_is_one_of_four_words(proto: str, scheme: str) -> None:
    assert ask("x-forwarded", ("x-forwarded-proto", proto))[0].scheme == scheme


def test_values_of_a_list_belong_to_the_hop_of_the_client() -> None:
    """The outer proxy speaks TLS, the inner one does not: each appended to each field."""
    fields = [
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.2.2.2"),
        ("x-forwarded-proto", "http, https, http"),
        ("x-forwarded-host", "evil.example, shop.example, inner"),
        ("x-forwarded-port", "1, 443, 8080"),
    ]
    peer, headers = ask("x-forwarded-host", ("host", "app"), *fields)
    assert (peer.client, peer.scheme, peer.server) == (("203.0.113.7", 0), "https", ("10.0.0.2", 443))
    assert dict(headers)[b"host"] == b"shop.example"


def test_value_that_is_set_anew_is_the_last() -> None:
    """A proxy that appends addresses and sets the scheme: a scheme which a client sent before it is not there any more."""
    peer, _ = ask("x-forwarded", ("x-forwarded-for", "6.6.6.6, 203.0.113.7"), ("x-forwarded-proto", "https"))
    assert peer.scheme == "https"


@pytest.mark.parametrize("port", ["0", "65536", "443a", "-1", "+80", "080"])
def test_port_that_is_none_is_ignored(port: str) -> None:
    assert ask("x-forwarded-host", ("x-forwarded-port", port))[0].server == ("10.0.0.2", 8000)


def test_host_replaces_the_field_host() -> None:
    peer, headers = ask(
        "x-forwarded-host", ("accept", "*/*"), ("host", "inner"), ("x-forwarded-host", "shop.example:8443")
    )
    assert [value for name, value in headers if name == b"host"] == [b"shop.example:8443"]
    assert peer.client == PROXY


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@a", "[::1", "a\\b", "a,b", "a:b"])
def test_host_that_is_none_is_ignored(host: str) -> None:
    """What `Host` itself must be, this one must be too: URLs are built from it."""
    _, headers = ask("x-forwarded-host", ("host", "inner"), ("x-forwarded-host", host))
    expected = b"b" if host == "a,b" else b"inner"  # a list, of which the last counts
    assert dict(headers)[b"host"] == expected


def test_given_fields_are_not_changed() -> None:
    given_fields = [(b"host", b"inner"), (b"x-forwarded-host", b"shop.example")]
    resolve(Peer("http", PROXY, None), given_fields, "x-forwarded-host", TRUSTED)
    assert given_fields[0] == (b"host", b"inner")


def test_host_and_port_are_taken_only_where_the_proxy_is_said_to_set_them() -> None:
    """Most proxies pass on what a client sent, and URLs in mails are built from the host."""
    sent = [("host", "inner"), ("x-forwarded-host", "evil.example"), ("x-forwarded-port", "1")]
    peer, headers = ask("x-forwarded", ("x-forwarded-for", "203.0.113.7"), *sent)
    assert peer.client == ("203.0.113.7", 0)
    assert peer.server == ("10.0.0.2", 8000)
    assert dict(headers)[b"host"] == b"inner"


def test_only_the_configured_style_counts() -> None:
    """A proxy that sets one leaves the other as the client sent it."""
    both = [("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=203.0.113.7;proto=https")]
    assert ask("x-forwarded", *both)[0].client == ("6.6.6.6", 0)
    assert ask("x-forwarded", *both)[0].scheme == "http"
    assert ask("forwarded", *both)[0].client == ("203.0.113.7", 0)
    assert ask("forwarded", both[0])[0].client == PROXY


@pytest.mark.parametrize(
    ("value", "client"),
    [
        # The examples of RFC 7239 section 4.
        ('for="_gazonk"', None),
        ('For="[2001:db8:cafe::17]:4711"', ("2001:db8:cafe::17", 4711)),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ("192.0.2.60", 0)),
        ("for=192.0.2.43, for=198.51.100.17", ("198.51.100.17", 0)),
        ("for=192.0.2.43, for=10.0.0.17", ("192.0.2.43", 0)),
        # Section 6.
        ('for="192.0.2.43:47011"', ("192.0.2.43", 47011)),
        ('for="192.0.2.43:_port"', ("192.0.2.43", 0)),
        ("for=unknown", None),
        ("for=_hidden, for=_SEVKISEK", None),
        ('for="\\1\\92.0.2.43"', ("192.0.2.43", 0)),  # quoted pairs
        ("for=192.0.2.43;", ("192.0.2.43", 0)),  # empty pairs are in the grammar
        ("for=192.0.2.43; proto=http", ("192.0.2.43", 0)),
        ("for=192.0.2.43,,", ("192.0.2.43", 0)),
        # Not in the grammar.
        ("for=192.0.2.43:47011", PROXY),
        ("for=[2001:db8::1]", PROXY),
        ("for =192.0.2.43", PROXY),
        ('for="192.0.2.43', PROXY),
        ("for=192.0.2.43;for=6.6.6.6", PROXY),
        ("192.0.2.43", PROXY),
        ("by=10.0.0.1", PROXY),
        # What a client sent cannot hide what a proxy appended.
        ('for="evil, for=192.0.2.43', ("192.0.2.43", 0)),
        ("for=\\, for=192.0.2.43", ("192.0.2.43", 0)),
        (";;;==, for=192.0.2.43", ("192.0.2.43", 0)),
    ],
)
def test_forwarded(value: str, client: tuple[str, int] | None) -> None:
    """Source: RFC 7239."""
    assert client_of("forwarded", value) == client


def test_forwarded_scheme_and_host_are_those_of_the_client() -> None:
    value = 'for=6.6.6.6;proto=http, for=203.0.113.7;proto=https;host="shop.example:8443", for=10.2.2.2;proto=http;host=inner'
    peer, headers = ask("forwarded", ("host", "app"), ("forwarded", value))
    assert (peer.client, peer.scheme) == (("203.0.113.7", 0), "https")
    assert dict(headers)[b"host"] == b"shop.example:8443"


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=8)
ODDITIES = st.text('ab,;="\\ \tfor=1.2.3.4', max_size=30)


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


ELEMENTS = st.lists(st.dictionaries(TOKENS, ODDITIES, min_size=1, max_size=4), min_size=1, max_size=6)


@given(ELEMENTS, ODDITIES)
def test_elements_are_read_whatever_their_strings_hold_and_whatever_a_client_put_before(
    elements: list[dict[str, str]], sent_by_client: str
) -> None:
    """No client can forge an element from inside a quoted string, such as a Host it chose, nor hide one."""
    written = [";".join(f"{name}={quote(value)}" for name, value in element.items()) for element in elements]
    expected = [{name.encode(): value.encode() for name, value in each.items()} for each in elements]
    assert list(iter_elements(", ".join(written).encode())) == expected[::-1]
    found = list(iter_elements(", ".join([sent_by_client, *written]).encode()))
    assert found[: len(expected)] == expected[::-1]


@given(st.binary(max_size=60))
def test_nothing_is_an_error(value: bytes) -> None:
    for style, name in (("forwarded", b"forwarded"), ("x-forwarded-host", b"x-forwarded-for")):
        peer, _ = resolve(Peer("http", PROXY, None), [(name, value)], style, TRUSTED)
        assert peer.client is None or peer.client[0]


@pytest.mark.parametrize(
    "value",
    [
        b"," * 8000,
        b" " * 8000 + b"x",
        b";" * 8000 + b"x",
        b'a=",' * 2000,
        b'a="' + b"," * 8000,
        b'a="\\",' * 1300,
        b"a=b;" * 2000 + b"x",
        b" ;" * 4000 + b"x",
    ],
)
def test_no_value_takes_long(value: bytes) -> None:
    """A field as long as may be costs no more than reading it some times over: what is left of the client's may be anything."""
    began = time.process_time()
    list(iter_elements(value))
    assert time.process_time() - began < 0.5


def test_nodes_that_cannot_be_read() -> None:
    for node in (
        b"",
        b"a",
        b"1.2.3.4 ",
        b"[::1]x",
        b"::1]",
        b"::1:80:90:zz",
        b"_",
        b"Unknown",
        b"1.2.3.4:123456",
    ):
        with pytest.raises(ValueError, match=r"node|address"):
            parse_node(node)
