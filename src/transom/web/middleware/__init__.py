"""Middleware: layers around every view, and those that are there by default."""

from transom.web.middleware.base import CallNext, Middleware, compose
from transom.web.middleware.compression import compression
from transom.web.middleware.cors import CORS
from transom.web.middleware.csp import CSP, STRICT_POLICY, content_security_policy, csp_exempt, csp_override
from transom.web.middleware.csrf import csrf, csrf_exempt
from transom.web.middleware.defaults import DEFAULT_MIDDLEWARE
from transom.web.middleware.hosts import allowed_hosts
from transom.web.middleware.https import https
from transom.web.middleware.phases import Phase, in_phase
from transom.web.middleware.rate_limit import client_address, rate_limit
from transom.web.middleware.request_id import RequestIDFilter, current_request_id, request_ids
from transom.web.middleware.security import security_headers
from transom.web.middleware.timing import server_timing

__all__ = [
    "CORS",
    "CSP",
    "DEFAULT_MIDDLEWARE",
    "STRICT_POLICY",
    "CallNext",
    "Middleware",
    "Phase",
    "RequestIDFilter",
    "allowed_hosts",
    "client_address",
    "compose",
    "compression",
    "content_security_policy",
    "csp_exempt",
    "csp_override",
    "csrf",
    "csrf_exempt",
    "current_request_id",
    "https",
    "in_phase",
    "rate_limit",
    "request_ids",
    "security_headers",
    "server_timing",
]
