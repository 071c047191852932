"""Mistakes that a type checker finds, each on a line of its own."""

from transom.views.decorators import cache_control, never_cache, require_GET
from transom.web import Request, Response, threaded


@require_GET
@never_cache
async def detail(request: Request, pk: int) -> Response:
    return Response(str(pk))


@threaded
def total(first: int, *, second: int = 0) -> int:
    return first + second


async def use(request: Request) -> None:
    await detail(request)  # error
    await detail(request, pk="one")  # error
    await total("one")  # error
    total(1) + 1  # error
    cache_control(max_age="long")  # error
