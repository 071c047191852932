"""QuerySets: what to ask for, taken apart into shape and values, and the plans that answer it."""

from transom.db.models.query.persistence import delete_row, insert, update_row
from transom.db.models.query.queryset import QuerySet
from transom.db.models.query.values import ValuesQuery

__all__ = ["QuerySet", "ValuesQuery", "delete_row", "insert", "update_row"]
