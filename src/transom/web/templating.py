"""The site's template engine: its folders, and what templates know of the web."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from transom.conf import apps
from transom.web.messages import WaitingMessages
from transom.web.middleware.csrf import FIELD_NAME
from transom.web.urls import reverse

if TYPE_CHECKING:
    from pathlib import Path

    from transom.conf import Settings
    from transom.templates import Engine
    from transom.web.request import Request

ERROR_PAGE = re.compile(r"([45][0-9]{2})\.html")


class CSRFInput:
    """`{{ csrf_input }}`: the hidden field of a form. The token is used, and its cookie set, only when it is shown."""

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    def __html__(self) -> str:
        # The token is URL-safe base64, so nothing in it needs escaping.
        return f'<input type="hidden" name="{FIELD_NAME}" value="{self._request.csrf_token}">'

    def __str__(self) -> str:
        return self.__html__()


def make_engine(settings: Settings) -> Engine:
    """Return a Jinja2 engine over the folders of the site and then of its apps, with `url` and `static`."""
    from transom.templates import JinjaEngine

    def static(path: str) -> str:
        """Return the address of a static file."""
        return settings.static_url + quote(path)

    return JinjaEngine(
        find_template_dirs(settings),
        debug=settings.debug,
        globals={"url": reverse, "static": static},
        time_zone=ZoneInfo(settings.time_zone),
    )


def build_context(request: Request) -> dict[str, Any]:  # Any: a template shows whatever it is handed
    """Return the names that every template rendered for a request sees."""
    return {
        "request": request,
        "csrf_token": request.csrf_token,
        "csrf_input": CSRFInput(request),
        "messages": WaitingMessages(request),
    }


def find_template_dirs(settings: Settings) -> list[Path]:
    """Return the folders of templates, the site's own first."""
    return [*settings.template_dirs, *find_app_dirs(settings, "templates")]


def find_static_dirs(settings: Settings) -> list[Path]:
    """Return the folders of static files, the site's own first."""
    return [*settings.static_dirs, *find_app_dirs(settings, "static")]


def find_error_pages(settings: Settings) -> frozenset[int]:
    """Return the statuses for which a folder of templates has a page, such as `404.html`."""
    names = (
        path.name for folder in find_template_dirs(settings) if folder.is_dir() for path in folder.iterdir()
    )
    return frozenset(int(match[1]) for name in names if (match := ERROR_PAGE.fullmatch(name)))


def find_app_dirs(settings: Settings, name: str) -> list[Path]:
    """Return the folders of this name in the apps of a site, in the order of their installation."""
    # The registry is one per process and may hold apps of another site: this site's own are those it names.
    configs = {config.name: config.path for config in apps.get_app_configs()}
    folders = (configs[app] / name for app in settings.installed_apps if app in configs)
    return [folder for folder in folders if folder.is_dir()]
