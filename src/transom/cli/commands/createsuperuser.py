"""`transom createsuperuser`: create a user who may do everything."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from transom.cli.console import err, out
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError, UniqueViolation

if TYPE_CHECKING:
    from transom.auth import User

PASSWORD_VARIABLE = "TRANSOM_SUPERUSER_PASSWORD"  # noqa: S105  (the name of a variable)


@click.command("createsuperuser")
@app_option
@click.option("--username", help="Name to log in with; asked for where it is not given.")
@click.option("--email", help="E-mail address; may be empty.")
@click.option(
    "--no-input",
    is_flag=True,
    help=f"Ask nothing; the password is in the environment as {PASSWORD_VARIABLE}.",
)
def command(app_spec: str | None, username: str | None, email: str | None, no_input: bool) -> None:
    """Create a user who may do everything.

    Asks for what is not given. The password is never an option: others on this machine could see it.
    """
    app = load_app(app_spec)
    if "transom.auth" not in app.settings.installed_apps:
        raise click.ClickException(
            "the site has no users; add 'transom.auth' to installed_apps, then migrate"
        )
    if not app.settings.databases:
        raise click.ClickException("the site has no database; set DATABASE_URL, e.g. sqlite:///site.sqlite3")
    from transom.auth import User

    if username is None:
        username = _ask_username(no_input)
    if email is None:
        email = (
            "" if no_input else click.prompt("E-mail address (may be empty)", default="", show_default=False)
        )
    user = User(username=username, email=email)
    password = _read_password(user) if no_input else _ask_password(user)
    _create(username, password, email)
    out.print("[green]\u2713[/] created superuser ", end="")
    out.print(username, markup=False)


def _ask_username(no_input: bool) -> str:
    if no_input:
        raise click.UsageError("--no-input needs --username")
    return click.prompt("User name")


def _read_password(user: User) -> str:
    password = os.environ.get(PASSWORD_VARIABLE)
    if not password:
        raise click.UsageError(f"--no-input needs the password in the environment as {PASSWORD_VARIABLE}")
    if complaints := _find_complaints(password, user):
        raise click.ClickException(" ".join(complaints))
    return password


def _ask_password(user: User) -> str:
    while True:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="Password again")
        complaints = _find_complaints(password, user)
        if not complaints:
            return password
        for complaint in complaints:
            err.print(complaint, markup=False)


def _find_complaints(password: str, user: User) -> list[str]:
    from transom.auth import validate_password
    from transom.forms import ValidationError

    try:
        validate_password(password, user)
    except ValidationError as exc:
        return exc.messages
    return []


def _create(username: str, password: str, email: str) -> None:
    from transom.auth import User

    try:
        run_async(lambda: User.objects.create_superuser(username, password, email=email))
    except UniqueViolation as exc:
        raise click.ClickException(f"there is a user {username!r} already; choose another name") from exc
    except (ValueError, DatabaseError) as exc:
        raise click.ClickException(str(exc)) from exc
