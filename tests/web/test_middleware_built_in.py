"""The layers that a site may add: https, CSP, CORS, request ids, timing, rate limits."""

import logging
import re

import pytest

from transom.auth import authentication
from transom.cache import Cache
from transom.sessions import sessions
from transom.web import (
    CORS,
    CSP,
    DEFAULT_MIDDLEWARE,
    App,
    Phase,
    RequestIDFilter,
    Response,
    allowed_hosts,
    client_address,
    compression,
    content_security_policy,
    csp_exempt,
    csp_override,
    https,
    in_phase,
    path,
    rate_limit,
    request_ids,
    server_timing,
)


async def view(request):
    return Response("hello")


def make(*middleware, view=view, **settings):
    return App([path("x", view), path("api/x", view)], middleware=middleware, **settings)


# HTTPS.


async def test_http_is_redirected_with_path_and_query(http):
    answer = await http(make(https()), "/x?a=b%20c", headers={"host": "localhost:8000"})
    assert (answer.status, answer.get("location")) == (301, "https://localhost/x?a=b%20c")
    assert answer.get("strict-transport-security") is None  # RFC 6797 7.2


async def test_a_body_may_be_sent_again(http):
    answer = await http(make(https()), "/x", "POST")
    assert (answer.status, answer.get("location")) == (308, "https://localhost/x")


async def test_an_address_of_the_sixth_version_keeps_its_brackets(http):
    answer = await http(make(https(), allowed_hosts=["[::1]"]), "/x", headers={"host": "[::1]"})
    assert answer.get("location") == "https://[::1]/x"


async def test_a_redirect_never_leads_to_a_foreign_host(http):
    answer = await http(make(allowed_hosts, https()), "/x", headers={"host": "evil.example"})
    assert (answer.status, answer.get("location")) == (400, None)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, "max-age=31536000"),
        ({"hsts": 60}, "max-age=60"),
        ({"include_subdomains": True}, "max-age=31536000; includeSubDomains"),
        ({"include_subdomains": True, "preload": True}, "max-age=31536000; includeSubDomains; preload"),
        ({"hsts": 0}, None),
    ],
)
async def test_https_makes_a_promise(http, options, value):
    answer = await http(make(https(**options)), "/x", scheme="https")
    assert (answer.status, answer.get("strict-transport-security")) == (200, value)


async def test_exempt_hosts_and_paths_are_left_alone(http):
    app = make(https(exempt_hosts=["localhost"], exempt_paths=["/api/"]))
    assert (await http(app, "/x", headers={"host": "localhost:8000"})).status == 200
    assert (await http(app, "/x", headers={"host": "127.0.0.1"})).status == 301
    assert (await http(app, "/api/x", headers={"host": "127.0.0.1"})).status == 200


def test_a_promise_for_the_lists_of_browsers_must_be_whole():
    with pytest.raises(ValueError, match="preload needs include_subdomains"):
        https(preload=True)


# Content-Security-Policy.


async def test_a_policy_is_sent_without_a_nonce_that_nobody_wanted(http):
    answer = await http(make(content_security_policy({"script-src": [CSP.SELF, CSP.NONCE]})), "/x")
    assert answer.get("content-security-policy") == "script-src 'self'"


async def test_the_nonce_of_the_page_is_that_of_the_policy(http):
    async def page(request):
        return Response(f"{request.csp_nonce} {request.csp_nonce}")

    app = make(content_security_policy(), view=page)
    answer, other = await http(app, "/x"), await http(app, "/x")
    nonce, again = answer.text.split()
    assert nonce == again
    assert f"script-src 'self' 'nonce-{nonce}';" in answer.get("content-security-policy")
    assert len(nonce) >= 22
    assert nonce not in other.text


async def test_a_policy_can_be_reported_only(http):
    answer = await http(make(content_security_policy(report_only=True)), "/x")
    assert answer.get("content-security-policy") is None
    assert "object-src 'none'" in answer.get("content-security-policy-report-only")


async def test_a_view_can_have_another_policy_or_none(http):
    async def other(request):
        return Response()

    async def none(request):
        return Response()

    layer = content_security_policy()
    override = csp_override({"default-src": [CSP.NONE]})(other)
    assert (await http(make(layer, view=override), "/x")).get(
        "content-security-policy"
    ) == "default-src 'none'"
    assert (await http(make(layer, view=csp_exempt(none)), "/x")).get("content-security-policy") is None


async def test_a_response_with_a_policy_keeps_it(http):
    async def own(request):
        return Response(headers={"content-security-policy": "sandbox"})

    assert (await http(make(content_security_policy(), view=own), "/x")).getlist(
        "content-security-policy"
    ) == ["sandbox"]


@pytest.mark.parametrize("source", ["a; script-src *", "a, b", "a\r\nset-cookie: x"])
def test_a_source_cannot_become_another_directive(source):
    with pytest.raises(ValueError, match="holds"):
        content_security_policy({"img-src": [source]})


# CORS.

APP = "https://app.example.com"
PREFLIGHT = {
    "origin": APP,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "x-token",
}


async def test_an_origin_that_is_named_may_read(http):
    answer = await http(make(CORS(origins=[APP], expose=["x-total"])), "/x", headers={"origin": APP})
    assert answer.get("access-control-allow-origin") == APP
    assert answer.get("access-control-expose-headers") == "x-total"
    assert answer.get("access-control-allow-credentials") is None
    assert answer.get("vary") == "origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
        "null",
        "",
    ],
)
async def test_other_origins_may_not(http, origin):
    app = make(CORS(origins=[APP], origin_pattern=r"https://[a-z]+\.apps\.example\.com", credentials=True))
    answer = await http(app, "/x", headers={"origin": origin})
    assert not [name for name, _ in answer.headers if name.startswith(b"access-control")]
    assert answer.get("vary") == "origin"
    preflight = await http(app, "/x", "OPTIONS", headers=PREFLIGHT | {"origin": origin})
    assert not [name for name, _ in preflight.headers if name.startswith(b"access-control")]


async def test_a_pattern_must_match_the_whole_origin(http):
    app = make(CORS(origin_pattern=r"https://[a-z]+\.apps\.example\.com"))
    good = await http(app, "/x", headers={"origin": "https://one.apps.example.com"})
    bad = await http(app, "/x", headers={"origin": "https://one.apps.example.com.evil.example"})
    assert good.get("access-control-allow-origin") == "https://one.apps.example.com"
    assert bad.get("access-control-allow-origin") is None


async def test_a_preflight_is_answered_before_what_is_inside(http):
    seen = []

    async def inside(request, call_next):
        seen.append(request.method)
        return await call_next(request)

    cors = CORS(origins=[APP], headers=["X-Token"], methods=["GET", "PUT"], credentials=True, max_age=5)
    answer = await http(make(cors, inside), "/x", "OPTIONS", headers=PREFLIGHT)
    assert (answer.status, seen) == (204, [])
    assert answer.get("access-control-allow-origin") == APP
    assert answer.get("access-control-allow-methods") == "GET, PUT"
    assert "x-token" in answer.get("access-control-allow-headers").split(", ")
    assert answer.get("access-control-allow-credentials") == "true"
    assert answer.get("access-control-max-age") == "5"
    assert "origin" in answer.get("vary")


async def test_options_without_a_preflight_is_the_views_own(http):
    answer = await http(make(CORS(origins=[APP])), "/x", "OPTIONS", headers={"origin": APP})
    assert (answer.text, answer.get("access-control-allow-methods")) == ("hello", None)


async def test_any_origin_is_a_star_that_does_not_vary(http):
    answer = await http(make(CORS(origins=["*"])), "/x", headers={"origin": "https://who.example"})
    assert (answer.get("access-control-allow-origin"), answer.get("vary")) == ("*", None)


async def test_paths_beside_are_left_alone(http):
    app = make(CORS(origins=["*"], paths="/api/"))
    assert (await http(app, "/x", headers={"origin": APP})).get("access-control-allow-origin") is None
    assert (await http(app, "/api/x", headers={"origin": APP})).get("access-control-allow-origin") == "*"


async def test_an_error_can_be_read_as_well(http):
    async def broken(request):
        raise RuntimeError

    answer = await http(make(CORS(origins=[APP]), view=broken), "/x", headers={"origin": APP})
    assert (answer.status, answer.get("access-control-allow-origin")) == (500, APP)


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://app.example.com/", "https://a, https://b", "*.example.com"]
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(ValueError, match="is no origin"):
        CORS(origins=[origin])


def test_credentials_for_everybody_are_refused():
    with pytest.raises(ValueError, match="name the origins"):
        CORS(origins=["*"], credentials=True)


# Request ids and timing.


async def test_a_request_has_a_name_of_its_own(http):
    async def named(request):
        return Response(request.request_id)

    app = make(request_ids(), view=named)
    one, two = await http(app, "/x"), await http(app, "/x", headers={"x-request-id": "mine"})
    assert re.fullmatch("[0-9a-f]{32}", one.text)
    assert one.get("x-request-id") == one.text
    assert two.text not in (one.text, "mine")


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abc-1.2_X", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("", False)],
)
async def test_a_trusted_name_is_taken_if_it_is_one(http, given, taken):
    answer = await http(make(request_ids(trusted=True)), "/x", headers={"x-request-id": given})
    assert (answer.get("x-request-id") == given) is taken


async def test_log_records_have_the_name(http, caplog):
    async def logging_view(request):
        logging.getLogger("site").warning("hello")
        return Response()

    caplog.handler.addFilter(RequestIDFilter())
    answer = await http(make(request_ids(), view=logging_view), "/x")
    assert caplog.records[-1].request_id == answer.get("x-request-id")


async def test_the_time_is_said_in_milliseconds(http):
    assert re.fullmatch(r"app;dur=\d+\.\d\d", (await http(make(server_timing), "/x")).get("server-timing"))


# Rate limits.


class Clock:
    def __init__(self):
        self.now = 1_000_000.0 * 60

    def __call__(self):
        return self.now


def limited(clock, rate="3/m", **options):
    return make(rate_limit(rate, cache=Cache(), clock=clock, **options))


async def statuses(http, app, count, **changes):
    return [(await http(app, "/x", **changes)).status for _ in range(count)]


async def test_at_the_limit_and_one_above(http):
    app = limited(Clock())
    assert await statuses(http, app, 4) == [200, 200, 200, 429]


async def test_the_answer_says_when_to_come_back_and_that_is_true(http):
    clock = Clock()
    app = limited(clock)
    await statuses(http, app, 3)
    clock.now += 10
    refused = await http(app, "/x")
    assert (refused.status, refused.get("retry-after")) == (429, "70")
    clock.now += 69
    assert await statuses(http, app, 1) == [429]
    clock.now += 1
    assert await statuses(http, app, 2) == [200, 429]


async def test_nobody_gets_twice_the_rate_where_windows_meet(http):
    clock = Clock()
    clock.now += 59
    app = limited(clock)
    assert await statuses(http, app, 3) == [200, 200, 200]
    clock.now += 2
    assert await statuses(http, app, 1) == [429]
    clock.now += 30  # half of them are out of sight
    assert await statuses(http, app, 1) == [200]


async def test_visitors_are_counted_apart_and_a_household_together(http):
    app = limited(Clock(), "1/h")
    assert await statuses(http, app, 1, client=("192.0.2.1", 1)) == [200]
    assert await statuses(http, app, 1, client=("192.0.2.2", 1)) == [200]
    assert await statuses(http, app, 1, client=("192.0.2.1", 2)) == [429]
    assert await statuses(http, app, 1, client=("2001:db8::1", 1)) == [200]
    assert await statuses(http, app, 1, client=("2001:db8::ffff", 1)) == [429]
    assert await statuses(http, app, 1, client=("2001:db8:0:1::1", 1)) == [200]


async def test_who_has_no_key_is_not_counted(http):
    app = limited(Clock(), "1/h", key=lambda request: None)
    assert await statuses(http, app, 3) == [200, 200, 200]
    assert client_address(type("R", (), {"client": None})()) is None


async def test_limits_of_several_names_and_paths_are_apart(http):
    cache, clock = Cache(), Clock()
    app = make(
        rate_limit("1/h", cache=cache, clock=clock, name="api", paths="/api/"),
        rate_limit("2/h", cache=cache, clock=clock),
    )
    assert [(await http(app, target)).status for target in ("/api/x", "/api/x", "/x", "/x")] == [
        200,
        429,
        200,
        429,
    ]


@pytest.mark.parametrize("rate", ["", "100", "0/m", "1/w", "-1/s", "1/0s", "1/m/h"])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match="is no rate"):
        rate_limit(rate)


async def test_default_layers_and_all_of_these_go_together(http):
    app = make(
        request_ids(),
        server_timing,
        content_security_policy(),
        *DEFAULT_MIDDLEWARE,
        CORS(origins=[APP]),
        secret_key="k" * 32,
    )
    answer = await http(app, "/x", headers={"origin": APP})
    assert answer.status == 200
    assert {"x-request-id", "server-timing", "content-security-policy", "x-frame-options"} <= {
        name.decode() for name, _ in answer.headers
    }


# Phases.


def misplaced(*layers):
    return [
        str(message) for message in make(*layers, secret_key="k" * 32).check() if message.id == "web.W019"
    ]


def test_layers_in_the_order_of_their_phases_are_well():
    assert misplaced(request_ids(), content_security_policy(), *DEFAULT_MIDDLEWARE, CORS(origins=[APP])) == []


def test_a_layer_that_stands_too_far_inside_is_told_of():
    (message,) = misplaced(*DEFAULT_MIDDLEWARE, compression())
    assert "compression_layer (ANSWER) stands inside" in message
    assert "allowed_hosts (GUARD)" in message
    assert "OBSERVE, ANSWER, GUARD, SESSION, USER, SITE" in message


def test_a_sites_own_layer_may_stand_anywhere():
    async def own(request, call_next):
        return await call_next(request)

    assert misplaced(own, *DEFAULT_MIDDLEWARE, own, sessions(), authentication, own) == []
    assert len(misplaced(*DEFAULT_MIDDLEWARE, authentication, sessions())) == 1


def test_a_site_can_say_where_its_own_belongs():
    @in_phase(Phase.OBSERVE)
    async def audit(request, call_next):
        return await call_next(request)

    assert misplaced(audit, *DEFAULT_MIDDLEWARE) == []
    assert len(misplaced(*DEFAULT_MIDDLEWARE, audit)) == 1
