"""`transom new`: make a new site."""

from __future__ import annotations

import keyword
import secrets
from pathlib import Path

import click

from transom.cli.console import out

TEMPLATE = Path(__file__).parent.parent / "site_template"
NAME = "project_name"  # stands for the name of the site in paths and as {{project_name}} in texts


@click.command("new")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Where to make it; default: a new folder of that name.",
)
def command(name: str, directory: Path | None) -> None:
    """Make a new site called NAME: one app with a model, a page, a template, settings and a test."""
    _refuse_bad_name(name)
    root = directory or Path.cwd() / name
    if root.exists() and any(root.iterdir()):
        raise click.ClickException(f"{root} exists and is not empty; choose another name or --directory")
    for path in write_site(root, name):
        out.print(f"  [green]+[/] {path.relative_to(root)}")
    shown = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
    out.print(
        f"\nMade [bold]{name}[/]. Now:\n\n"
        f"  cd {shown}\n"
        "  transom makemigrations\n"
        "  transom migrate\n"
        "  transom run"
    )


def write_site(root: Path, name: str) -> list[Path]:
    """Write the files of a new site below `root` and return their paths."""
    written: list[Path] = []
    for source in sorted(path for path in TEMPLATE.rglob("*.tmpl")):
        relative = str(source.relative_to(TEMPLATE)).removesuffix(".tmpl").replace(NAME, name)
        target = root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        text = text.replace("{{project_name}}", name).replace("{{secret_key}}", secrets.token_urlsafe(50))
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def _refuse_bad_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise click.BadParameter(
            f"{name!r} is no Python identifier; use letters, digits and underscores", param_hint="NAME"
        )
    if name in {"transom", "test", "tests", "site"}:
        raise click.BadParameter(
            f"{name!r} would hide the package of that name; choose another", param_hint="NAME"
        )
