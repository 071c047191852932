"""The page a visitor of a site in production sees."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from transom.web.error_pages.styles import load_style

EXPLANATIONS = {
    400: "The server could not make sense of this request.",
    403: "You do not have permission to see this page.",
    404: "There is nothing at this address. It may have moved, or there may be a slip in the link.",
    405: "This address does not take that kind of request.",
    413: "What was sent is larger than this site accepts.",
    429: "That was a little fast. Wait a moment, then try again.",
    500: "Something went wrong on our side, and it has been noted. Try again in a while.",
    503: "The site is not available just now. Try again in a while.",
}


@lru_cache(maxsize=64)
def render_plain_page(status: int, title: str) -> str:
    """Return a complete page that names the error and nothing of its cause."""
    explanation = EXPLANATIONS.get(status, "The request could not be completed.")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<style>{load_style("plain.css")}</style>
</head>
<body>
<main>
<p class="status" aria-hidden="true">{status}</p>
<h1>{escape(title)}</h1>
<p>{escape(explanation)}</p>
<p><a href="/">Go to the start page</a></p>
</main>
</body>
</html>
"""
