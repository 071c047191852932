"""Checks of arrays and ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from transom.validators import LimitValidator


@dataclass(frozen=True)
class ArrayMinLengthValidator(LimitValidator):
    """Refuses an array of fewer values."""

    message: str = "Enter {limit} or more of these, not {length}."
    code: ClassVar[str] = "min_length"

    def measure(self, value: Any) -> int:
        """Return how many values it has. Any: an array of anything."""
        return len(value)

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether there are too few. Any: whole numbers."""
        return measured < limit


@dataclass(frozen=True)
class ArrayMaxLengthValidator(ArrayMinLengthValidator):
    """Refuses an array of more values."""

    message: str = "Enter no more than {limit} of these, not {length}."
    code: ClassVar[str] = "max_length"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether there are too many. Any: whole numbers."""
        return measured > limit


@dataclass(frozen=True)
class RangeMinValueValidator(LimitValidator):
    """Refuses a range that begins before the limit, or nowhere."""

    message: str = "This must not begin before {limit}."
    code: ClassVar[str] = "min_value"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether something of the range is below the limit. Any: a range, and a bound of it."""
        return not measured.isempty and (measured.lower is None or measured.lower < limit)


@dataclass(frozen=True)
class RangeMaxValueValidator(LimitValidator):
    """Refuses a range that ends behind the limit, or nowhere. It looks at the bound, whether that belongs to the range or not."""

    message: str = "This must not end after {limit}."
    code: ClassVar[str] = "max_value"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether something of the range is above the limit. Any: a range, and a bound of it."""
        return not measured.isempty and (measured.upper is None or measured.upper > limit)
