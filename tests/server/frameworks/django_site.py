"""The site with Django: settings, URLs and views; as a WSGI and as an ASGI application."""

import hashlib
import logging

from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="x" * 50,
    DEBUG=False,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    USE_TZ=True,
)

from django.core.asgi import get_asgi_application  # noqa: E402  Django wants its settings before
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import (  # noqa: E402
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path  # noqa: E402
from django.views.decorators.http import require_POST, require_safe  # noqa: E402

logging.getLogger("django").setLevel(logging.CRITICAL)


@require_safe
def home(request: HttpRequest):
    return HttpResponse("hello", content_type="text/plain")


@require_safe
def show_json(request: HttpRequest):
    return JsonResponse(
        {
            "name": request.GET["name"],
            "path": request.path,
            "host": request.get_host(),
            "scheme": request.scheme,
        }
    )


def show_path(request: HttpRequest, rest: str):
    return JsonResponse({"path": rest})


def header(request: HttpRequest):
    return JsonResponse({"got": request.headers["X-Echo"].split(",")}, headers={"X-Answer": "caf\xe9"})


@require_POST
def form(request: HttpRequest):
    return JsonResponse({"a": request.POST.getlist("a"), "b": request.POST.getlist("b")})


@require_POST
def multipart(request: HttpRequest):
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "size": len(file.read()), "field": request.POST["field"]})


@require_POST
def upload(request: HttpRequest):
    digest, size = hashlib.sha256(), 0
    while piece := request.read(10_000):
        digest.update(piece)
        size += len(piece)
    return JsonResponse({"size": size, "sha256": digest.hexdigest()})


def make_pieces():
    for number in range(20):
        yield bytes([number]) * 50_000


async def make_pieces_async():
    for piece in make_pieces():
        yield piece


def is_asgi(request: HttpRequest) -> bool:
    return hasattr(request, "scope")


def download(request: HttpRequest):
    pieces = make_pieces_async() if is_asgi(request) else make_pieces()
    return StreamingHttpResponse(pieces, content_type="application/octet-stream")


def file(request: HttpRequest):
    if is_asgi(request):
        # Django warns that ASGI cannot send a file in blocks of a synchronous iterator.
        with open("README.md", "rb") as opened:
            return HttpResponse(opened.read(), content_type="text/plain")
    return FileResponse(open("README.md", "rb"), content_type="text/plain")


def make_events():
    for number in range(3):
        yield f"data: {number}\n\n"


async def make_events_async():
    for event in make_events():
        yield event


def events(request: HttpRequest):
    pieces = make_events_async() if is_asgi(request) else make_events()
    return StreamingHttpResponse(pieces, content_type="text/event-stream")


def cookies(request: HttpRequest):
    response = JsonResponse({"got": request.COOKIES})
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2", path="/cookies")
    return response


def redirect(request: HttpRequest):
    return HttpResponseRedirect("/json?name=redirected")


def empty(request: HttpRequest):
    return HttpResponse(status=204)


def broken(request: HttpRequest):
    raise LookupError("on purpose")


urlpatterns = [
    path("", home),
    path("json", show_json),
    path("path/<path:rest>", show_path),
    path("header", header),
    path("form", form),
    path("multipart", multipart),
    path("upload", upload),
    path("download", download),
    path("file", file),
    path("events", events),
    path("cookies", cookies),
    path("redirect", redirect),
    path("empty", empty),
    path("broken", broken),
]

wsgi = get_wsgi_application()
asgi = get_asgi_application()
