"""Logging in and out through the pages, and what the session is worth afterwards."""

import asyncio
import re
from urllib.parse import quote

import pytest

from transom.auth import PasswordHasher, User, login_throttle, set_password_hasher
from transom.auth.throttle import LoginThrottle
from transom.testing import Client

SESSION = "sessionid"


async def test_visitor_logs_in_as_with_a_browser_without_fetch_metadata(site, ann):
    """The whole way: the page, its token, the form, the redirect, the user in the next page."""
    async with Client(site) as client:
        assert (await client.get("/")).text == "None"
        response = await client.get("/private/7/?a=1&b=%20")
        assert response.status_code == 302
        assert response.headers["location"] == "/accounts/login/?next=/private/7/%3Fa%3D1%26b%3D%2520"
        page = await client.get(response.headers["location"])
        assert page.status_code == 200
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        response = await client.post(
            response.headers["location"],
            data={
                "csrfmiddlewaretoken": token,
                "username": "ann",
                "password": "correct horse battery staple",
            },
        )
        assert response.status_code == 303
        assert response.headers["location"] == "/private/7/?a=1&b=%20"
        assert (await client.get(response.headers["location"])).text == "private 7"
        assert (await client.get("/")).text == "ann"
    assert (await User.objects.get(pk=ann.pk)).last_login is not None


async def test_post_without_a_token_is_refused(site, ann):
    async with Client(site) as client:
        response = await client.post("/accounts/login/", data={"username": "ann", "password": "x"})
    assert response.status_code == 403


async def test_login_page_is_accessible_and_not_stored(client):
    response = await client.get("/accounts/login/")
    assert response.headers["cache-control"] == "no-store"
    assert '<html lang="en">' in response.text
    assert '<label for="id_username">' in response.text
    assert 'autocomplete="username"' in response.text
    assert 'autocomplete="current-password"' in response.text
    assert SESSION not in response.cookies  # reading makes no session
    style = re.search(r'href="([^"]+\.css)"', response.text)[1]
    assert (await client.get(style)).status_code == 200


async def test_site_may_have_a_login_page_of_its_own(make_site, tmp_path):
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "login.html").write_text("mine")
    async with Client(make_site(template_dirs=[tmp_path])) as client:
        assert (await client.get("/accounts/login/")).text == "mine"


@pytest.fixture
async def others(ann):
    await User.objects.create_user("off", "correct horse battery staple", is_active=False)
    await User.objects.create_user("robot")


WRONG = [
    ("ann", "wrong"),
    ("nobody", "correct horse battery staple"),
    ("off", "correct horse battery staple"),
    ("off", "wrong"),
    ("robot", "!secret"),
    ("x" * 151, "wrong"),
    ("ann\ud7ff\u200b", "wrong"),
]


@pytest.mark.parametrize(("username", "password"), WRONG)
async def test_every_failure_looks_alike_and_takes_one_hash(
    client, others, log_in, hasher, username, password
):
    """No answer, and no amount of work, tells whether a name exists."""
    hasher.calls = 0
    response = await log_in(username, password)
    assert hasher.calls == 1
    assert response.status_code == 422
    assert "do not match" in response.text
    assert password not in response.text
    assert SESSION not in response.cookies
    assert (await client.get("/")).text == "None"
    reference = await log_in("nobody", "wrong")
    assert re.sub(r'value="[^"]*"', "", response.text) == re.sub(r'value="[^"]*"', "", reference.text)


async def test_success_takes_one_hash_too(client, ann, log_in, hasher):
    hasher.calls = 0
    assert (await log_in()).status_code == 303
    assert hasher.calls == 1


@pytest.mark.parametrize(
    "data", [{}, {"username": "ann"}, {"password": "x"}, {"username": "a\0", "password": "x"}]
)
async def test_incomplete_form_is_shown_again_without_a_hash(client, ann, hasher, data):
    hasher.calls = 0
    response = await client.post("/accounts/login/", data=data)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert hasher.calls == 0


async def test_username_is_shown_again_and_escaped(client, log_in, ann):
    response = await log_in('"><script>', "wrong")
    assert "<script>" not in response.text
    assert "&#34;&gt;&lt;script&gt;" in response.text


# -- the session -------------------------------------------------------------------------------------------------------


async def test_session_key_changes_at_login_and_the_old_one_is_dead(client, site, ann, log_in):
    """Session fixation: whoever planted the key, or knew it, has nothing."""
    await client.post("/basket/")
    planted = client.cookies[SESSION]
    await log_in()
    assert client.cookies[SESSION] != planted
    assert (await client.get("/")).text == "ann apples"  # what the visitor had stays
    async with Client(site, cookies={SESSION: planted}) as attacker:
        assert (await attacker.get("/")).text == "None"


async def test_key_made_up_by_an_attacker_is_not_taken(site, ann, log_in):
    async with Client(
        site, headers={"sec-fetch-site": "same-origin"}, cookies={SESSION: "planted"}
    ) as victim:
        response = await log_in(through=victim)
        assert response.cookies[SESSION] != "planted"
    async with Client(site, cookies={SESSION: "planted"}) as attacker:
        assert (await attacker.get("/")).text == "None"


async def test_csrf_token_changes_at_login(site, ann):
    async with Client(site) as client:
        page = await client.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        planted = client.cookies["csrftoken"]
        data = {"csrfmiddlewaretoken": token, "username": "ann", "password": "correct horse battery staple"}
        assert (await client.post("/accounts/login/", data=data)).status_code == 303
        assert client.cookies["csrftoken"] != planted
        assert (
            await client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token})
        ).status_code == 403


async def test_next_user_gets_nothing_of_the_last_one(client, ann, log_in):
    await User.objects.create_user("bob", "correct horse battery staple")
    await log_in()
    await client.post("/basket/")
    await log_in("bob")
    assert (await client.get("/")).text == "bob"


async def test_logout_kills_the_session_everywhere(client, site, ann, log_in):
    await log_in()
    copy = client.cookies[SESSION]
    response = await client.post("/accounts/logout/")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert SESSION not in client.cookies
    assert (await client.get("/")).text == "None"
    async with Client(site, cookies={SESSION: copy}) as thief:
        assert (await thief.get("/")).text == "None"


async def test_logout_only_by_post(client, ann, log_in):
    await log_in()
    response = await client.get("/accounts/logout/")
    assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")
    response = await client.post("/accounts/logout/", headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    assert (await client.get("/")).text == "ann"


async def test_logout_of_nobody_is_no_error(client):
    assert (await client.post("/accounts/logout/")).status_code == 303


async def test_change_of_password_ends_all_sessions_but_its_own(client, site, ann, log_in):
    async with Client(site, headers={"sec-fetch-site": "same-origin"}) as elsewhere:
        await log_in()
        await log_in(through=elsewhere)
        old = client.cookies[SESSION]
        await client.post("/change/")
        assert client.cookies[SESSION] != old
        assert (await client.get("/")).text == "ann"
        response = await elsewhere.get("/")
        assert response.text == "None"
        assert SESSION not in elsewhere.cookies  # flushed


@pytest.mark.parametrize("change", ["off", "delete"])
async def test_user_who_is_gone_is_not_logged_in(client, ann, log_in, change):
    await log_in()
    if change == "off":
        ann.is_active = False
        await ann.save()
    else:
        await ann.delete()
    assert (await client.get("/")).text == "None"
    assert (await client.get("/private/1/")).status_code == 302


async def test_login_renews_an_old_hash_and_the_session_holds(client, ann, log_in):
    set_password_hasher(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await log_in()
    assert "m=16,t=2" in (await User.objects.get(pk=ann.pk)).password
    assert (await client.get("/")).text == "ann"


# -- where it leads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/private/1/", "/private/1/"),
        ("/?q=1#top", "/?q=1#top"),
        ("/caf\u00e9/", "/caf%C3%A9/"),
        ("", "/"),
        ("relative", "/"),
        ("auth:logout", "/"),
        ("http://evil.example/", "/"),
        ("https://testserver/", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("\x01//evil.example", "/"),
        (" //evil.example", "/"),
        ("/ /evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("/" + "a" * 2047, "/" + "a" * 2047),
        ("/" + "a" * 2048, "/"),
    ],
)
async def test_next_leads_to_this_site_only(client, ann, log_in, wanted, location):
    response = await log_in(target=f"/accounts/login/?next={quote(wanted)}")
    assert response.status_code == 303
    assert response.headers["location"] == location


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("next=/private/1/&next=//evil.example", "/"),
        ("next=//evil.example&next=/private/1/", "/private/1/"),
    ],
)
async def test_one_of_several_next_counts_and_it_is_the_one_that_is_checked(
    client, ann, log_in, query, location
):
    response = await log_in(target=f"/accounts/login/?{query}")
    assert response.headers["location"] == location


@pytest.mark.parametrize(
    ("setting", "location"), [("/welcome/", "/welcome/"), ("auth:login", "/accounts/login/")]
)
async def test_default_is_a_path_or_the_name_of_a_route(make_site, site, ann, log_in, setting, location):
    async with Client(
        make_site(login_redirect_url=setting), headers={"sec-fetch-site": "same-origin"}
    ) as client:
        assert (await log_in(through=client)).headers["location"] == location


# -- decorators --------------------------------------------------------------------------------------------------------


async def test_staff_page_is_for_staff(client, ann, log_in):
    assert (await client.get("/staff/")).headers["location"] == "/accounts/login/?next=/staff/"
    await log_in()
    assert (await client.get("/staff/")).status_code == 403
    ann.is_staff = True
    await ann.save()
    assert (await client.get("/staff/")).text == "staff"


async def test_post_to_a_private_page_leads_to_the_login_and_not_back(client, ann):
    response = await client.post("/private/1/")
    assert (response.status_code, response.headers["location"]) == (303, "/accounts/login/")


async def test_answers_that_depend_on_the_user_vary_with_the_cookie(client, ann, log_in):
    await log_in()
    for target in ("/", "/private/1/", "/staff/"):
        assert "cookie" in (await client.get(target)).headers["vary"].lower()


async def test_views_keep_their_names():
    from transom.auth import login_required, staff_required

    async def report(request):
        """Docs."""

    assert login_required(report).__name__ == staff_required(report).__name__ == "report"


# -- too many attempts -------------------------------------------------------------------------------------------------


async def test_attempt_after_the_last_allowed_one_is_refused_even_with_the_right_password(
    client, ann, log_in, hasher
):
    for _ in range(login_throttle.limit):
        assert (await log_in("ann", "wrong")).status_code == 422
    hasher.calls = 0
    response = await log_in()
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= login_throttle.window
    assert "5 minutes" in response.text
    assert hasher.calls == 0
    assert (await client.get("/")).text == "None"


async def test_many_attempts_at_once_are_counted_before_they_are_checked(client, ann, log_in):
    responses = await asyncio.gather(*(log_in("ann", "wrong") for _ in range(login_throttle.limit + 5)))
    statuses = [response.status_code for response in responses]
    assert statuses.count(422) == login_throttle.limit
    assert statuses.count(429) == 5


async def test_last_allowed_attempt_may_succeed_and_clears_the_count(client, ann, log_in):
    for _ in range(login_throttle.limit - 1):
        await log_in("ann", "wrong")
    assert (await log_in()).status_code == 303
    assert (await log_in("ann", "wrong")).status_code == 422


async def test_other_names_are_counted_apart_but_not_other_forms_of_a_name(client, ann, log_in):
    for _ in range(login_throttle.limit):
        await log_in("ann", "wrong")
    assert (await log_in("bob", "wrong")).status_code == 422
    assert (await log_in("ANN", "wrong")).status_code == 429
    assert (await log_in("\uff41nn", "wrong")).status_code == 429


class FakeRequest:
    def __init__(self, host):
        self.client = None if host is None else (host, 1)


@pytest.fixture
def clock():
    class Clock:
        time = 1000.0

        def __call__(self):
            return self.time

    return Clock()


def count_until_refused(throttle, host, name="ann"):
    return next(n for n in range(100) if throttle.attempt(FakeRequest(host), name))


def test_window_ends_and_the_count_starts_anew(clock):
    throttle = LoginThrottle(2, 60.0, clock=clock)
    request = FakeRequest("192.0.2.1")
    assert [throttle.attempt(request, "ann") for _ in range(2)] == [0, 0]
    clock.time += 59.5
    assert throttle.attempt(request, "ann") == 0.5
    clock.time += 0.5
    assert [throttle.attempt(request, "ann") for _ in range(3)] == [0, 0, 60.0]


def test_addresses_are_counted_apart_and_ipv6_by_network(clock):
    throttle = LoginThrottle(2, clock=clock)
    assert count_until_refused(throttle, "192.0.2.1") == 2
    assert count_until_refused(throttle, "192.0.2.2") == 2
    assert count_until_refused(throttle, "::ffff:192.0.2.2") == 0
    assert count_until_refused(throttle, "2001:db8::1") == 2
    assert count_until_refused(throttle, "2001:db8::ffff:ffff:ffff:ffff") == 0
    assert count_until_refused(throttle, "2001:db8:0:1::1") == 2
    assert count_until_refused(throttle, None) == 2


def test_memory_is_bounded_and_the_oldest_is_forgotten(clock):
    throttle = LoginThrottle(1, max_keys=3, clock=clock)
    for name in "abcd":
        assert throttle.attempt(FakeRequest("192.0.2.1"), name) == 0
    assert throttle.attempt(FakeRequest("192.0.2.1"), "d")
    assert throttle.attempt(FakeRequest("192.0.2.1"), "a") == 0
    assert len(throttle._counts) == 3
