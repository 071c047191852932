"""`Session`: a dict that knows whether it changed."""

from datetime import datetime, timedelta

import pytest

from transom.sessions import Session


def reload(session):
    return Session(session.to_bytes())


def test_new_session_is_empty_and_unmodified():
    session = Session()
    assert dict(session) == {}
    assert not session.modified


def test_content_comes_back():
    session = Session()
    session["cart"] = [{"id": 1, "price": 1.5, "gift": None}]
    session.set_expiry(timedelta(hours=1))
    again = reload(session)
    assert again == {"cart": [{"id": 1, "price": 1.5, "gift": None}]}
    assert again.expiry == 3600
    assert not again.modified


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.update(a=2),
        lambda session: session.pop("a"),
        lambda session: session["list"].append(1),
        lambda session: session["dict"].setdefault("x", []),
        lambda session: session.set_expiry(5),
        lambda session: session.clear(),
        lambda session: session.flush(),
        lambda session: session.cycle_key(),
    ],
)
def test_every_change_counts(change):
    session = Session()
    session.update({"a": 1, "list": [], "dict": {}})
    session = reload(session)
    change(session)
    assert session.modified


def test_reading_and_setting_the_same_change_nothing():
    session = Session()
    session["a"] = {"b": [1]}
    session = reload(session)
    assert "a" in session
    assert session.get("x") is None
    assert session["a"]["b"] == [1]
    session["a"] = {"b": [1]}
    session["x"] = 1
    del session["x"]
    assert not session.modified


@pytest.mark.parametrize(
    "value", [(1,), {1: 2}, {"a": [(1,)]}, {1}, datetime(2026, 1, 1), b"x", object(), float("nan")]
)
def test_value_that_json_would_change_is_refused_where_it_is_set(value):
    session = Session()
    with pytest.raises(TypeError, match="session value 'key'"):
        session["key"] = value
    assert "key" not in session


def test_key_is_a_string():
    with pytest.raises(TypeError, match="session key 1 is of type int"):
        Session()[1] = 1


def test_bad_value_put_inside_another_is_refused_when_stored():
    session = Session()
    session["list"] = []
    session["list"].append((1, 2))
    with pytest.raises(TypeError, match="'list'"):
        session.to_bytes()


def test_flush_forgets_content_and_expiry():
    session = Session()
    session["a"] = 1
    session.set_expiry(5)
    session.flush()
    assert (dict(session), session.expiry, session.flushed) == ({}, None, True)


@pytest.mark.parametrize("expiry", [-1, float("inf"), float("nan"), timedelta(seconds=-1)])
def test_impossible_expiry_is_refused(expiry):
    with pytest.raises(ValueError, match="expiry"):
        Session().set_expiry(expiry)


def test_repr_shows_no_values():
    session = Session()
    session["token"] = "hunter2"
    assert repr(session) == "<Session token>"
