"""What becomes of a row when the row it refers to is deleted."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.db.sql.metadata import OnDeleteRule


class OnDelete(Enum):
    """What becomes of a row when the row it refers to is deleted. The database itself sees to it."""

    CASCADE = "cascade"
    """Delete it too."""
    PROTECT = "protect"
    """Refuse the deletion (ForeignKeyViolation)."""
    RESTRICT = "restrict"
    """Refuse the deletion, unless the row goes in the same cascade by another way."""
    SET_NULL = "set_null"
    """Let it refer to nothing; the field needs null=True."""
    SET_DEFAULT = "set_default"
    """Let it refer to the field's default, which must be a constant."""
    DO_NOTHING = "do_nothing"
    """Leave it; as the database knows the constraint, this refuses the deletion if nothing else is done before."""

    @property
    def rule(self) -> OnDeleteRule:
        """The clause of the foreign key."""
        return _RULES[self]


# Django's RESTRICT lets a row go that goes in the same cascade by another way. So does NO ACTION in SQL, which looks once
# the statement is done; SQL's RESTRICT looks at once, as PROTECT does.
_RULES: dict[OnDelete, OnDeleteRule] = {
    OnDelete.CASCADE: "CASCADE",
    OnDelete.PROTECT: "RESTRICT",
    OnDelete.RESTRICT: "NO ACTION",
    OnDelete.SET_NULL: "SET NULL",
    OnDelete.SET_DEFAULT: "SET DEFAULT",
    OnDelete.DO_NOTHING: "NO ACTION",
}

CASCADE = OnDelete.CASCADE
PROTECT = OnDelete.PROTECT
RESTRICT = OnDelete.RESTRICT
SET_NULL = OnDelete.SET_NULL
SET_DEFAULT = OnDelete.SET_DEFAULT
DO_NOTHING = OnDelete.DO_NOTHING
