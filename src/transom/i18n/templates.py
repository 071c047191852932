"""Translations and local times in Jinja templates."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from transom.i18n.timezone import localtime
from transom.i18n.translation import get_language, gettext, ngettext, npgettext, pgettext
from transom.templates import JinjaEngine
from transom.templates.dates import format_date

if TYPE_CHECKING:
    from transom.templates import Engine


def translate_templates(engine: Engine) -> None:
    """Give templates `_()`, `gettext`, `ngettext`, `pgettext`, `{% trans %}` and `get_language()`; call it once, at start-up.

        app = App(urlpatterns, middleware=[*DEFAULT_MIDDLEWARE, locale(["en", "de"])])
        translate_templates(app.templates)

    A text may hold variables, which are escaped: `{{ _("Hello %(name)s", name=user.name) }}`. The `date` filter then shows
    aware times in the active zone.

    Raises:
        TypeError: the engine is not the Jinja engine.
    """
    if not isinstance(engine, JinjaEngine):
        raise TypeError(f"{type(engine).__name__} cannot be given translations; expected a JinjaEngine")
    environment = engine.environment
    environment.add_extension("jinja2.ext.i18n")
    # The extension adds the method to the environment, where no type checker sees it.
    install = cast("Any", environment).install_gettext_callables
    # "newstyle": variables are arguments, and what they hold is escaped.
    install(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)
    engine.globals["get_language"] = get_language
    environment.filters["date"] = show_date


def show_date(value: date | None, format: str = "N j, Y") -> str:
    """Format a date with Django's format letters, an aware time in the active zone; None is shown as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = localtime(value)
    return format_date(value, format)
