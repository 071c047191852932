"""Typed settings: from keyword arguments, the environment and a `.env` file, in that order."""

from __future__ import annotations

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from transom.conf.exceptions import ImproperlyConfigured

ENV_PREFIX = "TRANSOM_"
# Names with the prefix that belong to others: the server's options, the test services, the command line.
RESERVED_PREFIXES = ("TRANSOM_SERVE_", "TRANSOM_TEST_")
RESERVED_NAMES = frozenset({"TRANSOM_APP", "TRANSOM_SUPERUSER_PASSWORD"})
DEVELOPMENT_KEY = b"transom-insecure-development-key"


def _split_list(value: object) -> object:
    """Read a list from the environment: JSON, or parts between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


StrList = Annotated[list[str], NoDecode, BeforeValidator(_split_list)]
PathList = Annotated[list[Path], NoDecode, BeforeValidator(_split_list)]


class Settings(BaseSettings):
    """The settings of a site; subclass it to add your own.

    Each field is read from the environment as `TRANSOM_<NAME>`, then from `.env` in the working directory. Lists may be
    JSON or parts between commas. Sizes are bytes, durations seconds.

    Raises:
        ImproperlyConfigured: a name is unknown, or a value does not fit; all mistakes are reported at once.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    debug: bool = Field(False, description="Show error pages with source and locals; never in production.")
    secret_key: SecretStr | None = Field(
        None, description="Key of signed cookies and tokens: at least 32 random characters."
    )
    allowed_hosts: StrList = Field(
        ["localhost", "127.0.0.1", "[::1]"],
        description="Host names the site answers to; `.example.com` covers subdomains, `*` any host.",
    )
    installed_apps: StrList = Field(
        [], description="Dotted names of packages with models, templates and static files."
    )
    databases: dict[str, str] = Field(
        {}, repr=False, description="Alias to URL; `DATABASE_URL` sets `default`."
    )
    database_url: str | None = Field(
        None,
        repr=False,  # both may hold a password
        validation_alias=AliasChoices("database_url", "TRANSOM_DATABASE_URL", "DATABASE_URL"),
        description="URL of the database `default`, where `databases` has none.",
    )
    template_dirs: PathList = Field(
        [], description="Folders searched for templates before those of the apps."
    )
    static_url: str = Field(
        "/static/", description="URL prefix of static files; starts and ends with a slash."
    )
    static_dirs: PathList = Field(
        [], description="Folders searched for static files before those of the apps."
    )
    database_routers: StrList = Field(
        [],
        description="Routers that choose between databases, e.g. `mysite.routers:replicas`; classes are instantiated.",
    )
    atomic_requests: StrList = Field(
        ["default"],
        description="Databases in which a request with an unsafe method (POST and the like) is one transaction.",
    )
    time_zone: str = Field("UTC", description="Zone in which dates are shown; storage is always UTC.")
    append_slash: bool = Field(
        True, description="Redirect `/polls` to `/polls/` where only the latter exists."
    )
    csrf_trusted_origins: StrList = Field(
        [], description="Other origins allowed to post here, e.g. `https://example.com`."
    )
    max_body_size: int = Field(
        2_621_440, gt=0, description="Largest body kept in memory (bytes); more is answered with 413."
    )
    max_form_fields: int = Field(1_000, gt=0, description="Most fields of one form.")
    max_form_files: int = Field(100, gt=0, description="Most files of one multipart form.")
    max_upload_size: int = Field(
        104_857_600, gt=0, description="Largest multipart body, files included (bytes)."
    )

    mail_url: SecretStr | None = Field(
        None, description="Where mail goes, e.g. `smtp://user:password@mail.example.com:587`."
    )
    default_from_email: str = Field(
        "webmaster@localhost",
        description="Sender of mail that names none; with a name: `Site <site@example.com>`.",
    )
    locale_dirs: PathList = Field(
        [], description="Folders searched for translations before those of the apps."
    )
    message_level: int = Field(
        20, description="Least level of messages that are kept for the visitor's next page; 20 is INFO."
    )
    message_tags: dict[int, str] = Field(
        {}, description="Words for levels of messages, in place of those there are or for levels of the site."
    )
    authentication_backends: StrList = Field(
        ["transom.auth:ModelBackend"], description="What checks names and passwords, asked in turn."
    )
    login_url: str = Field("auth:login", description="Name of the route, or path, of the login page.")
    login_redirect_url: str = Field(
        "/", description="Where a login leads that names no page: a path or route name."
    )
    logout_redirect_url: str = Field("/", description="Where a logout leads: a path or route name.")

    def __init__(self, **values: Any) -> None:  # Any: each setting has a type of its own, checked by pydantic
        _refuse_unknown(type(self), values)
        try:
            super().__init__(**values)
        except ValidationError as exc:
            raise ImproperlyConfigured(
                _explain(exc)
            ) from None  # the original echoes values, secrets among them

    def model_post_init(self, context: object, /) -> None:
        """Let `database_url` stand in for a missing `default` database."""
        if self.database_url and "default" not in self.databases:
            self.databases["default"] = self.database_url

    def signing_key(self) -> bytes:
        """Return the key for `transom.signing.Signer`; in debug without a key, a fixed and public one.

        Raises:
            ImproperlyConfigured: there is no `secret_key` and `debug` is off.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        if self.debug:
            return DEVELOPMENT_KEY
        raise ImproperlyConfigured(
            "secret_key is not set; set TRANSOM_SECRET_KEY to the output of "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'`"
        )


def _refuse_unknown(cls: type[Settings], values: dict[str, Any]) -> None:
    """Raise where a keyword argument or a prefixed variable is no setting: a typo must not be silent."""
    known = set(cls.model_fields)
    unknown = {name: name for name in values if name not in known and not name.startswith("_")}
    for variable in _prefixed_variables(cls, values):
        name = variable[len(ENV_PREFIX) :].lower()
        if name not in known:
            unknown[variable] = name
    if unknown:
        raise ImproperlyConfigured("; ".join(_suggest(shown, name, known) for shown, name in unknown.items()))


def _prefixed_variables(cls: type[Settings], values: dict[str, Any]) -> set[str]:
    env_file = values.get("_env_file", cls.model_config.get("env_file"))
    names = set(os.environ)
    if isinstance(env_file, str | Path) and Path(env_file).is_file():
        names |= set(dotenv_values(env_file))
    return {
        name
        for name in map(str.upper, names)
        if name.startswith(ENV_PREFIX)
        and not name.startswith(RESERVED_PREFIXES)
        and name not in RESERVED_NAMES
    }


def _suggest(shown: str, name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(sorted(known))}"
    return f"unknown setting {shown!r}; {hint}"


def _explain(error: ValidationError) -> str:
    lines = (
        f"setting {'.'.join(map(str, item['loc']))!r}: {item['msg'][:1].lower()}{item['msg'][1:]}"
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return "; ".join(lines)
