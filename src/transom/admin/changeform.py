"""Forms for one object: add it, change it. Each write is one transaction, from reading the row to its new values."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from transom.admin.keys import parse_key
from transom.admin.labels import describe_row, model_values, name_row
from transom.db import ForeignKeyViolation, IntegrityError, ObjectDoesNotExist, atomic
from transom.forms import DateTimeField, ValidationError
from transom.forms.models import ModelChoiceField, ModelForm
from transom.web import Http404, get_object_or_404, messages, redirect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.admin.context import AdminContext
    from transom.admin.options import ModelAdmin
    from transom.db import models
    from transom.web import Response

ADD_ANOTHER = "_addanother"
CONTINUE = "_continue"
# RFC 9110 15.5.21: the content was understood, and its values are wrong.
UNPROCESSABLE = 422


async def show_add(context: AdminContext, admin: ModelAdmin[Any]) -> Response:
    """Show the empty form, or make an object of what was sent."""
    if context.request.method != "POST":
        return await _render(context, admin, await _bind(context, admin, admin.add_form, None, None))
    data = await context.request.form()
    async with atomic(admin.using):
        form = await _bind(context, admin, admin.add_form, admin.model(), data)
        saved = await _save(form)
    if not saved:
        return await _render(context, admin, form, UNPROCESSABLE)
    await messages.success(context.request, f"{describe_row(form.instance)} was added.")
    return _leave(context, data, form.instance)


async def show_change(context: AdminContext, admin: ModelAdmin[Any], key: str) -> Response:
    """Show the form of an object, or write what was sent to it.

    Raises:
        Http404: there is no such object, or not any more.
    """
    if context.request.method != "POST":
        row = await find_row(context, admin, key)
        return await _render(context, admin, await _bind(context, admin, admin.change_form, row, None))
    data = await context.request.form()
    async with atomic(admin.using):
        row = await find_row(context, admin, key)
        form = await _bind(context, admin, admin.change_form, row, data)
        saved = await _save(form)
    if not saved:
        return await _render(context, admin, form, UNPROCESSABLE)
    await messages.success(context.request, f"{describe_row(form.instance)} was changed.")
    return _leave(context, data, form.instance)


async def find_row(
    context: AdminContext, admin: ModelAdmin[Any], key: str
) -> Any:  # Any: an object of any model
    """Return the object of a key as it stands in an address.

    Raises:
        Http404: there is none, or it is not for this request to see.
    """
    try:
        value = parse_key(admin.model, key)
    except ValueError as exc:
        raise Http404(str(exc)) from exc
    return await get_object_or_404(admin.get_queryset(context.request), pk=value)


async def _bind(
    context: AdminContext,
    admin: ModelAdmin[Any],
    form_class: type[ModelForm[Any]],
    row: Any,
    data: Mapping[str, Any] | None,
) -> ModelForm[Any]:
    """Return the form, with choices to show if there is no data to validate."""
    form = form_class(data, instance=row)
    if admin.form is None:
        for name, field in form.fields.items():
            form.fields[name] = _fit(context, field)
    if data is None:
        await form.load_choices()
    return form


def _fit(context: AdminContext, field: Any) -> Any:  # Any: a field of any type
    """Return a derived field as this request needs it: times in the site's zone, choices that this user may see."""
    if issubclass(type(field), DateTimeField):
        fitted = copy.copy(field)
        fitted.time_zone = ZoneInfo(context.request.app.settings.time_zone)
        return fitted
    if issubclass(type(field), ModelChoiceField) and field.queryset.model in context.admins:
        fitted = copy.copy(field)
        fitted.queryset = context.admins[field.queryset.model].get_queryset(context.request)
        return fitted
    return field


async def _save(form: ModelForm[Any]) -> bool:
    """Validate and save; return whether the object is in the database, with the reasons in the form if not.

    Raises:
        Http404: the row was deleted meanwhile.
    """
    if not await form.is_valid():
        return False
    try:
        await form.save()
    except ValidationError:  # a unique value was taken meanwhile; the form says so
        return False
    except IntegrityError as exc:
        form.add_error(None, _explain(exc))
        await form.load_choices()
        return False
    except ObjectDoesNotExist as exc:
        raise Http404(str(exc)) from exc
    return True


def _explain(refusal: IntegrityError) -> str:
    if isinstance(refusal, ForeignKeyViolation):
        return "What this refers to is no longer there. Please choose again."
    where = f" ({refusal.constraint})" if refusal.constraint else ""
    return f"The database refuses these values: a constraint does not hold{where}."


async def _render(
    context: AdminContext, admin: ModelAdmin[Any], form: ModelForm[Any], status: int = 200
) -> Response:
    row = form.instance if form.instance.pk is not None and not form.instance._adding else None
    return await context.render(
        "admin/changeform.html",
        {
            **model_values(admin.model),
            "form": form,
            "row": row,
            "title": "" if row is None else name_row(row),
            "can_delete": row is not None and await admin.has_permission(context.user, "delete"),
            "can_add": await admin.has_permission(context.user, "add"),
        },
        status,
    )


def _leave(context: AdminContext, data: Mapping[str, Any], row: models.Model) -> Response:
    """Redirect to where the button that was pressed leads."""
    if ADD_ANOTHER in data:
        return redirect(context.links.add(type(row)))
    if CONTINUE in data:
        return redirect(context.links.change(row))
    return redirect(context.links.changelist(type(row)))
