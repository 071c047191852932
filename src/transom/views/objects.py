"""What views of models share: which rows, which of them, and how templates call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from transom.conf import ImproperlyConfigured
from transom.web import get_object_or_404

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.models import Model, QuerySet

M = TypeVar("M", bound="Model")


def resolve_queryset(owner: object, model: type[M] | None, queryset: QuerySet[M] | None) -> QuerySet[M]:
    """Return the rows of a view: its queryset, else all of its model.

    Raises:
        ImproperlyConfigured: it has neither.
    """
    if queryset is not None:
        return queryset
    if model is not None:
        return model.objects.all()
    name = type(owner).__name__
    raise ImproperlyConfigured(
        f"{name} does not say what to show; set model or queryset, or override get_queryset()"
    )


async def find_object(
    queryset: QuerySet[M],
    kwargs: Mapping[str, Any],  # Any: parameters of routes, of all types
    *,
    pk_url_kwarg: str = "pk",
    slug_field: str = "slug",
    slug_url_kwarg: str = "slug",
) -> M:
    """Return the object that the parameters of a route name, by primary key or by slug.

    Raises:
        Http404: there is none.
        ImproperlyConfigured: the route has neither parameter.
    """
    lookups = {"pk": pk_url_kwarg, slug_field: slug_url_kwarg}
    found = {field: kwargs[name] for field, name in lookups.items() if name in kwargs}
    if not found:
        raise ImproperlyConfigured(
            f"the route must have a parameter {pk_url_kwarg!r} or {slug_url_kwarg!r}; it has: {', '.join(kwargs) or 'none'}"
        )
    return await get_object_or_404(queryset, **found)


def template_for(model: type[Model], suffix: str) -> str:
    """Return the usual template of a model's view: `"polls/question_list.html"`."""
    options = model._meta
    return f"{options.app_label}/{options.model_name}_{suffix}.html"
