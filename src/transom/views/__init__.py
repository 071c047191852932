"""Class-based views: lists, details and forms, with little to write."""

from transom.views.base import RedirectView, TemplateView, View
from transom.views.dates import (
    ArchiveIndexView,
    DateDetailView,
    DayArchiveView,
    MonthArchiveView,
    TodayArchiveView,
    WeekArchiveView,
    YearArchiveView,
)
from transom.views.detail import DetailView
from transom.views.edit import CreateView, DeleteView, FormView, UpdateView
from transom.views.list import ListView
from transom.views.paginator import EmptyPage, InvalidPage, Page, PageNotAnInteger, Paginator

__all__ = [
    "ArchiveIndexView",
    "CreateView",
    "DateDetailView",
    "DayArchiveView",
    "DeleteView",
    "DetailView",
    "EmptyPage",
    "FormView",
    "InvalidPage",
    "ListView",
    "MonthArchiveView",
    "Page",
    "PageNotAnInteger",
    "Paginator",
    "RedirectView",
    "TemplateView",
    "TodayArchiveView",
    "UpdateView",
    "View",
    "WeekArchiveView",
    "YearArchiveView",
]
