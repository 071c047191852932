"""What makes a value wrong, and in which words: `ValidationError`, and checks of values that raise it.

A validator is called with a value and returns nothing, or raises ValidationError. Fields of models and of forms take
them as `validators=[...]`. Those with settings are frozen dataclasses: equal if they check the same, and simple to
derive from. The sentences are for people; `{limit}` and the like in them are filled in from `params`.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal  # noqa: TC003  # for who reads annotations
from typing import Any, ClassVar, Final, TypeAlias, cast
from urllib.parse import urlsplit

NON_FIELD_ERRORS: Final = "__all__"
"""The name under which errors stand that concern no single field."""

# Any: a member is a sentence or an error; recursive aliases are beyond what all type checkers take
Message: TypeAlias = "str | ValidationError | Iterable[Any] | Mapping[str, Any]"


class ValidationError(Exception):
    """What was given is wrong, in words for the person who gave it.

    Args:
        message: a sentence; an error; several of both; or these by the name of the field they concern.
        code: what kind of mistake it is, for programs: `"required"`, `"max_length"`, `"invalid"`.
        params: what the sentence speaks of: `{limit}` in it becomes `params["limit"]`. Any: whatever can be shown.

    Attributes:
        code: as given.
        params: as given; empty if not.
        error_dict: the errors by field; None where they were not given so. What concerns no field is under
            `NON_FIELD_ERRORS`.
    """

    def __init__(
        self, message: Message, code: str = "invalid", params: Mapping[str, Any] | None = None
    ) -> None:
        self.code = code
        self.params = dict(params or {})
        self.error_dict: dict[str, list[ValidationError]] | None = None
        self._sentence: str | None = None
        self._errors: list[ValidationError] = []
        if isinstance(message, str):
            self._sentence = message.format(**self.params) if self.params else message
        elif isinstance(message, Mapping):
            parts = cast("Mapping[str, Any]", message)
            self.error_dict = {name: _flatten(part, code, self.params) for name, part in parts.items()}
            self._errors = [error for errors in self.error_dict.values() for error in errors]
        else:
            self._errors = _flatten(message, code, self.params)
        super().__init__(self._describe())

    @property
    def error_list(self) -> list[ValidationError]:
        """The errors one by one, each with a single sentence and its own code."""
        return [self] if self._sentence is not None else self._errors

    @property
    def messages(self) -> list[str]:
        """The sentences, one or more."""
        return [error._sentence or "" for error in self.error_list]

    @property
    def message_dict(self) -> dict[str, list[str]]:
        """The sentences by field; all under `NON_FIELD_ERRORS` where the error names no fields."""
        by_field = self.update_error_dict({})
        return {name: [error._sentence or "" for error in errors] for name, errors in by_field.items()}

    def update_error_dict(self, errors: dict[str, list[ValidationError]]) -> dict[str, list[ValidationError]]:
        """Add the errors to a dict by field, and return it."""
        found = {NON_FIELD_ERRORS: self.error_list} if self.error_dict is None else self.error_dict
        for name, members in found.items():
            errors.setdefault(name, []).extend(members)
        return errors

    def _describe(self) -> str:
        if self.error_dict is None:
            return " ".join(self.messages)
        parts = (
            (name, " ".join(error._sentence or "" for error in errors))
            for name, errors in self.error_dict.items()
        )
        return " ".join(text if name == NON_FIELD_ERRORS else f"{name}: {text}" for name, text in parts)

    def __repr__(self) -> str:
        return f"ValidationError({self._describe()!r})"


def _flatten(message: Message, code: str, params: Mapping[str, Any]) -> list[ValidationError]:
    if isinstance(message, str):
        return [ValidationError(message, code, params)]
    if isinstance(message, ValidationError):
        return message.error_list
    return [error for member in message for error in _flatten(member, code, params)]


Validator: TypeAlias = Callable[[Any], None]  # Any: each takes the type of its field
"""Raises ValidationError for a value that is wrong."""


@dataclass(frozen=True)
class BaseValidator:
    """What validators with settings share: they are data, and can be written into a migration."""

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the import path and arguments from which an equal one can be made. Any: settings of every type."""
        settings = {item.name: getattr(self, item.name) for item in fields(self)}
        changed = {
            item.name: settings[item.name] for item in fields(self) if settings[item.name] != item.default
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", [], changed


@dataclass(frozen=True)
class LimitValidator(BaseValidator):
    """Compares something about the value with a limit; `limit_value` may be a function that makes it."""

    limit_value: Any  # any value that compares with those checked
    message: str = "This is not valid."
    code: ClassVar[str] = "limit_value"

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        limit = self.limit_value() if callable(self.limit_value) else self.limit_value
        measured = self.measure(value)
        if self.is_wrong(measured, limit):
            raise ValidationError(
                self.message, self.code, {"limit": limit, "length": measured, "value": value}
            )

    def measure(self, value: Any) -> Any:
        """Return what is compared: the value itself."""
        return value

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether the value is beyond the limit."""
        raise NotImplementedError(f"{type(self).__name__} must say what is_wrong()")


@dataclass(frozen=True)
class MinValueValidator(LimitValidator):
    """Refuses what is less than the limit."""

    message: str = "Enter {limit} or more."
    code: ClassVar[str] = "min_value"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether it is less."""
        return measured < limit


@dataclass(frozen=True)
class MaxValueValidator(LimitValidator):
    """Refuses what is greater than the limit."""

    message: str = "Enter {limit} or less."
    code: ClassVar[str] = "max_value"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether it is greater."""
        return measured > limit


@dataclass(frozen=True)
class StepValueValidator(LimitValidator):
    """Refuses what is no whole number of steps from `offset`. Floats may be off by a billionth of a step."""

    message: str = "Enter a multiple of {limit}."
    offset: Any = None  # a number like those checked, or None for 0
    code: ClassVar[str] = "step_size"

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether it stands between two steps."""
        distance = measured - (self.offset or 0)
        if isinstance(distance, float) or isinstance(limit, float):
            steps = float(distance) / float(limit)
            return abs(steps - round(steps)) > 1e-9
        return bool(distance % limit)


@dataclass(frozen=True)
class MinLengthValidator(LimitValidator):
    """Refuses what is shorter than the limit."""

    message: str = "Use at least {limit} characters; these are {length}."
    code: ClassVar[str] = "min_length"

    def measure(self, value: Any) -> Any:
        """Return the length."""
        return len(value)

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether it is shorter."""
        return measured < limit


@dataclass(frozen=True)
class MaxLengthValidator(LimitValidator):
    """Refuses what is longer than the limit."""

    message: str = "Use at most {limit} characters; these are {length}."
    code: ClassVar[str] = "max_length"

    def measure(self, value: Any) -> Any:
        """Return the length."""
        return len(value)

    def is_wrong(self, measured: Any, limit: Any) -> bool:
        """Whether it is longer."""
        return measured > limit


@dataclass(frozen=True)
class DecimalValidator(BaseValidator):
    """Refuses a Decimal with more digits than a column of these sizes holds.

    Args:
        max_digits: of them all; None for any number.
        decimal_places: after the point at most; None for any number.
    """

    max_digits: int | None
    decimal_places: int | None

    def __call__(self, value: Decimal) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        _, figures, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise ValidationError("Enter a number.", "invalid", {"value": value})
        places = max(0, -exponent)
        digits = max(len(figures) + max(0, exponent), places)
        whole = digits - places
        if self.max_digits is not None and digits > self.max_digits:
            raise ValidationError("Use at most {limit} digits.", "max_digits", {"limit": self.max_digits})
        if self.decimal_places is None:
            return
        if places > self.decimal_places:
            sentence = "Use at most {limit} digits after the decimal point."
            raise ValidationError(sentence, "decimal_places", {"limit": self.decimal_places})
        if self.max_digits is not None and whole > self.max_digits - self.decimal_places:
            limit = self.max_digits - self.decimal_places
            sentence = "Use at most {limit} digits before the decimal point."
            raise ValidationError(sentence, "whole_digits", {"limit": limit})


@dataclass(frozen=True)
class RegexValidator(BaseValidator):
    r"""Refuses text in which the pattern is nowhere found; anchor it (`\A…\Z`) to speak of the whole text.

    Args:
        regex: the pattern.
        message: the sentence.
        code: for programs.
        inverse_match: whether to refuse text in which the pattern is found.
        flags: of `re`.
    """

    regex: str
    message: str = "This is not valid."
    code: str = "invalid"
    inverse_match: bool = False
    flags: int = 0

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        found = re.search(self.regex, str(value), self.flags) is not None  # re keeps compiled patterns
        if found is self.inverse_match:
            raise ValidationError(self.message, self.code, {"value": value})


validate_slug: Final = RegexValidator(
    r"\A[-a-zA-Z0-9_]+\Z", "Use letters a to z, digits, hyphens and underscores only."
)
validate_unicode_slug: Final = RegexValidator(
    r"\A[-\w]+\Z", "Use letters, digits, hyphens and underscores only."
)

# Source: WHATWG HTML, "valid e-mail address": what browsers take; RFC 5322 allows more than anyone uses.
_DNS_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_DNS_LABEL}(?:\.{_DNS_LABEL})*")


@dataclass(frozen=True)
class EmailValidator(BaseValidator):
    """Refuses what is no e-mail address. Whether mail arrives there, only a mail sent there tells."""

    message: str = "Enter an e-mail address, such as name@example.com."
    code: str = "invalid"

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        if not _EMAIL.fullmatch(str(value)):
            raise ValidationError(self.message, self.code, {"value": value})


validate_email: Final = EmailValidator()

_HOST = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*\.?")  # \w: names in any script
_NOT_IN_URL = re.compile(r"\A | \Z|[\x00-\x1f\x7f<>\"\\^`{|}]")


@dataclass(frozen=True)
class URLValidator(BaseValidator):
    """Refuses what is no absolute web address: a scheme, a host, and no control character, quote or bracket after it.

    Args:
        message: the sentence.
        code: for programs.
        schemes: those allowed, in lower case.
    """

    message: str = "Enter a web address, such as https://example.com/."
    code: str = "invalid"
    schemes: tuple[str, ...] = ("http", "https")

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        if not isinstance(value, str) or _NOT_IN_URL.search(value) or not self._is_address(value):
            raise ValidationError(self.message, self.code, {"value": value})

    def _is_address(self, text: str) -> bool:
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port  # the port is checked as it is read
            if host and ":" in host:  # only brackets let a colon into a host
                ipaddress.IPv6Address(host)
                return parts.scheme in self.schemes
        except ValueError:
            return False
        return parts.scheme in self.schemes and bool(host) and bool(_HOST.fullmatch(host or ""))


def validate_ipv4_address(value: Any) -> None:
    """Refuse what is no IPv4 address: four numbers with dots between, without leading zeros."""
    _check_address(ipaddress.IPv4Address, value, "Enter an IPv4 address.")


def validate_ipv6_address(value: Any) -> None:
    """Refuse what is no IPv6 address."""
    _check_address(ipaddress.IPv6Address, value, "Enter an IPv6 address.")


def validate_ipv46_address(value: Any) -> None:
    """Refuse what is neither an IPv4 nor an IPv6 address."""
    _check_address(ipaddress.ip_address, value, "Enter an IPv4 or IPv6 address.")


def _check_address(parse: Callable[[str], object], value: Any, sentence: str) -> None:
    try:
        parse(str(value))
    except ValueError:
        raise ValidationError(sentence, "invalid", {"value": value}) from None


@dataclass(frozen=True)
class ProhibitNullCharactersValidator(BaseValidator):
    """Refuses text with a NUL character, which PostgreSQL cannot store."""

    message: str = "This holds a character that cannot be stored (NUL)."
    code: str = "null_characters_not_allowed"

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        if "\0" in str(value):
            raise ValidationError(self.message, self.code, {"value": value})


@dataclass(frozen=True)
class FileExtensionValidator(BaseValidator):
    """Refuses a file, or the name of one, whose extension is none of these. What is in the file it does not see.

    Args:
        allowed_extensions: without the dot, in any case of letters; None for all.
        message: the sentence; `{extension}` and `{allowed_extensions}` are filled in.
        code: for programs.
    """

    allowed_extensions: Collection[str] | None = None
    message: str = "Choose a file of another kind: {extension!r} is not among {allowed_extensions}."
    code: str = "invalid_extension"

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        name = str(getattr(value, "name", value)).rpartition("/")[2]
        extension = name.rpartition(".")[2].lower() if "." in name else ""
        allowed = self.allowed_extensions
        if allowed is not None and extension not in [other.lower() for other in allowed]:
            params = {"extension": extension, "allowed_extensions": ", ".join(allowed), "value": value}
            raise ValidationError(self.message, self.code, params)


@dataclass(frozen=True)
class FilePathValidator(BaseValidator):
    """Refuses what is no path of a file below a folder. It reads the folder, so call it in a thread.

    Args:
        path: the folder.
        match: a regular expression that is searched for in the last part of each path; None for all.
        recursive: whether folders are looked into, though not through links, nor into `__pycache__`.
        allow_files: whether files count.
        allow_folders: whether folders do.
        message: the sentence.
        code: for programs.
    """

    path: str = "."
    match: str | None = None
    recursive: bool = False
    allow_files: bool = True
    allow_folders: bool = False
    message: str = "This is not one of the choices."
    code: str = "invalid_choice"

    def __post_init__(self) -> None:
        """Refuse what nothing can match.

        Raises:
            ValueError: neither files nor folders count, or `match` is no regular expression.
        """
        if not (self.allow_files or self.allow_folders):
            raise ValueError("neither allow_files nor allow_folders is set, so there is nothing to choose")
        try:
            re.compile(self.match or "")
        except re.error as exc:
            raise ValueError(f"match={self.match!r} is no regular expression: {exc}") from exc

    def paths(self) -> list[str]:
        """Return the paths that are allowed, each beginning with the folder, in order.

        Raises:
            OSError: the folder cannot be read.
        """
        return sorted(self._iter_paths(self.path))

    def _iter_paths(self, folder: str) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == "__pycache__":
                    continue
                is_allowed = self.allow_folders if entry.is_dir() else self.allow_files and entry.is_file()
                if is_allowed and re.search(self.match or "", entry.name):
                    yield entry.path
                if self.recursive and entry.is_dir(follow_symlinks=False):
                    yield from self._iter_paths(entry.path)

    def __call__(self, value: Any) -> None:
        """Check a value; raise ValidationError if it is wrong."""
        try:
            known = value in self.paths()
        except OSError:
            known = False
        if not known:
            raise ValidationError(self.message, self.code, {"value": value})
