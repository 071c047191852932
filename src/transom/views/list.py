"""ListView: the objects of a model, all or by pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from transom.views.base import TemplateView, overrides
from transom.views.objects import M, resolve_queryset, template_for
from transom.views.paginator import InvalidPage, Page, Paginator
from transom.web import Http404

if TYPE_CHECKING:
    from transom.db.models import QuerySet
    from transom.web import Request, Response


class ListView(TemplateView, Generic[M]):
    """Shows the objects of a model: `class QuestionList(ListView[Question])`, `model = Question`.

    The template is `<app>/<model>_list.html` unless `template_name` exists. It sees `object_list`, the same as
    `<model>_list`, and `page_obj`, a `Page`, which is None without `paginate_by`.

    Attributes:
        model: whose objects.
        queryset: which of them, in which order, if not all in the model's.
        paginate_by: objects on a page; None for all on one.
        page_kwarg: the name in the query string, or of the route's parameter, that says which page.
        allow_empty: whether an empty list is shown, and not answered with 404.
        context_object_name: what the template calls the list, in place of `<model>_list`.
    """

    model: type[M] | None = None
    queryset: QuerySet[M] | None = None
    paginate_by: int | None = None
    page_kwarg: str = "page"
    allow_empty: bool = True
    context_object_name: str | None = None

    def check_configuration(self) -> None:
        """Refuse a view that does not say what to list."""
        if not overrides(self, ListView, "get_queryset"):
            resolve_queryset(self, self.model, self.queryset)

    async def get_queryset(self) -> QuerySet[M]:
        """Return what to list."""
        return resolve_queryset(self, self.model, self.queryset)

    async def get(
        self, request: Request, **kwargs: Any
    ) -> Response:  # Any: parameters of all types, here and below
        """Show the list.

        Raises:
            Http404: there is no such page, or the list is empty and may not be.
        """
        queryset = await self.get_queryset()
        self.model = queryset.model
        page = await self.paginate(queryset) if self.paginate_by else None
        objects = await queryset if page is None else page.object_list
        if not objects and not self.allow_empty:
            raise Http404(f"there is no {queryset.model._meta.verbose_name}")
        name = self.context_object_name or f"{queryset.model._meta.model_name}_list"
        context = await self.get_context_data(
            **{
                "object_list": objects,
                name: objects,
                "page_obj": page,
                "is_paginated": bool(page and page.has_other_pages),
            }
        )
        return await self.render(context)

    async def paginate(self, queryset: QuerySet[M]) -> Page[M]:
        """Return the page that the request asks for.

        Raises:
            Http404: there is no such page.
        """
        number = self.kwargs.get(self.page_kwarg) or self.request.query.get(self.page_kwarg) or 1
        try:
            return await Paginator(queryset, self.paginate_by or 1).page(number)
        except InvalidPage as exc:
            raise Http404(str(exc)) from exc

    def get_template_names(self) -> list[str]:
        """Return `template_name`, if there is one, and `<app>/<model>_list.html`."""
        names = super().get_template_names()
        return [*names, template_for(self.model, "list")] if self.model else names
