"""URLconfs: declare routes, find the view of a path, build the path of a name."""

from transom.web.urls.current import Current, current, reverse
from transom.web.urls.listing import RouteInfo
from transom.web.urls.match import ResolverMatch
from transom.web.urls.patterns import PatternError
from transom.web.urls.redirects import redirect_path
from transom.web.urls.reversing import NoReverseMatch, Query
from transom.web.urls.routes import Include, Kind, Route, URLPattern, host, include, mount, path, websocket
from transom.web.urls.urlconf import URLconf

__all__ = [
    "Current",
    "Include",
    "Kind",
    "NoReverseMatch",
    "PatternError",
    "Query",
    "ResolverMatch",
    "Route",
    "RouteInfo",
    "URLPattern",
    "URLconf",
    "current",
    "host",
    "include",
    "mount",
    "path",
    "redirect_path",
    "reverse",
    "websocket",
]
