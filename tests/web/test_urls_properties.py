"""The trie against a matcher too plain to be wrong: every route tried on the whole path, the most specific fit wins."""

from __future__ import annotations

import re
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from transom.web.urls import URLconf, path

# Few words and many parameters, so that routes and paths meet often. "a" fits slug and str, "7" int as well.
CONVERTERS = {"int": r"[0-9]+", "slug": r"[-a-zA-Z0-9_]+", "str": r"[^/]+", "path": r".+"}
RANKS = {"int": 1, "slug": 2, "str": 3}
WORDS = st.sampled_from(["a", "b", "7", "new", "edit", ""])
MIXED = st.sampled_from(["v<int>", "v<slug>", "<slug>-<int>", "<int>-<slug>", "<str>.html"])
PARAMETERS = st.sampled_from(["<int>", "<slug>", "<str>"])
SEGMENTS = st.lists(WORDS | PARAMETERS | MIXED, min_size=1, max_size=4)
TAILS = st.sampled_from([[], ["<path>"], ["<path>", "edit"], ["x<path>"]])
# A route never starts with a slash.
ROUTES = (
    st.tuples(SEGMENTS, TAILS).map(lambda parts: parts[0] + parts[1]).filter(lambda parts: parts[0] != "")
)
METHODS = st.sampled_from([None, ["GET"], ["POST"]])
DECLARED = st.lists(st.tuples(ROUTES, METHODS), min_size=1, max_size=8)
PATHS = st.lists(
    st.sampled_from(["a", "b", "7", "new", "edit", "", "v7", "va", "a-7", "7-7", "a.html", "xa", "x y"]),
    min_size=1,
    max_size=6,
).map("/".join)


def with_names(segments):
    numbers = count()
    return re.sub(r"<(\w+)>", lambda match: f"<{match[1]}:p{next(numbers)}>", "/".join(segments))


def make_view(number):
    async def view(request, **kwargs): ...

    view.number = number
    return view


def specificity(segments):
    """Return what sorts routes: segment by segment, text before parameters, the narrow before the wide, tails last."""
    places = []
    for index, segment in enumerate(segments):
        if "<path>" in segment:
            text = "/".join(segments[index:])
            return [*places, (4, -len(text.replace("<path>", "")), text)]
        if "<" not in segment:
            places.append((-1, 0, segment))
        else:
            places.append((RANKS.get(segment[1:-1], 0), 0, segment))
    return places


def naive_order(declared):
    """Return the routes, most specific first; among equally ranked segments the one declared first leads."""
    first_seen = {}
    keys = []
    for number, (segments, _) in enumerate(declared):
        places = specificity(segments)
        key = []
        for depth, (rank, length, text) in enumerate(places):
            here = (tuple(place[2] for place in places[:depth]), text)
            key.append((rank, length, first_seen.setdefault(here, number)))
        keys.append((key, number))
    return [number for _, number in sorted(keys)]


def as_regex(route):
    parts = re.split(r"<(\w+)>", route)
    return "".join(
        f"({CONVERTERS[part]})" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )


def naive_resolve(declared, url, method):
    for number in naive_order(declared):
        segments, methods = declared[number]
        match = re.fullmatch(as_regex("/".join(segments)), url)
        if match and (methods is None or method in methods):
            return number, list(match.groups())
    return None


@given(DECLARED, PATHS, st.sampled_from(["GET", "POST"]))
def test_the_trie_finds_what_a_plain_search_finds(declared, url, method):
    urlconf = URLconf(
        [
            path(with_names(segments), make_view(number), methods=methods)
            for number, (segments, methods) in enumerate(declared)
        ]
    )
    match = urlconf.resolve("/" + url, method)
    found = match and (match.view.number, [str(value) for value in match.kwargs.values()])
    assert found == naive_resolve(declared, url, method)
