"""Fields that only PostgreSQL has, in models of other databases: said at start-up, not by the first query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.conf import CheckMessage, apps, register
from transom.db import router
from transom.db.models import registry
from transom.db.postgres.arrays import ArrayField
from transom.db.postgres.ranges import RangeField
from transom.db.url import DatabaseURL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transom.conf import Settings


@register()
def check_databases(settings: Settings) -> Iterator[CheckMessage]:
    """Find the fields of arrays and ranges in models of installed apps whose database is of another kind."""
    installed = {config.label for config in apps.get_app_configs()}
    for model in registry.get_models():
        if model._meta.app_label not in installed:
            continue
        alias = router.for_read(model)
        if not model._meta.managed or alias not in settings.databases:
            continue
        scheme = DatabaseURL.parse(settings.databases[alias]).scheme
        for field in model._meta.fields if scheme != "postgresql" else ():
            kind = type(field).__name__
            if isinstance(field, ArrayField | RangeField):
                yield CheckMessage(
                    "postgres.E001",
                    f"{field.label} is a {kind}, and the database {alias!r} is {scheme}",
                    "take a JSONField, or a model of its own with a ForeignKey to this one; or PostgreSQL",
                )
