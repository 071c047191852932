"""The application that `transom run` and `transom serve` serve."""

from transom.sessions import sessions
from transom.web import DEFAULT_MIDDLEWARE, App

from .urls import urlpatterns

app = App(urlpatterns, middleware=[*DEFAULT_MIDDLEWARE, sessions()], installed_apps=["polls"])
