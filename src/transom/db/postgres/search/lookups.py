"""The lookup `search`, of texts and of their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models import TextField
from transom.db.models.fields.text import BaseTextField
from transom.db.models.lookups import IsNull, Lookup
from transom.db.postgres.search.fields import SearchVectorField
from transom.db.postgres.search.matches import Matches

if TYPE_CHECKING:
    from transom.db.models.expressions import Expression


@SearchVectorField.register_lookup
@BaseTextField.register_lookup
class SearchLookup(Lookup):
    """Whether all words of a text are in another, or in a `SearchVector`; or whether that fits a `SearchQuery`.

    The two sides are read in the same language: that of the side which has a configuration.
    """

    lookup_name = "search"
    rhs_field = TextField()

    def as_condition(self, lhs: Any, rhs: Any) -> Expression:
        """Return the comparison. Any: expressions."""
        return Matches(lhs, rhs)


@SearchVectorField.register_lookup
class SearchVectorExact(SearchLookup):
    """The same, for `annotate(words=SearchVector("title")).filter(words="cat")`."""

    lookup_name = "exact"
    can_use_none_as_rhs = True

    def as_condition(self, lhs: Any, rhs: Any) -> Expression:
        """Return the comparison, or that there are no words at all. Any: expressions."""
        return IsNull(lhs, True) if self.rhs is None else super().as_condition(lhs, rhs)
