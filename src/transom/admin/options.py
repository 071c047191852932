"""ModelAdmin: what a site says about the administration of one model."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from transom.admin.columns import Column, build_column
from transom.auth import User
from transom.db import models
from transom.forms.models import ModelForm, modelform_factory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.web import Request

M = TypeVar("M", bound=models.Model)
Action: TypeAlias = Literal["view", "add", "change", "delete"]


class ModelAdmin(Generic[M]):
    """How one model is administered: set the attributes in a subclass, or give them to `AdminSite.register`.

    Args:
        model: what is administered.
        options: attributes by name, in place of those of the class.

    Raises:
        TypeError: an option is unknown; the message names the choices.

    Attributes:
        list_display: columns of the list: names of fields, paths through foreign keys (`"question__text"`), methods of this
            class that take the object, methods of the model, or `"__str__"`.
        list_select_related: foreign keys to load with the list, besides those that `list_display` shows: what `__str__`
            and methods read.
        list_per_page: rows on a page.
        search_fields: text fields to search in, also across relations (`"choices__text"`); without any, there is no search.
        ordering: order of the list, as in `order_by`; the model's if empty, else the newest key first.
        fields: names of the fields that forms show, in their order; all that are editable if None.
        form: the form to use in place of a derived one.
        using: alias of the database.
    """

    list_display: Sequence[str] = ("__str__",)
    list_select_related: Sequence[str] = ()
    list_per_page: int = 50
    search_fields: Sequence[str] = ()
    ordering: Sequence[str] = ()
    fields: Sequence[str] | None = None
    form: type[ModelForm[M]] | None = None
    using: str = "default"

    OPTIONS: ClassVar = (
        "list_display",
        "list_select_related",
        "list_per_page",
        "search_fields",
        "ordering",
        "fields",
        "form",
        "using",
    )

    def __init__(self, model: type[M], **options: Any) -> None:  # Any: each option has a type of its own
        self.model = model
        for name, value in options.items():
            if name not in self.OPTIONS:
                close = get_close_matches(name, self.OPTIONS, 1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                raise TypeError(
                    f"unknown option {name!r} for {model.__name__}; {hint}choose from {', '.join(self.OPTIONS)}"
                )
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.model._meta.label}>"

    async def has_permission(self, user: User, action: Action) -> bool:
        """Return whether an active member of the staff may do this to objects of the model.

        The default lets all staff do everything, except that accounts are for superusers: who may change an account may
        become one.
        """
        return user.is_superuser or not issubclass(self.model, User)

    def get_queryset(self, request: Request) -> models.QuerySet[M]:
        """Return the objects that this request may see at all; override it to narrow them.

        What is not in it is answered with 404 everywhere, and cannot be chosen in forms of other models.
        """
        rows = models.QuerySet(self.model, self.using)
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the list.

        Raises:
            FieldError: a name in `list_display` is none.
        """
        return tuple(build_column(self, self.model, name) for name in self.list_display)

    @cached_property
    def add_form(self) -> type[ModelForm[M]]:
        """The form for a new object; it asks for a key that nothing else makes."""
        return self._make_form(with_key=True)

    @cached_property
    def change_form(self) -> type[ModelForm[M]]:
        """The form for an object there is; its key cannot be changed."""
        return self._make_form(with_key=False)

    def _make_form(self, *, with_key: bool) -> type[ModelForm[M]]:
        if self.form is not None:
            return self.form
        meta = self.model._meta
        names = (
            [field.name for field in meta.fields if field.editable] if self.fields is None else self.fields
        )
        key = meta.pk
        asks = with_key and not (key.has_default() or key.has_db_default() or meta.auto_field is not None)
        return modelform_factory(self.model, [name for name in names if asks or name not in (key.name, "pk")])
