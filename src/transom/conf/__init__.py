"""Settings, installed apps and system checks: what a site is before it serves."""

from transom.conf import apps
from transom.conf.apps import AppConfig
from transom.conf.checks import CheckMessage, Severity, register, run_checks
from transom.conf.exceptions import ImproperlyConfigured
from transom.conf.settings import Settings

__all__ = [
    "AppConfig",
    "CheckMessage",
    "ImproperlyConfigured",
    "Settings",
    "Severity",
    "apps",
    "register",
    "run_checks",
]
