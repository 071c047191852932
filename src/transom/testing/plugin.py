"""Fixtures for the tests of a site."""
