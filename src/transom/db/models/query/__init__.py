"""QuerySets: what to ask for, taken apart into shape and values, and the plans that answer it."""

from transom.db.models.query.cte import CTE
from transom.db.models.query.persistence import delete_row, insert, insert_many, update_row
from transom.db.models.query.prefetch import Prefetch, prefetch_related_objects
from transom.db.models.query.queryset import QuerySet, QuerySetManager
from transom.db.models.query.raw import RawQuerySet, execute_sql, fetch_sql
from transom.db.models.query.related_rows import rows_of, saved_key
from transom.db.models.query.values import ValuesQuery

__all__ = [
    "CTE",
    "Prefetch",
    "QuerySet",
    "QuerySetManager",
    "RawQuerySet",
    "ValuesQuery",
    "delete_row",
    "execute_sql",
    "fetch_sql",
    "insert",
    "insert_many",
    "prefetch_related_objects",
    "rows_of",
    "saved_key",
    "update_row",
]
