"""DetailView: one object of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from transom.views.base import TemplateView, overrides
from transom.views.objects import M, find_object, resolve_queryset, template_for

if TYPE_CHECKING:
    from transom.db.models import QuerySet
    from transom.web import Request, Response


class DetailView(TemplateView, Generic[M]):
    """Shows one object: `class QuestionDetail(DetailView[Question])`, `model = Question`.

    The route names it: `path("<int:pk>/", QuestionDetail.as_view())`, or by a `slug`. The template is
    `<app>/<model>_detail.html` unless `template_name` says otherwise, and sees it as `object` and as `<model>`.

    Attributes:
        model: what is shown.
        queryset: which objects may be shown, if not all of the model.
        pk_url_kwarg: the parameter of the route with the primary key.
        slug_url_kwarg: the parameter of the route with the slug.
        slug_field: the model's field with the slug.
        context_object_name: what the template calls the object, in place of `<model>`.
        object: the object, once the request is being answered.
    """

    model: type[M] | None = None
    queryset: QuerySet[M] | None = None
    pk_url_kwarg: str = "pk"
    slug_url_kwarg: str = "slug"
    slug_field: str = "slug"
    context_object_name: str | None = None
    template_name_suffix: str = "detail"

    object: M

    def check_configuration(self) -> None:
        """Refuse a view that does not say what to show."""
        if not overrides(self, DetailView, "get_queryset", "get_object"):
            resolve_queryset(self, self.model, self.queryset)

    async def get_queryset(self) -> QuerySet[M]:
        """Return what may be shown."""
        return resolve_queryset(self, self.model, self.queryset)

    async def get_object(self) -> M:
        """Return the object that the route names.

        Raises:
            Http404: there is none, or it may not be shown.
        """
        return await find_object(
            await self.get_queryset(),
            self.kwargs,
            pk_url_kwarg=self.pk_url_kwarg,
            slug_field=self.slug_field,
            slug_url_kwarg=self.slug_url_kwarg,
        )

    async def get(self, request: Request, **kwargs: Any) -> Response:  # Any: parameters of all types
        """Show the object."""
        self.object = await self.get_object()
        return await self.render(await self.get_context_data())

    async def get_context_data(self, **context: Any) -> dict[str, Any]:  # Any: as in TemplateView
        """Add the object under both its names."""
        name = self.context_object_name or self.object._meta.model_name
        return await super().get_context_data(**{"object": self.object, name: self.object, **context})

    def get_template_names(self) -> list[str]:
        """Return `template_name`, or `<app>/<model>_detail.html`."""
        return super().get_template_names() or [template_for(type(self.object), self.template_name_suffix)]
