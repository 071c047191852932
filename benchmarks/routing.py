"""Microseconds of CPU to find a view, and to build a path from a name, in a URLconf of 10 and one of 1,000 routes.

    PYTHONPATH=src python benchmarks/routing.py
    PYTHONPATH=src python benchmarks/routing.py --routes 10 10000

The least of many slices. What counts is the ratio: it says what a route costs those who do not use it.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from transom.web import URLconf, host, include, path

console = Console(highlight=False)
SLICE = 2000  # calls


async def view(request: object, **kwargs: object) -> None:
    """Answer nothing: it is only looked for."""


def make_urlconf(routes: int) -> URLconf:
    """Return a URLconf of about so many routes of each sort: static, with parameters, and on hosts of their own."""
    inner = [path("<int:pk>/", view, name="detail"), path("<slug:slug>/edit/", view, name="edit")]
    sections = [
        path(f"section-{number}/", include([path("", view, name="index"), *inner], namespace=f"s{number}"))
        for number in range(routes // 3)
    ]
    hosts = [host(f"h{number}.example.org", include([path("x/", view)])) for number in range(routes // 10)]
    return URLconf([*sections, *hosts, path("<path:page>/", view, name="page")])


def cases(urlconf: URLconf, routes: int) -> dict[str, Callable[[], object]]:
    """Return what is timed: always in the last section, which a search from the top would find last."""
    last = routes // 3 - 1
    return {
        "static": lambda: urlconf.resolve(f"/section-{last}/", "GET"),
        "int": lambda: urlconf.resolve(f"/section-{last}/42/", "GET"),
        "slug, after a dead end": lambda: urlconf.resolve(f"/section-{last}/42/edit/", "GET"),
        "rest of the path": lambda: urlconf.resolve("/some/page/of/text/", "GET"),
        "nothing": lambda: urlconf.resolve("/section-0/none/at/all", "GET"),
        "on a host": lambda: urlconf.resolve("/x/", "GET", "h0.example.org"),
        "reverse": lambda: urlconf.reverse(f"s{last}:detail", pk=42),
    }


def best_of(call: Callable[[], object], slices: int) -> float:
    """Return the least time of a call in any slice, in microseconds."""
    best = float("inf")
    for _ in range(slices):
        before = time.thread_time_ns()
        for _ in itertools.repeat(None, SLICE):
            call()
        best = min(best, (time.thread_time_ns() - before) / SLICE / 1000)
    return best


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--routes", type=int, nargs=2, default=[10, 1000], metavar=("FEW", "MANY"))
    parser.add_argument("--slices", type=int, default=30)
    options = parser.parse_args()
    few, many = (cases(make_urlconf(routes), routes) for routes in options.routes)
    table = Table(title=f"Python {platform.python_version()}, µs a call", title_justify="left", box=None)
    for column in ("", *(f"{routes:,} routes" for routes in options.routes), "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for name in few:
        times = [best_of(timed[name], options.slices) for timed in (few, many)]
        table.add_row(name, *(f"{each:.2f}" for each in times), f"{times[1] / times[0]:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
