"""A clock that tests turn themselves."""

import pytest


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()
