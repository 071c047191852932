"""Fragments: one block rendered alone."""

from __future__ import annotations

import pytest

from transom.templates import TemplateNotFound, UndefinedVariable

BASE = "<nav>{{ user }}</nav>{% block content %}[base {% block row %}base row{% endblock %}]{% endblock %}"


async def test_block_renders_without_the_page_around_it(build_engine):
    engine = build_engine(
        {"site/a.html": "{{ missing }}{% block row %}<li>{{ x }}</li>{% endblock %}{{ missing }}"}
    )
    assert await engine.render("a.html#row", {"x": "<"}) == "<li>&lt;</li>"


async def test_block_may_stand_inside_other_nodes(build_engine):
    engine = build_engine(
        {"site/a.html": "{% for x in rows %}{% block row scoped %}<{{ x }}>{% endblock %}{% endfor %}"}
    )
    assert await engine.render("a.html#row", {"x": 1}) == "<1>"
    assert await engine.render("a.html", {"rows": [1, 2]}) == "<1><2>"


async def test_inherited_block_uses_the_overrides_of_the_child(build_engine):
    engine = build_engine(
        {
            "site/base.html": BASE,
            "site/a.html": "{% extends 'base.html' %}{% block row %}mine, {{ super() }}{% endblock %}",
        }
    )
    assert await engine.render("a.html#content", {}) == "[base mine, base row]"
    assert await engine.render("a.html#row", {}) == "mine, base row"
    assert await engine.render("base.html#row", {}) == "base row"


async def test_block_sees_imports_and_macros_of_its_file(build_engine):
    engine = build_engine(
        {
            "site/macros.html": "{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}",
            "site/a.html": (
                "{% from 'macros.html' import bold %}{% import 'macros.html' as m %}{% macro own(x) %}({{ x }}){% endmacro %}"
                "{% block row %}{{ bold(1) }}{{ m.bold(2) }}{{ own(3) }}{% endblock %}"
            ),
        }
    )
    assert await engine.render("a.html#row", {}) == "<b>1</b><b>2</b>(3)"


async def test_missing_block_names_close_ones(build_engine):
    engine = build_engine({"site/a.html": "{% block rows %}{% endblock %}"})
    with pytest.raises(
        TemplateNotFound, match=r"template 'a\.html#row' does not exist.* did you mean 'a\.html#rows'"
    ):
        await engine.render("a.html#row", {})
    with pytest.raises(TemplateNotFound, match=r"'b\.html'"):
        await engine.render("b.html#row", {})


async def test_error_in_a_fragment_names_file_and_line(build_engine, tmp_path):
    engine = build_engine({"site/a.html": "\n\n{% block row %}\n{{ texd }}{% endblock %}"})
    with pytest.raises(UndefinedVariable, match=r"a\.html, line 4: variable 'texd'.*did you mean 'text'"):
        await engine.render("a.html#row", {"text": ""})


async def test_fragment_is_reloaded_in_debug(build_engine, tmp_path):
    engine = build_engine({"site/a.html": "{% block row %}old{% endblock %}"}, debug=True)
    assert await engine.render("a.html#row", {}) == "old"
    build_engine({"site/a.html": "{% macro m() %}new{% endmacro %}{% block row %}{{ m() }}{% endblock %}"})
    assert await engine.render("a.html#row", {}) == "new"


async def test_fragment_streams(build_engine):
    engine = build_engine({"site/a.html": "{% block row %}<{{ x }}>{% endblock %}"})
    assert [piece async for piece in engine.stream("a.html#row", {"x": 1}, chunk_size=0)] == ["<", "1", ">"]
