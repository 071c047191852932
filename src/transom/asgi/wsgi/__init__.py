"""Applications of the older interface: a WSGI application inside an ASGI server, and an ASGI application inside a WSGI server."""

from transom.asgi.wsgi.to_asgi import WSGIToASGI, wsgi
from transom.asgi.wsgi.to_wsgi import ASGIToWSGI

__all__ = ["ASGIToWSGI", "WSGIToASGI", "wsgi"]
