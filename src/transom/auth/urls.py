"""The routes of `path("accounts/", include("transom.auth.urls"))`: `auth:login` and `auth:logout`."""

from transom.auth.views import login_view, logout_view
from transom.web import path

app_name = "auth"
urlpatterns = [
    path("login/", login_view, name="login", methods=["GET", "POST"]),
    path("logout/", logout_view, name="logout", methods=["POST"]),
]
