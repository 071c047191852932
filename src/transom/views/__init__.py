"""Class-based views: lists, details and forms, with little to write."""

from transom.views.base import RedirectView, TemplateView, View
from transom.views.detail import DetailView
from transom.views.edit import CreateView, DeleteView, FormView, UpdateView
from transom.views.list import ListView
from transom.views.paginator import EmptyPage, InvalidPage, Page, PageNotAnInteger, Paginator

__all__ = [
    "CreateView",
    "DeleteView",
    "DetailView",
    "EmptyPage",
    "FormView",
    "InvalidPage",
    "ListView",
    "Page",
    "PageNotAnInteger",
    "Paginator",
    "RedirectView",
    "TemplateView",
    "UpdateView",
    "View",
]
