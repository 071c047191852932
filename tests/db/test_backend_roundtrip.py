from transom.db import connections


async def test_smoke(database):
    assert await connections.executor().fetch("SELECT 1")
