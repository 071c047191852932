"""System checks: mistakes found at start-up, each with an id and a hint, shown all together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, TypeVar

from transom.conf.settings import Settings


class Severity(IntEnum):
    """How bad a finding is; from ERROR on, the site does not start."""

    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True)
class CheckMessage:
    """One finding.

    Attributes:
        id: package, a letter for the severity and a number, e.g. `"web.E001"`; stable, so that it can be looked up.
        msg: what is wrong.
        hint: what to do about it.
        severity: taken from the letter of the id.
    """

    id: str
    msg: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """Return the severity that the letter of the id stands for."""
        return {"I": Severity.INFO, "W": Severity.WARNING, "E": Severity.ERROR}[self.id.rpartition(".")[2][0]]

    def __str__(self) -> str:
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{self.severity.name} ({self.id}): {self.msg}{hint}"


Check: TypeAlias = Callable[[Settings], Iterable[CheckMessage]]
_CheckT = TypeVar("_CheckT", bound=Check)

_checks: list[Check] = []
_deploy_checks: list[Check] = []


def register(*, deploy: bool = False) -> Callable[[_CheckT], _CheckT]:
    """Register a check: a plain function of the settings that returns its findings.

    Args:
        deploy: run it only when asked for, by `transom check --deploy`.
    """

    def decorate(check: _CheckT) -> _CheckT:
        registry = _deploy_checks if deploy else _checks
        if check not in registry:
            registry.append(check)
        return check

    return decorate


def run_checks(settings: Settings, *, deploy: bool = False) -> list[CheckMessage]:
    """Run the checks and return all findings, the worst first."""
    checks = [*_checks, *(_deploy_checks if deploy else ())]
    messages = [message for check in checks for message in check(settings)]
    return sorted(messages, key=lambda message: -message.severity)


@register()
def check_secret_key(settings: Settings) -> Iterable[CheckMessage]:
    """A short key can be guessed, and with it every signature."""
    key = settings.secret_key
    if key is not None and len(key.get_secret_value()) < 32:
        yield CheckMessage(
            "conf.E001",
            f"secret_key has {len(key.get_secret_value())} characters, expected at least 32",
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
        )


@register()
def check_static_url(settings: Settings) -> Iterable[CheckMessage]:
    """The prefix is matched and joined as it is."""
    url = settings.static_url
    if not (url.startswith("/") and url.endswith("/") and len(url) > 1):
        yield CheckMessage("conf.E002", f"static_url is {url!r}, expected a path such as '/static/'")


@register(deploy=True)
def check_debug(settings: Settings) -> Iterable[CheckMessage]:
    """The debug page shows source and locals to whoever makes the site fail."""
    if settings.debug:
        yield CheckMessage("conf.E003", "debug is on", "unset TRANSOM_DEBUG in production")


@register(deploy=True)
def check_secret_key_is_set(settings: Settings) -> Iterable[CheckMessage]:
    """Without a key of its own a site cannot sign."""
    if settings.secret_key is None:
        yield CheckMessage("conf.E004", "secret_key is not set", "set TRANSOM_SECRET_KEY")


@register(deploy=True)
def check_allowed_hosts(settings: Settings) -> Iterable[CheckMessage]:
    """Any host is allowed, so links in pages and mails can be made to point elsewhere."""
    if "*" in settings.allowed_hosts:
        yield CheckMessage("conf.W005", "allowed_hosts has '*'", "name the hosts the site answers to")
