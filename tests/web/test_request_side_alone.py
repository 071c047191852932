"""The data half of the web layer works without its neighbours."""

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, sys
for name in ("transom.server", "transom.db", "transom.templates", "sqlalchemy", "jinja2"):
    sys.modules[name] = None
from transom.web.debug import technical_500
from transom.web.errors import error_page
from transom.web.files import FileResponse
from transom.web.request import Request
from transom.web.staticfiles import StaticFiles

async def receive():
    return {"type": "http.request", "body": b"a=1"}

async def main():
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    request = Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers,
                       "scheme": "http", "client": None}, receive)
    assert (await request.form())["a"] == "1"
    assert error_page(request, 404).status == 404
    assert b"ValueError" in (await technical_500(request, ValueError("x"))).body

asyncio.run(main())
"""


@pytest.mark.slow
def test_it_works_with_server_database_and_templates_blocked():
    subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], check=True)
