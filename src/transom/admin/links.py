"""The addresses of the administration, by what they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transom.admin.keys import quote_key
from transom.web import reverse

if TYPE_CHECKING:
    from transom.db import models


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses below one `include(site.urls, namespace=...)`; the names are Django's: `admin:polls_question_change`.

    Attributes:
        namespace: of the include.
    """

    namespace: str

    @property
    def index(self) -> str:
        """The page of all models."""
        return reverse(self._name("index"))

    def changelist(self, model: type[models.Model]) -> str:
        """Return the address of the list of objects."""
        return reverse(self._name(route_name(model, "changelist")))

    def add(self, model: type[models.Model]) -> str:
        """Return the address of the form for a new object."""
        return reverse(self._name(route_name(model, "add")))

    def change(self, row: models.Model) -> str:
        """Return the address of the form for an object."""
        return reverse(self._name(route_name(type(row), "change")), quote_key(row.pk))

    def delete(self, row: models.Model) -> str:
        """Return the address of the page that asks whether to delete an object."""
        return reverse(self._name(route_name(type(row), "delete")), quote_key(row.pk))

    def _name(self, name: str) -> str:
        return f"{self.namespace}:{name}" if self.namespace else name


def route_name(model: type[models.Model], page: str) -> str:
    """Return the name of a route within the namespace: `"polls_question_change"`."""
    return f"{model._meta.app_label}_{model._meta.model_name}_{page}"
