"""Which language a request is answered in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.i18n.languages import choose_language, to_locale
from transom.i18n.translation import activate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.web import CallNext, Middleware, Request, Response

LANGUAGE_COOKIE = "language"


def locale(languages: Sequence[str]) -> Middleware:
    """Return middleware that chooses the language of each request and says so in the response.

    The cookie `LANGUAGE_COOKIE` decides, so that a visitor can choose; then the `accept-language` field; then the first of
    the languages. A view lets a visitor choose by `response.set_cookie(LANGUAGE_COOKIE, "de", max_age=…)`.

    The language is active until the response is sent, for a streamed one too.

    Args:
        languages: tags such as `en` and `pt-BR`; the first is the default, usually that of the source texts.

    Raises:
        ValueError: there is none, or one is no language tag.
    """
    if not languages or isinstance(languages, str):
        raise ValueError(f"languages is {languages!r}; expected a list such as ['en', 'de']")
    for language in languages:
        to_locale(language)
    by_cookie = {language.lower(): language for language in languages}

    async def choose(request: Request, call_next: CallNext) -> Response:
        language = (
            by_cookie.get(request.cookies.get(LANGUAGE_COOKIE, "").lower())
            or choose_language(request.headers.get("accept-language", ""), languages)
            or languages[0]
        )
        # Not reset: the request is a task of its own, and a streamed response is made after this returns.
        activate(language)
        response = await call_next(request)
        if "content-language" not in response.headers:
            response.headers["content-language"] = language
        response.headers.add_vary("accept-language", "cookie")
        return response

    return choose
