"""Sites of one interface behind an adapter, for a server of the other."""

import flask_site
import starlette_site

from transom.asgi import ASGIToWSGI, wsgi

starlette = ASGIToWSGI(starlette_site.app)
flask = wsgi(flask_site.app, threads=4)
