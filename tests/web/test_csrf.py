"""The order of evidence: trusted origin, sec-fetch-site, origin, referer, token."""

from urllib.parse import urlencode

import pytest

from transom.signing import Signer
from transom.web import App, Response, StreamingResponse, csrf_exempt, path, render

KEY = "k" * 40


async def post(request):
    return Response(f"done {(await request.form()).get('text', '')}")


async def show(request):
    return Response(str(request.csrf_token))


async def page(request):
    return Response("no form here")


@csrf_exempt
async def hook(request):
    return Response("hooked")


def make(**settings):
    urls = [path("post", post), path("show", show), path("page", page), path("hook", hook)]
    return App(urls, **{"secret_key": KEY, "allowed_hosts": ["example.com"]} | settings)


HOST = {"host": "example.com"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def status(http, headers, method="POST", app=None, target="/post", **options):
    return (await http(app or make(), target, method, headers=HOST | headers, **options)).status


async def get_token(http, app, **options):
    answer = await http(app, "/show", headers=HOST, **options)
    return answer.text, answer.cookies


def cookie_header(cookies):
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
async def test_unsafe_methods_need_evidence(http, method):
    assert await status(http, {}, method) == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
async def test_safe_methods_need_none(http, method):
    assert (
        await status(http, {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, method) == 200
    )


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("same-origin", 200),
        ("none", 200),
        ("same-site", 403),
        ("cross-site", 403),
        ("", 403),
        ("Same-Origin", 403),
    ],
)
@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
)
async def test_sec_fetch_site_decides(http, site, expected, content_type):
    headers = {"sec-fetch-site": site, "content-type": content_type}
    assert await status(http, headers, body=b"{}") == expected


async def test_sec_fetch_site_is_stronger_than_a_fitting_token(http):
    app = make()
    token, cookies = await get_token(http, app)
    headers = {"sec-fetch-site": "cross-site", "x-csrftoken": token} | cookie_header(cookies)
    assert await status(http, headers, app=app) == 403


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "expected"),
    [
        ("http", "example.com", "http://example.com", 200),
        ("http", "example.com:8000", "http://example.com:8000", 200),
        ("http", "example.com", "http://example.com:80", 200),
        ("http", "example.com", "https://example.com", 200),  # TLS ends at a proxy
        ("https", "example.com", "https://example.com", 200),
        ("https", "example.com", "http://example.com", 403),  # someone on the network wrote that page
        ("http", "example.com", "http://example.com:8000", 403),
        ("http", "example.com", "http://www.example.com", 403),
        ("http", "example.com", "http://example.com.evil.example", 403),
        ("http", "example.com", "http://evil.example/example.com", 403),
        ("http", "example.com", "null", 403),
        ("http", "example.com", "", 403),
        ("http", "example.com", "file://", 403),
        ("http", "example.com", "http://[", 403),
    ],
)
async def test_origin_decides_where_sec_fetch_site_is_missing(http, scheme, host, origin, expected):
    assert await status(http, {"host": host, "origin": origin}, scheme=scheme) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://partner.example", 200),
        ("https://a.b.friends.example", 200),
        ("https://friends.example", 403),
        ("http://partner.example", 403),
        ("https://partner.example.evil.example", 403),
    ],
)
async def test_trusted_origins_are_let_in(http, origin, expected):
    app = make(csrf_trusted_origins=["https://partner.example", "https://*.friends.example"])
    assert await status(http, {"origin": origin, "sec-fetch-site": "cross-site"}, app=app) == expected


async def test_the_token_decides_where_the_client_says_nothing(http):
    app = make()
    token, cookies = await get_token(http, app)
    _, other = await get_token(http, app)
    cookie = cookie_header(cookies)

    async def field(value, headers=cookie):
        body = urlencode({"csrfmiddlewaretoken": value, "text": "x"}).encode()
        return await status(http, FORM | headers, app=app, body=body)

    assert await field(token) == 200
    assert await field(cookies["csrftoken"]) == 200  # what a script reads from the cookie jar
    assert await status(http, cookie | {"x-csrftoken": token}, app=app) == 200
    assert await field(token, {}) == 403
    assert await field(token, cookie_header(other)) == 403
    assert await field("") == 403
    assert await field(token[:-2] + "AA") == 403
    assert await field("ü" * 20) == 403
    assert await status(http, cookie, app=app) == 403
    assert await status(http, cookie | FORM, app=app, target="/post?csrfmiddlewaretoken=" + token) == 403


async def test_a_referer_of_another_site_is_refused_even_with_the_token(http):
    app = make()
    token, cookies = await get_token(http, app)
    headers = cookie_header(cookies) | {"x-csrftoken": token}
    assert await status(http, headers | {"referer": "http://example.com/form?x"}, app=app) == 200
    assert await status(http, headers | {"referer": "https://evil.example/"}, app=app) == 403


async def test_a_cookie_that_was_not_signed_here_is_worth_nothing(http):
    for forged in ("c2VjcmV0LXNlY3JldA", Signer(b"x" * 40, "transom.csrf").sign("c2VjcmV0LXNlY3JldA")):
        assert await status(http, {"cookie": f"csrftoken={forged}", "x-csrftoken": forged}) == 403
    other_use = Signer(KEY.encode(), "transom.sessions").sign("AAAAAAAAAAAAAAAAAAAAAA")
    assert await status(http, {"cookie": f"csrftoken={other_use}", "x-csrftoken": other_use}) == 403


async def test_the_cookie_is_set_only_when_the_token_is_used_and_then_kept(http):
    app = make()
    unused = await http(app, "/page", headers=HOST)
    assert unused.cookies == {}
    assert unused.get("vary") is None
    first = await http(app, "/show", headers=HOST)
    assert list(first.cookies) == ["csrftoken"]
    assert first.get("vary").lower() == "cookie"
    (line,) = first.getlist("set-cookie")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Secure" not in line
    second = await http(app, "/show", headers=HOST | cookie_header(first.cookies))
    assert second.cookies == {}
    assert second.get("vary").lower() == "cookie"
    assert second.text != first.text  # masked anew, the same secret
    assert await status(http, cookie_header(first.cookies) | {"x-csrftoken": second.text}, app=app) == 200


async def test_over_tls_the_cookie_is_bound_to_the_host(http):
    app = make()
    answer = await http(app, "/show", headers=HOST, scheme="https")
    (line,) = answer.getlist("set-cookie")
    assert line.startswith("__Host-csrftoken=")
    assert "Secure" in line
    headers = cookie_header(answer.cookies) | {"x-csrftoken": answer.text}
    assert await status(http, headers, app=app, scheme="https") == 200
    planted = cookie_header({"csrftoken": answer.cookies["__Host-csrftoken"]}) | {"x-csrftoken": answer.text}
    assert await status(http, planted, app=app, scheme="https") == 403


async def test_exempt_views_and_paths_without_a_view_are_not_checked(http):
    assert await status(http, {"origin": "https://evil.example"}, target="/hook") == 200
    assert await status(http, {}, target="/nothing") == 404


async def test_debug_says_why_and_production_does_not(http, caplog):
    headers = HOST | {"accept": "text/html", "origin": "https://evil.example"}
    shown = await http(make(debug=True), "/post", "POST", headers=headers)
    assert shown.status == 403
    assert "origin 'https://evil.example' is not this site; add it to csrf_trusted_origins" in shown.text
    hidden = await http(make(), "/post", "POST", headers=headers)
    assert hidden.status == 403
    assert "csrf_trusted_origins" not in hidden.text
    assert [record.name for record in caplog.records] == ["transom.security"] * 2


async def test_the_form_is_still_there_for_the_view(http):
    app = make()
    token, cookies = await get_token(http, app)
    body = urlencode({"csrfmiddlewaretoken": token, "text": "hello"}).encode()
    answer = await http(app, "/post", "POST", headers=HOST | FORM | cookie_header(cookies), body=body)
    assert answer.text == "done hello"


async def test_a_body_is_not_read_when_the_fields_settle_it(http):
    async def upload(request):
        return StreamingResponse(request.stream())

    app = App([path("up", upload)])
    headers = {"origin": "http://localhost", "content-type": "multipart/form-data; boundary=x"}
    assert (await http(app, "/up", "POST", headers=headers, body=b"raw")).body == b"raw"


async def test_templates_have_the_hidden_field(http, tmp_path):
    (tmp_path / "form.html").write_text("<form>{{ csrf_input }}</form>{{ csrf_token }}")
    (tmp_path / "plain.html").write_text("nothing")

    async def view(request, name):
        return await render(request, f"{name}.html")

    app = App([path("<name>", view)], template_dirs=[tmp_path], secret_key=KEY)
    answer = await http(app, "/form")
    assert '<form><input type="hidden" name="csrfmiddlewaretoken" value="' in answer.text
    assert list(answer.cookies) == ["csrftoken"]
    assert (await http(app, "/plain")).cookies == {}
