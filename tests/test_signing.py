"""Signed strings come back unchanged or not at all."""

import pytest

from transom.signing import BadSignature, Signer

KEY = b"0123456789abcdef0123456789abcdef"


def test_a_signed_value_comes_back():
    assert Signer(KEY, "a").unsign(Signer(KEY, "a").sign("value:with.parts")) == "value:with.parts"


@pytest.mark.parametrize("other", [Signer(KEY, "b"), Signer(KEY[::-1], "a")], ids=["salt", "key"])
def test_another_salt_or_key_is_refused(other: Signer):
    with pytest.raises(BadSignature):
        other.unsign(Signer(KEY, "a").sign("value"))


@pytest.mark.parametrize("garbage", ["", ".", "value", "value.x.y", "é.é.é", "\x00"])
def test_garbage_is_refused(garbage: str):
    with pytest.raises(BadSignature):
        Signer(KEY, "a").unsign(garbage)


def test_every_altered_character_is_noticed():
    signed = Signer(KEY, "a").sign("value")
    for index in range(len(signed) - 1):  # the last base64 digit has unused bits
        altered = signed[:index] + ("A" if signed[index] != "A" else "B") + signed[index + 1 :]
        with pytest.raises(BadSignature):
            Signer(KEY, "a").unsign(altered)


def test_an_old_signature_is_refused(monkeypatch: pytest.MonkeyPatch):
    signer = Signer(KEY, "a")
    signed = signer.sign("value")
    assert signer.unsign(signed, max_age=10) == "value"
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 4_102_444_800)
    with pytest.raises(BadSignature, match="age"):
        signer.unsign(signed, max_age=10)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        Signer(b"short", "a")
