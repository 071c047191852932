"""Applications of other frameworks below prefixes of one site of ours."""

from django_site import asgi as django_asgi
from django_site import wsgi as django_wsgi
from flask_site import app as flask
from starlette_site import app as starlette

from transom.asgi import wsgi
from transom.web import App, Request, Response, mount, path, reverse


async def home(request: Request) -> Response:
    return Response(reverse("old"))


app = App(
    [
        path("", home),
        mount("django/", wsgi(django_wsgi), name="old"),
        mount("django-async/", django_asgi),
        mount("flask/", wsgi(flask)),
        mount("starlette/", starlette),
    ],
    allowed_hosts=["site.example", "127.0.0.1"],
    csrf_trusted_origins=["http://127.0.0.1"],
    secret_key="x" * 50,
)
