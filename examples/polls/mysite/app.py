"""The application that `transom run` and `transom serve` serve."""

from transom.web import App

from .urls import urlpatterns

app = App(urlpatterns, installed_apps=["polls"])
