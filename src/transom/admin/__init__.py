"""The administration: lists and forms of a site's models for its staff."""

from transom.admin.columns import display
from transom.admin.options import ModelAdmin
from transom.admin.site import AdminSite

__all__ = ["AdminSite", "ModelAdmin", "display"]
