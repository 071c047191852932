"""AdminSite: the models that are administered, their routes, and who may enter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from transom.admin.changeform import show_add, show_change
from transom.admin.changelist import show_changelist
from transom.admin.checks import check_site
from transom.admin.context import AdminContext
from transom.admin.deletion import show_delete
from transom.admin.labels import capitalize
from transom.admin.links import Links, route_name
from transom.admin.options import Action, ModelAdmin
from transom.auth import staff_required
from transom.web import PermissionDenied, path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.auth import User
    from transom.conf import CheckMessage
    from transom.db import models
    from transom.web import App, Request, Response, Route

AnyAdmin: TypeAlias = ModelAdmin[Any]  # Any: of any model
AdminT = TypeVar("AdminT", bound=AnyAdmin)
Page: TypeAlias = Callable[..., Awaitable["Response"]]

# What is shown is for one person and true for one moment; and it runs no script, whatever a value smuggles in.
NO_CACHE = "no-store"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
FORM_METHODS = ("GET", "POST")
# Below `polls/question/`: the rest of the route, its name, who answers, what it takes to be let in, and the methods.
PAGES: tuple[tuple[str, str, Page, Action, tuple[str, ...]], ...] = (
    ("", "changelist", show_changelist, "view", ("GET",)),
    ("add/", "add", show_add, "add", FORM_METHODS),
    ("<str:key>/change/", "change", show_change, "change", FORM_METHODS),
    ("<str:key>/delete/", "delete", show_delete, "delete", FORM_METHODS),
)


class AdminSite:
    """An administration of models, for people whose account is staff.

        site = AdminSite()
        site.register(Question, list_display=["text", "published"], search_fields=["text"])

        urlpatterns = [path("admin/", include(site.urls, namespace="admin"))]

    It needs `transom.admin` and `transom.auth` among the installed apps, the middleware of sessions, and a login page; a
    check at start-up says what is missing.

    Args:
        title: what the pages call it.
    """

    def __init__(self, title: str = "Administration") -> None:
        self.title = title
        self._admins: dict[type[models.Model], AnyAdmin] = {}
        self._is_routed = False

    def register(
        self,
        model: type[models.Model],
        admin_class: type[AnyAdmin] = ModelAdmin,
        **options: Any,  # Any: each option has a type of its own
    ) -> Callable[[type[AdminT]], type[AdminT]]:
        """Administer a model; as a decorator, with the class below it.

            @site.register(Question)
            class QuestionAdmin(ModelAdmin[Question]): ...

        Args:
            model: what is administered.
            admin_class: how.
            options: attributes of `ModelAdmin` by name, in place of those of the class.

        Raises:
            TypeError: an option is unknown, the model is abstract, or its key has several fields.
            ValueError: the model is registered already.
            RuntimeError: `urls` was read before, and would lack this model.
        """
        if model._meta.abstract:
            raise TypeError(f"{model.__name__} is abstract and has no rows; register the models made from it")
        if len(model._meta.pk_fields) > 1:
            raise TypeError(
                f"{model._meta.pk.label} is a CompositePrimaryKey, which no address of the administration can hold; "
                "administer its rows by views of your own, or give the model a key of one field"
            )
        if model in self._admins:
            raise ValueError(f"{model._meta.label} is registered already, with {self._admins[model]!r}")
        if self._is_routed:
            raise RuntimeError(
                f"{model._meta.label} is registered after site.urls was read; import its module before"
            )
        self._admins[model] = admin_class(model, **options)

        def decorate(decorated: type[AdminT]) -> type[AdminT]:
            self._admins[model] = decorated(model, **options)
            return decorated

        return decorate

    @property
    def urls(self) -> Sequence[Route]:
        """The routes, to be included under a prefix and with a namespace."""
        self._is_routed = True
        index = AdminView(self, self._show_index)
        routes = [path("", index, name="index", methods=["GET"])]
        for admin in self._admins.values():
            routes += self._model_routes(admin)
        return routes

    def _model_routes(self, admin: AnyAdmin) -> Iterable[Route]:
        meta = admin.model._meta
        prefix = f"{meta.app_label}/{meta.model_name}/"
        for text, name, page, action, methods in PAGES:
            view = AdminView(self, page, admin, action)
            yield path(prefix + text, view, name=route_name(admin.model, name), methods=methods)

    async def _show_index(self, context: AdminContext) -> Response:
        visible = [
            (
                admin.model,
                capitalize(admin.model._meta.verbose_name_plural),
                await admin.has_permission(context.user, "add"),
            )
            for admin in sorted(self._admins.values(), key=_sort_key)
            if await admin.has_permission(context.user, "view")
        ]
        groups = groupby(visible, key=lambda item: item[0]._meta.app_label)
        apps = [(label, capitalize(label.replace("_", " ")), list(members)) for label, members in groups]
        return await context.render("admin/index.html", {"apps": apps})

    def make_context(self, request: Request, user: User) -> AdminContext:
        """Return what the pages of a request share."""
        match = request.resolver_match
        links = Links("" if match is None else match.namespace)
        return AdminContext(request, user, links, self.title, self._admins)

    def check(self, app: App) -> list[CheckMessage]:
        """Return what is wrong with the models registered here, and with the application that serves them."""
        return check_site(self._admins.values(), app)


class AdminView:
    """One page as a view: lets in staff who may do this, and nobody else.

    Args:
        site: the administration.
        page: answers once somebody is in.
        admin: of the model that the page is about; None for the index.
        action: what it takes a permission for.
    """

    def __init__(
        self, site: AdminSite, page: Page, admin: AnyAdmin | None = None, action: Action = "view"
    ) -> None:
        self.site = site
        self.page = page
        self.admin = admin
        self.action: Action = action
        self._guarded = staff_required(self._answer)

    async def __call__(self, request: Request, **parameters: str) -> Response:
        """Answer the request; the login page for who is not logged in.

        Raises:
            PermissionDenied: whoever asks is no staff, or lacks the permission.
        """
        return await self._guarded(request, **parameters)

    async def _answer(self, request: Request, **parameters: str) -> Response:
        user = cast("User", request.user)  # staff, as the guard has made sure
        context = self.site.make_context(request, user)
        if self.admin is None:
            response = await self.page(context)
        elif await self.admin.has_permission(user, self.action):
            response = await self.page(context, self.admin, **parameters)
        else:
            raise PermissionDenied(f"{user} may not {self.action} {self.admin.model._meta.label}")
        response.headers["cache-control"] = NO_CACHE
        response.headers["content-security-policy"] = POLICY
        return response

    def check_app(self, app: App) -> list[CheckMessage]:
        """Return what is wrong with the administration; the index speaks for all its pages."""
        return self.site.check(app) if self.admin is None else []


def _sort_key(admin: AnyAdmin) -> tuple[str, str]:
    return admin.model._meta.app_label, admin.model._meta.verbose_name_plural
