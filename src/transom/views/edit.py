"""Views with a form: FormView for any, CreateView, UpdateView and DeleteView for a model's objects."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from transom.conf import ImproperlyConfigured
from transom.db import ForeignKeyViolation, atomic, router
from transom.forms import Form, ValidationError
from transom.forms.models import ModelForm, modelform_factory
from transom.views.base import TemplateView, View, overrides
from transom.views.detail import DetailView
from transom.views.objects import M, find_object, resolve_queryset, template_for
from transom.web import redirect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.db.models import QuerySet
    from transom.web import FormData, Request, Response

FormT = TypeVar("FormT", bound=Form)
INVALID = 422  # RFC 9110 15.5.21: understood, and wrong
CONFLICT = 409  # RFC 9110 15.5.10: at odds with what there is


class FormView(TemplateView, Generic[FormT]):
    """Shows a form, and does something with it once it is valid: `class Contact(FormView[ContactForm])`.

    GET shows it; POST validates it and calls `form_valid`, or shows it again with what is wrong and status 422. The template
    sees it as `form`.

    Attributes:
        form_class: the form.
        initial: values that it shows at first.
        prefix: of the names of its controls.
        success_url: where to go afterwards: a path, or the name of a route without parameters.
    """

    form_class: type[FormT] | None = None
    initial: Mapping[str, object] | None = None
    prefix: str = ""
    success_url: str | None = None

    def check_configuration(self) -> None:
        """Refuse a view that does not say its form, its template or where to go afterwards."""
        super().check_configuration()
        if self.form_class is None and not overrides(self, FormView, "get_form_class"):
            raise ImproperlyConfigured(f"{type(self).__name__} has no form; set form_class")
        if self.success_url is None and not overrides(self, FormView, "form_valid", "get_success_url"):
            raise no_success_url(self)

    def get_form_class(self) -> type[FormT]:
        """Return the class of the form."""
        assert self.form_class is not None  # noqa: S101  (checked when the URLconf was read)
        return self.form_class

    async def get_initial(self) -> dict[str, object]:
        """Return the values that the form shows at first."""
        return dict(self.initial or {})

    async def get_form(self, data: FormData | None = None) -> FormT:
        """Return the form, bound to the data of a POST."""
        return self.get_form_class()(data, initial=await self.get_initial(), prefix=self.prefix)

    async def get(
        self, request: Request, **kwargs: Any
    ) -> Response:  # Any: parameters of all types, here and below
        """Show the form."""
        return await self.render_form(await self.get_form())

    async def post(self, request: Request, **kwargs: Any) -> Response:
        """Validate the form; do what it is for, or show it again."""
        form = await self.get_form(await request.form())
        return await self.form_valid(form) if await form.is_valid() else await self.form_invalid(form)

    async def form_valid(self, form: FormT) -> Response:
        """Answer a valid form: override it to do something, and return `await super().form_valid(form)`."""
        return redirect(self.get_success_url())

    async def form_invalid(self, form: FormT) -> Response:
        """Show the form again, with its errors and status 422."""
        return await self.render_form(form, INVALID)

    async def render_form(self, form: FormT, status: int = 200) -> Response:
        """Show a form, with its choices loaded."""
        await form.load_choices()
        return await self.render(await self.get_context_data(form=form), status)

    def get_success_url(self) -> str:
        """Return where to go afterwards: a path, or the name of a route."""
        if self.success_url is None:
            raise no_success_url(self)
        return self.success_url


class ModelFormView(FormView[ModelForm[M]], Generic[M]):
    """What CreateView and UpdateView share: a form of a model, which saves its object when it is valid.

    The form is `form_class`, or made of `fields` of the model. The template is `<app>/<model>_form.html`, and sees the object
    as `object` and as `<model>`, None while it is new. Without `success_url`, the object's `get_absolute_url()` says where to
    go afterwards.

    Attributes:
        model: whose objects; that of `form_class` if not given.
        queryset: which of them may be edited, if not all.
        fields: what the form asks for, or `"__all__"` that is editable; unless there is a `form_class`.
        object: the object; None until a new one is saved.
    """

    model: type[M] | None = None
    queryset: QuerySet[M] | None = None
    fields: Sequence[str] | Literal["__all__"] | None = None

    object: M | None = None

    def check_configuration(self) -> None:
        """Refuse a view that does not say its model, its form or where to go afterwards."""
        if (self.form_class is None) == (self.fields is None):
            raise ImproperlyConfigured(f"{type(self).__name__} needs either fields or form_class")
        knows = self.success_url is not None or hasattr(self.get_form_class().model, "get_absolute_url")
        if not knows and not overrides(self, ModelFormView, "form_valid", "get_success_url"):
            raise no_success_url(self)

    def get_form_class(self) -> type[ModelForm[M]]:
        """Return `form_class`, or a form of the `fields`."""
        if self.form_class is not None:
            return self.form_class
        model = resolve_queryset(self, self.model, self.queryset).model
        fields = self.fields or ()
        return _make_form_class(model, fields if isinstance(fields, str) else tuple(fields))

    async def get_form(self, data: FormData | None = None) -> ModelForm[M]:
        """Return the form of the object, bound to the data of a POST."""
        form_class, initial = self.get_form_class(), await self.get_initial()
        return form_class(data, instance=self.object, initial=initial, prefix=self.prefix)

    async def form_valid(self, form: ModelForm[M]) -> Response:
        """Save the object and go on; show the form again if another request was faster with a unique value."""
        try:
            self.object = await form.save()
        except ValidationError:
            return await self.form_invalid(form)
        return await super().form_valid(form)

    async def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Add the object under both its names."""
        name = self.get_form_class().model._meta.model_name
        return await super().get_context_data(**{"object": self.object, name: self.object, **context})

    def get_template_names(self) -> list[str]:
        """Return `template_name`, or `<app>/<model>_form.html`."""
        return super().get_template_names() or [template_for(self.get_form_class().model, "form")]

    def get_success_url(self) -> str:
        """Return `success_url`, or where the object is shown."""
        where = None if self.success_url else getattr(self.object, "get_absolute_url", None)
        return super().get_success_url() if where is None else where()


class CreateView(ModelFormView[M], Generic[M]):
    """Makes a new object: `class AskQuestion(CreateView[Question])`, `model = Question`, `fields = ["text"]`."""


class UpdateView(ModelFormView[M], Generic[M]):
    """Changes an object, which the route names as for a DetailView.

    Attributes:
        pk_url_kwarg: see `DetailView`.
        slug_url_kwarg: see `DetailView`.
        slug_field: see `DetailView`.
    """

    pk_url_kwarg: str = "pk"
    slug_url_kwarg: str = "slug"
    slug_field: str = "slug"

    async def get_queryset(self) -> QuerySet[M]:
        """Return the objects that may be edited."""
        model: Any = self.model or self.get_form_class().model
        return resolve_queryset(self, model, self.queryset)

    async def get_object(self) -> M:
        """Return the object that the route names.

        Raises:
            Http404: there is none, or it may not be edited.
        """
        return await find_object(
            await self.get_queryset(),
            self.kwargs,
            pk_url_kwarg=self.pk_url_kwarg,
            slug_field=self.slug_field,
            slug_url_kwarg=self.slug_url_kwarg,
        )

    async def get(self, request: Request, **kwargs: Any) -> Response:
        """Show the form with the object's values."""
        self.object = await self.get_object()
        return await super().get(request, **kwargs)

    async def post(self, request: Request, **kwargs: Any) -> Response:
        """Validate the form; save the object, or show the form again."""
        self.object = await self.get_object()
        return await super().post(request, **kwargs)


class DeleteView(DetailView[M], Generic[M]):
    """Asks whether to delete an object, on GET, and does so, on POST.

    The template is `<app>/<model>_confirm_delete.html`. Where other rows protect the object it is shown again, with
    `protected` true and status 409.

    Attributes:
        success_url: where to go afterwards: a path, or the name of a route without parameters.
    """

    success_url: str | None = None
    template_name_suffix = "confirm_delete"

    def check_configuration(self) -> None:
        """Refuse a view that does not say what to delete, or where to go afterwards."""
        super().check_configuration()
        if self.success_url is None and not overrides(self, DeleteView, "post", "get_success_url"):
            raise no_success_url(self)

    async def post(self, request: Request, **kwargs: Any) -> Response:
        """Delete the object and go on; show it again if it is protected."""
        self.object = await self.get_object()
        try:
            written_to = router.for_write(type(self.object), None, self.object)
            async with atomic(written_to):  # within a transaction: a savepoint, so that it survives a refusal
                await self.object.delete()
        except ForeignKeyViolation:
            return await self.render(await self.get_context_data(protected=True), CONFLICT)
        return redirect(self.get_success_url())

    async def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Add `protected`: whether deleting was refused."""
        return await super().get_context_data(**{"protected": False, **context})

    def get_success_url(self) -> str:
        """Return where to go afterwards: a path, or the name of a route."""
        if self.success_url is None:
            raise no_success_url(self)
        return self.success_url


def no_success_url(view: View) -> ImproperlyConfigured:
    """Return the error for a view that does not say where to go afterwards."""
    return ImproperlyConfigured(f"{type(view).__name__} does not say where to go afterwards; set success_url")


@cache  # one for each view of the site
def _make_form_class(model: type[M], fields: tuple[str, ...] | Literal["__all__"]) -> type[ModelForm[M]]:
    return modelform_factory(model, fields)
