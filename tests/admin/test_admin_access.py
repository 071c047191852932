"""Who gets in: nobody but active staff, on every page, by every method."""

import pytest

from transom.admin import AdminSite, ModelAdmin
from transom.auth import PasswordHasher, User, set_password_hasher

PAGES = [
    "/admin/",
    "/admin/shop/topic/",
    "/admin/shop/topic/add/",
    "/admin/shop/topic/1/change/",
    "/admin/shop/topic/1/delete/",
]
FORMS = PAGES[2:]
WRITES = [("GET", page) for page in PAGES] + [("POST", page) for page in FORMS]


@pytest.fixture
async def topic(client, shop):
    return await shop.Topic.objects.create(name="Food")


@pytest.mark.parametrize(("method", "page"), WRITES)
async def test_a_stranger_is_sent_to_the_login_page(client, topic, method, page):
    response = await client.request(method, page, data={"name": "Other"} if method == "POST" else None)
    assert response.status_code in (302, 303)
    expected = "/accounts/login/" + (f"?next={page}" if method == "GET" else "")
    assert response.headers["location"] == expected
    assert [row.name for row in await type(topic).objects.all()] == ["Food"]


@pytest.mark.parametrize(("method", "page"), WRITES)
async def test_a_user_who_is_no_staff_gets_403(client, log_in, topic, method, page):
    await log_in(is_staff=False)
    response = await client.request(method, page, data={"name": "Other"} if method == "POST" else None)
    assert response.status_code == 403
    assert [row.name for row in await type(topic).objects.all()] == ["Food"]


@pytest.mark.parametrize(("method", "page"), WRITES)
async def test_staff_who_were_deactivated_are_strangers(client, log_in, topic, method, page):
    user = await log_in(is_staff=True)
    await User.objects.filter(pk=user.pk).update(is_active=False)
    response = await client.request(method, page, data={"name": "Other"} if method == "POST" else None)
    assert response.headers["location"].startswith("/accounts/login/")
    assert [row.name for row in await type(topic).objects.all()] == ["Food"]


@pytest.mark.parametrize("page", PAGES)
async def test_staff_see_every_page_and_nothing_is_stored_or_run(staff, topic, page):
    response = await staff.get(page)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "script-src" not in response.headers["content-security-policy"]
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


async def test_whoever_logs_in_comes_back_to_the_page_that_was_asked_for(client):
    previous = set_password_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    try:
        await User.objects.create_user("ann", "a long enough one", is_staff=True)
        refused = await client.get("/admin/shop/topic/?q=x&order=name")
        login = refused.headers["location"]
        entered = await client.post(login, data={"username": "ann", "password": "a long enough one"})
    finally:
        set_password_hasher(previous)
    assert entered.headers["location"] == "/admin/shop/topic/?q=x&order=name"
    assert (await client.get(entered.headers["location"])).status_code == 200


@pytest.mark.parametrize("page", FORMS)
async def test_a_forged_form_is_refused(staff, topic, page):
    response = await staff.post(page, data={"name": "Other"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert [row.name for row in await type(topic).objects.all()] == ["Food"]


@pytest.mark.parametrize("page", FORMS)
async def test_a_form_without_a_word_of_where_it_comes_from_needs_its_token(staff, topic, page):
    del staff.headers["sec-fetch-site"]
    shown = (await staff.get(page)).text
    assert (await staff.post(page, data={"name": "Food 2"})).status_code == 403
    token = shown.rpartition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    response = await staff.post(page, data={"name": "Food 2", "csrfmiddlewaretoken": token})
    assert response.status_code == 302


@pytest.mark.parametrize("page", ["/admin/", "/admin/shop/topic/"])
async def test_a_page_without_a_form_takes_no_post(staff, page):
    assert (await staff.post(page)).status_code == 405


async def test_logging_out_is_a_post_from_every_page(staff):
    page = (await staff.get("/admin/")).text
    assert '<form method="post" action="/accounts/logout/">' in page
    await staff.post("/accounts/logout/")
    assert (await staff.get("/admin/")).status_code == 302


class ReadOnly(ModelAdmin):
    async def has_permission(self, user, action):
        return action == "view" or user.is_superuser


class TestPermissions:
    @pytest.fixture
    def site(self, shop):
        site = AdminSite()
        site.register(shop.Topic, ReadOnly)
        site.register(User, fields=["username", "is_active"])
        return site

    async def test_who_may_only_look_sees_the_list_and_no_way_to_write(self, staff, topic):
        page = (await staff.get("/admin/shop/topic/")).text
        assert "Food" in page
        assert "/change/" not in page
        assert "/add/" not in page
        assert [(await staff.get(form)).status_code for form in FORMS] == [403, 403, 403]
        assert "/add/" not in (await staff.get("/admin/")).text

    async def test_accounts_are_for_superusers(self, client, log_in):
        await log_in(is_staff=True)
        assert (await client.get("/admin/auth/user/")).status_code == 403
        assert "auth/user" not in (await client.get("/admin/")).text
        await log_in(username="root", is_staff=True, is_superuser=True)
        assert (await client.get("/admin/auth/user/")).status_code == 200
        changed = await client.post("/admin/auth/user/1/change/", data={"username": "ann"})
        assert changed.status_code == 302
        assert not (await User.objects.get(pk=1)).is_active
