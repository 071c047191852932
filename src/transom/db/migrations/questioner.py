"""What `makemigrations` must ask a person, and what it does where nobody can answer."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from transom.db.migrations.exceptions import DefaultNeeded

if TYPE_CHECKING:
    from collections.abc import Callable


class Questioner(Protocol):
    """Answers what cannot be seen from the models."""

    def ask_default(self, model_label: str, field_name: str) -> Any:
        """Return the value of a new field, which is not null and has no default, for the rows that exist.

        Any: a value of the field.

        Raises:
            DefaultNeeded: there is none.
        """
        ...


class NonInteractiveQuestioner:
    """Answers nothing: whatever must be asked is an error that says what to do."""

    def ask_default(self, model_label: str, field_name: str) -> Any:
        """Raise DefaultNeeded."""
        raise DefaultNeeded(
            f"new field {model_label}.{field_name} is not null and has no default, so rows that exist would have no value; "
            "give it default=…, or null=True"
        )


class InteractiveQuestioner:
    """Asks the person at the terminal.

    Args:
        ask: shows a question and returns the line typed, as `input` does.
        tell: shows a line, as `print` does.
    """

    def __init__(self, ask: Callable[[str], str] = input, tell: Callable[[str], object] = print) -> None:
        self._ask = ask
        self._tell = tell

    def ask_default(self, model_label: str, field_name: str) -> Any:
        """Ask for a value for the rows that exist, until it is one; an empty line gives up.

        Raises:
            DefaultNeeded: the person gave up.
        """
        self._tell(
            f"New field {model_label}.{field_name} is not null and has no default: rows that exist need a value.\n"
            "Type one as Python; datetime, decimal and uuid are imported. It is used once, for these rows only.\n"
            "Or press Enter to stop, and give the field default=… or null=True in the model."
        )
        while answer := self._ask("value> ").strip():
            try:
                # Whoever sits at this terminal can run any Python anyway.
                return eval(answer, {"datetime": datetime, "decimal": decimal, "uuid": uuid})  # noqa: S307
            except Exception as exc:  # whatever was typed, ask again
                self._tell(f"{answer!r} is no value ({exc}); write a text in quotes, e.g. 'draft'")
        return NonInteractiveQuestioner().ask_default(model_label, field_name)
