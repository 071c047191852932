"""Constraints, as `class Meta` declares them: what the database refuses whoever writes."""

from __future__ import annotations

import copy
import re
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.models.expressions import F
from transom.db.models.indexes import check_opclasses, condition_names, expression_names
from transom.db.models.names import digest, fill_name, import_path, make_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from transom.db.models.expressions import Expression, Q
    from transom.db.models.names import Owner


class Deferrable(Enum):
    """When a constraint is checked that may be broken for a while within a transaction."""

    DEFERRED = "DEFERRED"
    """At the end of the transaction."""
    IMMEDIATE = "IMMEDIATE"
    """At each statement, unless the transaction says `SET CONSTRAINTS … DEFERRED`."""


class BaseConstraint:
    """What all constraints share.

    Args:
        name: made of table and fields if not given.
        violation_error_message: what `full_clean()` says of a row that breaks it; `{name}` is filled in.
        violation_error_code: the same for programs.
    """

    prefix: ClassVar[str]
    default_message: ClassVar[str] = "This breaks the constraint “{name}”."

    def __init__(
        self,
        *,
        name: str | None = None,
        violation_error_message: str | None = None,
        violation_error_code: str | None = None,
    ) -> None:
        self.name: str = name or ""
        self.violation_error_message = violation_error_message
        self.violation_error_code = violation_error_code

    def for_model(self, options: Owner) -> Self:
        """Return a copy for one model, which has a name."""
        made = copy.copy(self)
        made.name = (
            fill_name(self.name, options)
            if self.name
            else make_name(self.prefix, options.db_table, *self.name_parts())
        )
        return made

    def name_parts(self) -> list[str]:
        """Return what a name that is made has in it after the table."""
        raise NotImplementedError(f"{type(self).__name__} must say its name_parts()")

    def field_names(self) -> set[str]:
        """Return the names of the fields that the constraint speaks of."""
        raise NotImplementedError(f"{type(self).__name__} must say its field_names()")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of its own. Any: arguments of any type."""
        raise NotImplementedError(f"{type(self).__name__} must say its arguments()")

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the import path and arguments from which an equal one can be made. Any: arguments of any type.

        What `full_clean()` says is left out: the database sees nothing of it.
        """
        positional, own = self.arguments()
        keywords = {**own, "name": self.name}
        given = {key: value for key, value in keywords.items() if value is not None and value != []}
        return import_path(type(self)), positional, given

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class CheckConstraint(BaseConstraint):
    """A condition that every row must meet, on the model's own columns; NULL meets it, as always in SQL.

        models.CheckConstraint(condition=models.Q(price__gte=0), name="price_not_negative")

    Args:
        condition: the condition.
        name: made of table, fields and a digest of the condition if not given.
        violation_error_message: see `BaseConstraint`.
        violation_error_code: see `BaseConstraint`.
    """

    prefix = "ck"

    def __init__(
        self,
        *,
        condition: Q,
        name: str | None = None,
        violation_error_message: str | None = None,
        violation_error_code: str | None = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_message=violation_error_message,
            violation_error_code=violation_error_code,
        )
        self.condition = condition

    def name_parts(self) -> list[str]:
        """Return the fields, and a digest that tells this condition from others on them."""
        return [*sorted(self.field_names()), digest(repr(self.condition))]

    def field_names(self) -> set[str]:
        """Return the names in the condition."""
        return condition_names(self.condition)

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the condition."""
        return [], {"condition": self.condition}


class UniqueConstraint(BaseConstraint):
    """Refuses a second row with the same values.

        models.UniqueConstraint(fields=["room", "day"], name="one_booking_a_day")
        models.UniqueConstraint(fields=["owner"], condition=models.Q(is_main=True))

    Args:
        expressions: expressions over columns of the model; or `fields`.
        fields: names of fields.
        name: made of table and fields if not given.
        condition: which rows it is about; all if None. On PostgreSQL and SQLite.
        deferrable: when it is checked, if not at once. SQLite always checks at once.
        include: fields that are kept in the index behind it, on PostgreSQL.
        opclasses: an operator class for each field, on PostgreSQL.
        nulls_distinct: False to let NULL equal NULL; it does not if None.
        violation_error_message: see `BaseConstraint`.
        violation_error_code: see `BaseConstraint`.
    """

    prefix = "uq"

    def __init__(
        self,
        *expressions: Expression,
        fields: Sequence[str] = (),
        name: str | None = None,
        condition: Q | None = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] = (),
        opclasses: Sequence[str] = (),
        nulls_distinct: bool | None = None,
        violation_error_message: str | None = None,
        violation_error_code: str | None = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_message=violation_error_message,
            violation_error_code=violation_error_code,
        )
        if bool(expressions) == bool(fields):
            raise TypeError("UniqueConstraint takes either expressions or fields=[…], and one of them")
        check_opclasses(opclasses, len(fields))
        if deferrable and (condition is not None or include or opclasses or expressions):
            raise TypeError(
                "a deferrable UniqueConstraint takes neither condition, include, opclasses nor expressions"
            )
        self.expressions = expressions
        self.fields = tuple(fields)
        self.condition = condition
        self.deferrable = deferrable
        self.include = tuple(include)
        self.opclasses = tuple(opclasses)
        self.nulls_distinct = nulls_distinct

    @property
    def is_plain(self) -> bool:
        """Whether it is about all rows, by nothing but fields."""
        return self.condition is None and not self.expressions

    def name_parts(self) -> list[str]:
        """Return the fields, and a digest where it is about more than these."""
        more = () if self.is_plain else (digest(repr((self.expressions, self.condition))),)
        return [*self.fields, *more]

    def field_names(self) -> set[str]:
        """Return the fields, and the names in expressions and condition."""
        found = {*self.fields, *self.include}
        for expression in self.expressions:
            found |= expression_names(expression)
        return found if self.condition is None else found | condition_names(self.condition)

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return expressions, fields and options."""
        keywords: dict[str, Any] = {
            "fields": list(self.fields),
            "condition": self.condition,
            "deferrable": self.deferrable,
            "include": list(self.include),
            "opclasses": list(self.opclasses),
            "nulls_distinct": self.nulls_distinct,
        }
        return list(self.expressions), keywords


_OPERATOR = re.compile(
    r"[-+*/<>=~!@#%^&|`?]{1,63}"
)  # https://www.postgresql.org/docs/current/sql-syntax-lexical.html


def _plain(subject: str | Expression) -> str | Expression:
    """Return the name of a field that stands in an F."""
    return subject.path if type(subject) is F and "__" not in subject.path else subject


class ExclusionConstraint(BaseConstraint):
    """Refuses two rows of which all the comparisons hold, such as two bookings that overlap; PostgreSQL alone has it.

        models.ExclusionConstraint(expressions=[("network", "&&")], opclasses=["inet_ops"], name="networks_apart")
        models.ExclusionConstraint(
            expressions=[("room", "="), (TsTzRange("begins", "ends"), RangeOperators.OVERLAPS)], name="no_double_booking"
        )

    Plain values beside ranges need an extension: `BtreeGistExtension` of `transom.db.postgres`, in a migration before.

    Args:
        expressions: pairs of the name of a field, or an expression over fields, and the operator that compares two rows by it.
        name: made of table and fields if not given.
        index_type: the kind of index behind it, which must know the operators.
        condition: which rows it is about; all if None.
        deferrable: when it is checked, if not at once.
        opclasses: an operator class for each field; expressions take none.
        violation_error_message: see `BaseConstraint`.
        violation_error_code: see `BaseConstraint`.
    """

    prefix = "ex"

    def __init__(
        self,
        *,
        expressions: Sequence[tuple[str | Expression, str]],
        name: str | None = None,
        index_type: str = "gist",
        condition: Q | None = None,
        deferrable: Deferrable | None = None,
        opclasses: Sequence[str] = (),
        violation_error_message: str | None = None,
        violation_error_code: str | None = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_message=violation_error_message,
            violation_error_code=violation_error_code,
        )
        if not expressions:
            raise TypeError("ExclusionConstraint needs at least one pair of field and operator")
        check_opclasses(opclasses, len(expressions))
        if not index_type.isidentifier():
            raise TypeError(f"index_type={index_type!r} is no kind of index; take 'gist', 'spgist' or 'hash'")
        for _, operator in expressions:
            if not _OPERATOR.fullmatch(operator):
                raise TypeError(f"{operator!r} is no operator; take one such as '&&' or '='")
        self.expressions = tuple([(_plain(subject), operator) for subject, operator in expressions])
        if opclasses and not all(isinstance(subject, str) for subject, _ in self.expressions):
            raise TypeError(
                "opclasses are for names of fields; an ExclusionConstraint of expressions takes none"
            )
        self.index_type = index_type.lower()
        self.condition = condition
        self.deferrable = deferrable
        self.opclasses = tuple(opclasses)

    def name_parts(self) -> list[str]:
        """Return the fields, and a digest of the operators and the condition."""
        names = [subject for subject, _ in self.expressions if isinstance(subject, str)]
        return [*names, digest(repr((self.expressions, self.condition)))]

    def field_names(self) -> set[str]:
        """Return the fields, and the names in the condition."""
        found: set[str] = set()
        for subject, _ in self.expressions:
            found |= {subject} if isinstance(subject, str) else expression_names(subject)
        return found if self.condition is None else found | condition_names(self.condition)

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the pairs and the options."""
        keywords: dict[str, Any] = {
            "expressions": list(self.expressions),
            "index_type": None if self.index_type == "gist" else self.index_type,
            "condition": self.condition,
            "deferrable": self.deferrable,
            "opclasses": list(self.opclasses),
        }
        return [], keywords
