"""Hashing, and which passwords may be chosen. Work is counted in hashes, not in seconds."""

import asyncio
import threading
import unicodedata

import pytest

from transom.auth import Blocklist, PasswordHashingBusy, User, validate_password
from transom.auth._threads import BoundedThreads
from transom.auth.hashers import MAX_PASSWORD_LENGTH, is_usable, make_unusable
from transom.auth.passwords import DEFAULT_VALIDATORS
from transom.forms import ValidationError


async def test_hash_is_argon2id_and_salted(hasher):
    first, second = await hasher.hash("secret"), await hasher.hash("secret")
    assert first.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert first != second
    assert await hasher.verify("secret", first)
    assert not await hasher.verify("Secret", first)


async def test_longest_password_counts_to_its_last_character(hasher):
    longest = "ä" * MAX_PASSWORD_LENGTH
    encoded = await hasher.hash(longest)
    assert await hasher.verify(longest, encoded)
    assert not await hasher.verify(longest[:-1], encoded)
    assert not await hasher.verify(longest + "ä", encoded)
    with pytest.raises(ValueError, match="at most 1024"):
        await hasher.hash(longest + "ä")


async def test_too_long_a_password_is_not_the_empty_one(hasher):
    assert not await hasher.verify("x" * 5000, await hasher.hash(""))


async def test_password_is_the_same_in_every_unicode_form(hasher):
    encoded = await hasher.hash(unicodedata.normalize("NFD", "größe"))
    assert await hasher.verify(unicodedata.normalize("NFC", "größe"), encoded)


async def test_lone_surrogates_and_nul_are_characters_like_others(hasher):
    encoded = await hasher.hash("a\ud800\0b")
    assert await hasher.verify("a\ud800\0b", encoded)
    assert not await hasher.verify("a\ud800\0c", encoded)


@pytest.mark.parametrize(
    "encoded", [None, "", "!", "!abc", "plain", "$argon2id$broken", "$argon2id$v=19$m=8,t=1,p=1$AA$AA"]
)
async def test_what_is_no_hash_fits_no_password(hasher, encoded):
    assert not await hasher.verify("plain", encoded)
    assert not await hasher.verify("", encoded)


def test_unusable_hashes_differ():
    assert make_unusable() != make_unusable()
    assert not is_usable(make_unusable())


async def test_threads_are_bounded_and_their_queue_too():
    threads, gate, running = BoundedThreads(threads=1, waiting=1), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work():
        loop.call_soon_threadsafe(running.set)
        gate.wait(5)
        return 1

    first = asyncio.ensure_future(threads.run(work))
    await running.wait()
    second = asyncio.ensure_future(threads.run(lambda: 2))
    await asyncio.sleep(0)
    with pytest.raises(PasswordHashingBusy) as caught:
        await threads.run(lambda: 3)
    assert caught.value.status == 503
    assert caught.value.headers["retry-after"]
    gate.set()
    assert await asyncio.gather(first, second) == [1, 2]
    assert await threads.run(lambda: 4) == 4  # there is room again


async def test_cancelled_work_that_waits_is_not_done_and_makes_room():
    threads, gate, running, done = (
        BoundedThreads(threads=1, waiting=1),
        threading.Event(),
        asyncio.Event(),
        [],
    )
    loop = asyncio.get_running_loop()

    def work():
        loop.call_soon_threadsafe(running.set)
        gate.wait(5)

    first = asyncio.ensure_future(threads.run(work))
    await running.wait()
    waiting = asyncio.ensure_future(threads.run(lambda: done.append("waiting")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    third = asyncio.ensure_future(threads.run(lambda: done.append("third")))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, third)
    assert done == ["third"]


async def test_error_of_the_work_is_raised_and_its_place_given_back():
    threads = BoundedThreads(threads=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 / 0)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("a" * 14, "at least 15"),
        ("correct horse", "at least 15"),
        ("x" * (MAX_PASSWORD_LENGTH + 1), "at most 1024"),
        ("aaaaaaaaaaaaaaaa", "more different"),
        ("abababababababab", "more different"),
        ("12345678901234567890", "more different"),
        ("abcdefghijklmnopq", "more different"),
        ("ann.example.long", "your name"),
        ("ANN.EXAMPLE.LONG1", "your name"),
        ("123ann.example.long", "your name"),
        ("x@ann.example.org", "e-mail address"),
    ],
)
def test_weak_password_is_refused(password, complaint):
    user = User(username="ann.example.long", email="x@ann.example.org")
    with pytest.raises(ValidationError) as caught:
        validate_password(password, user)
    assert complaint in " ".join(caught.value.messages)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse b",  # 15
        "correct horse battery staple",
        "пароль из нескольких слов",
        "ann.example.long likes cheese and wine",
        "          a b c d",  # spaces count, NIST SP 800-63B-4 3.1.1.2
    ],
)
def test_good_password_is_accepted(password):
    validate_password(password, User(username="ann.example.long", email=""))


def test_blocklist_ignores_case():
    validators = [*DEFAULT_VALIDATORS, Blocklist(["Correct horse battery staple"])]
    with pytest.raises(ValidationError, match="Many people"):
        validate_password("CORRECT HORSE BATTERY STAPLE", validators=validators)
    validate_password("correct horse battery clip", validators=validators)
