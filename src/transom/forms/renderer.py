"""Templates of forms: the site's where it has them, else those of this package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from transom.conf import apps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILT_IN = Path(__file__).parent / "templates"


class FormRenderer:
    """Renders `forms/*.html`, which a site overrides one by one by having a template of the same name.

    Searched in order: `dirs`; the `templates` folders of the installed apps; this package's own. To look in a folder of the
    site, say so once where the site is put together: `Form.renderer = FormRenderer([BASE_DIR / "templates"])`.

    Args:
        dirs: folders of templates.
    """

    # An environment of its own, and not the site's engine: `{{ form }}` in a page is rendered while the page is, by a
    # plain method (`__html__`), and the site's engine has to be awaited.

    def __init__(self, dirs: Sequence[Path] = ()) -> None:
        self._dirs = tuple(dirs)

    def render(
        self, name: str, context: Mapping[str, Any]
    ) -> Markup:  # Any: a template shows whatever it is handed
        """Return the text of a template, such as `"forms/field.html"`; everything in the context is escaped."""
        folders = (*self._dirs, *(config.path / "templates" for config in apps.get_app_configs()), BUILT_IN)
        return Markup(_environment(folders).get_template(name).render(context))  # noqa: S704  (the template escapes)


@lru_cache(maxsize=8)
def _environment(folders: tuple[Path, ...]) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
