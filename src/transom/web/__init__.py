"""The web layer: applications, URLconfs, requests, responses, middleware, WebSockets."""

from transom.web.application import App
from transom.web.converters import Converter, register_converter
from transom.web.cookies import Cookie
from transom.web.errors import (
    BadRequest,
    ClientDisconnect,
    ContentTooLarge,
    Http404,
    HTTPException,
    MethodNotAllowed,
    NotAcceptable,
    PermissionDenied,
    UnsupportedMediaType,
)
from transom.web.files import FileResponse
from transom.web.formdata import FormData
from transom.web.headers import Headers, MutableHeaders
from transom.web.middleware import (
    DEFAULT_MIDDLEWARE,
    CallNext,
    Middleware,
    allowed_hosts,
    csrf,
    csrf_exempt,
    security_headers,
)
from transom.web.multidict import MultiDict
from transom.web.request import Request
from transom.web.response import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from transom.web.shortcuts import get_object_or_404, redirect, render, render_string
from transom.web.staticfiles import StaticFiles
from transom.web.threadpools import PoolSaturated, threaded
from transom.web.transactions import non_atomic_requests
from transom.web.uploads import UploadedFile
from transom.web.urls import (
    NoReverseMatch,
    ResolverMatch,
    Route,
    URLconf,
    URLPattern,
    host,
    include,
    mount,
    path,
    redirect_path,
    reverse,
    websocket,
)
from transom.web.websockets import WebSocket, WebSocketDisconnect

__all__ = [
    "DEFAULT_MIDDLEWARE",
    "App",
    "BadRequest",
    "CallNext",
    "ClientDisconnect",
    "ContentTooLarge",
    "Converter",
    "Cookie",
    "FileResponse",
    "FormData",
    "HTMLResponse",
    "HTTPException",
    "Headers",
    "Http404",
    "JSONResponse",
    "MethodNotAllowed",
    "Middleware",
    "MultiDict",
    "MutableHeaders",
    "NoReverseMatch",
    "NotAcceptable",
    "PermissionDenied",
    "PoolSaturated",
    "RedirectResponse",
    "Request",
    "ResolverMatch",
    "Response",
    "Route",
    "StaticFiles",
    "StreamingResponse",
    "URLPattern",
    "URLconf",
    "UnsupportedMediaType",
    "UploadedFile",
    "WebSocket",
    "WebSocketDisconnect",
    "allowed_hosts",
    "csrf",
    "csrf_exempt",
    "get_object_or_404",
    "host",
    "include",
    "mount",
    "non_atomic_requests",
    "path",
    "redirect",
    "redirect_path",
    "register_converter",
    "render",
    "render_string",
    "reverse",
    "security_headers",
    "threaded",
    "websocket",
]
