"""What the site answers to."""

from transom.web import Request, Response, include, path, redirect


async def home(request: Request) -> Response:
    """Send visitors of the front page to the polls."""
    return redirect("polls:index")


urlpatterns = [
    path("", home, name="home"),
    path("polls/", include("polls.urls", namespace="polls")),
]
