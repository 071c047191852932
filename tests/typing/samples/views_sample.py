"""What a type checker knows of views with decorators around them, and of functions in threads."""

from datetime import UTC, datetime
from typing import Any, reveal_type

from transom.views import View
from transom.views.decorators import (
    cache_control,
    etag,
    last_modified,
    never_cache,
    require_GET,
    vary_on_headers,
)
from transom.web import Request, Response, threaded


async def find_tag(request: Request, pk: int) -> str | None:
    return f"v{pk}"


def find_time(request: Request, pk: int) -> datetime:
    return datetime.now(UTC)


@require_GET
@cache_control(max_age=60, public=True)
@vary_on_headers("accept")
@etag(find_tag)
@last_modified(find_time)
async def detail(request: Request, pk: int) -> Response:
    return Response(str(pk))


class Page(View):
    @never_cache
    async def get(self, request: Request, **kwargs: Any) -> Response:
        return Response("page")


@threaded
def total(first: int, *, second: int = 0) -> int:
    return first + second


@threaded(pool="reports", size=2)
def report(request: Request, year: int) -> Response:
    return Response(str(year))


async def use(request: Request) -> None:
    reveal_type(await detail(request, pk=1))  # Response
    reveal_type(await detail(request, 1))  # Response
    reveal_type(await Page().get(request))  # Response
    reveal_type(await total(1, second=2))  # int
    reveal_type(await report(request, 2026))  # Response
