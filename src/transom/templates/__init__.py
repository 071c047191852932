"""Templates: the engine interface and its Jinja2 implementation. Knows nothing of requests or the database."""

from transom.templates.engine import Engine
from transom.templates.exceptions import (
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedVariable,
)
from transom.templates.jinja import JinjaEngine

__all__ = [
    "Engine",
    "JinjaEngine",
    "TemplateError",
    "TemplateNotFound",
    "TemplateSyntaxError",
    "UndefinedVariable",
]
