"""What the app answers to, below the prefix that the site gives it."""

from transom.web import path, websocket

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/vote/", views.vote, name="vote", methods=["POST"]),
    path("<int:pk>/results/", views.results, name="results"),
    websocket("<int:pk>/live/", views.live, name="live"),
]
