"""Mistakes in an administration, found at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.auth import User
from transom.conf import CheckMessage
from transom.db import FieldError, models
from transom.db.models import QuerySet
from transom.forms.models import ModelForm
from transom.sessions import Sessions
from transom.web import NoReverseMatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from transom.admin.options import ModelAdmin
    from transom.web import App

INSTALLED = ("transom.auth", "transom.admin")


def check_site(admins: Iterable[ModelAdmin[Any]], app: App) -> list[CheckMessage]:  # Any: of any model
    """Return what is wrong with an administration and with the application that serves it."""
    messages = [*check_installed(app), *check_middleware(app), *check_login(app)]
    for admin in admins:
        messages += check_admin(admin)
    return messages


def check_installed(app: App) -> Iterator[CheckMessage]:
    """Yield the apps that have to be installed and are not."""
    for name in INSTALLED:
        if name not in app.settings.installed_apps:
            yield CheckMessage(
                "admin.E001",
                f"the administration needs {name!r}, which is not installed",
                f'add it: installed_apps=[..., "{name}"]',
            )


def check_middleware(app: App) -> Iterator[CheckMessage]:
    """Yield an error where nothing keeps sessions: nobody could log in. `authentication` is not needed here."""
    if not any(isinstance(layer, Sessions) for layer in app.middleware):
        yield CheckMessage(
            "admin.E002",
            "the administration needs sessions, and no middleware keeps them",
            "from transom.sessions import sessions; App(..., middleware=[*DEFAULT_MIDDLEWARE, sessions()])",
        )


def check_login(app: App) -> Iterator[CheckMessage]:
    """Yield a login page that is not there."""
    name = app.settings.login_url
    if name.startswith("/"):
        return
    try:
        app.urlconf.reverse(name)
    except NoReverseMatch as exc:
        yield CheckMessage(
            "admin.E003",
            f"login_url leads nowhere: {exc}",
            'add path("accounts/", include("transom.auth.urls")), or set login_url',
        )


def check_admin(admin: ModelAdmin[Any]) -> Iterator[CheckMessage]:
    """Yield what is wrong with the administration of one model."""
    model = admin.model
    tried: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("admin.E004", "list_display", lambda: admin.columns),
        (
            "admin.E005",
            "list_select_related",
            lambda: admin.list_select_related and QuerySet(model).select_related(*admin.list_select_related),
        ),
        ("admin.E006", "search_fields", lambda: _try_search(model, admin.search_fields)),
        ("admin.E007", "ordering", lambda: QuerySet(model).order_by(*admin.ordering)),
        ("admin.E008", "fields", lambda: (admin.add_form, admin.change_form)),
    )
    for id, option, attempt in tried:
        try:
            attempt()
        except (FieldError, TypeError, AttributeError) as exc:
            yield CheckMessage(id, f"{option} of {admin!r}: {exc}")
    if admin.list_per_page < 1:
        yield CheckMessage(
            "admin.E009", f"list_per_page of {admin!r} is {admin.list_per_page}; expected 1 or more"
        )
    if admin.form is not None and not _fits(admin.form, model):
        yield CheckMessage(
            "admin.E010", f"form of {admin!r} is {admin.form!r}; expected a ModelForm of {model.__name__}"
        )
    if issubclass(model, User) and admin.form is None and "password" in admin.change_form.base_fields:
        yield CheckMessage(
            "admin.W011",
            f"the form of {admin!r} shows the hash of the password",
            'name the fields without it: fields=["username", "email", "is_active", "is_staff"]',
        )


def _try_search(model: type[models.Model], names: Iterable[str]) -> None:
    for name in names:
        QuerySet(model).filter(**{f"{name}__icontains": "x"})


def _fits(form: Any, model: type[models.Model]) -> bool:  # Any: what a site wrote there
    mro: tuple[type, ...] = getattr(form, "__mro__", ())
    return ModelForm in mro and getattr(form, "model", None) is model
