"""The Jinja2 engine: loading, escaping, async, streaming."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from transom.templates import Engine, TemplateNotFound, TemplateSyntaxError, UndefinedVariable


class Rows:
    """What a QuerySet looks like to a template: async iterable and nothing else."""

    def __init__(self, *rows: object) -> None:
        self.rows = rows

    async def __aiter__(self):
        for row in self.rows:
            yield row


@dataclass
class Question:
    text: str
    votes: int = 0


async def test_is_an_engine(build_engine):
    engine: Engine = build_engine({"site/a.html": "hi"})
    assert await engine.render("a.html", {}) == "hi"


async def test_html_is_escaped_and_plain_text_is_not(build_engine):
    engine = build_engine({"site/a.html": "{{ x }}", "site/a.txt": "{{ x }}", "site/a.unknown": "{{ x }}"})
    assert await engine.render("a.html", {"x": "<b>"}) == "&lt;b&gt;"
    assert await engine.render("a.unknown", {"x": "<b>"}) == "&lt;b&gt;"
    assert await engine.render("a.txt", {"x": "<b>"}) == "<b>"
    assert await engine.render_string("{{ x }}", {"x": "<b>"}) == "&lt;b&gt;"


async def test_earlier_folder_wins(build_engine):
    engine = build_engine(
        {"site/polls/a.html": "site", "app/polls/a.html": "app", "app/polls/b.html": "app b"}
    )
    assert await engine.render("polls/a.html", {}) == "site"
    assert await engine.render("polls/b.html", {}) == "app b"


async def test_for_iterates_async_iterables_with_loop_variables(build_engine):
    engine = build_engine()
    source = "{% for row in rows %}{{ loop.index }}{{ row }}{% if not loop.last %},{% endif %}{% else %}none{% endfor %}"
    assert await engine.render_string(source, {"rows": Rows("a", "b")}) == "1a,2b"
    assert await engine.render_string(source, {"rows": Rows()}) == "none"
    assert await engine.render_string("{{ rows | list | length }}", {"rows": Rows(1, 2)}) == "2"


async def test_async_callables_and_filters_are_awaited(build_engine):
    async def total(of: int) -> int:
        return of + 1

    async def shout(value: str) -> str:
        return value.upper()

    engine = build_engine(globals={"total": total}, filters={"shout": shout})
    assert await engine.render_string("{{ total(1) }} {{ 'a' | shout }}", {}) == "2 A"


async def test_context_wins_over_globals(build_engine):
    engine = build_engine(globals={"title": "site"})
    engine.globals["extra"] = "late"
    assert await engine.render_string("{{ title }} {{ extra }}", {}) == "site late"
    assert await engine.render_string("{{ title }}", {"title": "page"}) == "page"


async def test_debug_sees_edits_and_production_does_not(build_engine, tmp_path: Path):
    for debug, expected in ((True, "new"), (False, "old")):
        engine = build_engine({"site/a.html": "old"}, debug=debug)
        assert await engine.render("a.html", {}) == "old"
        file = tmp_path / "site/a.html"
        file.write_text("new")
        os.utime(file, (1, 1))
        assert await engine.render("a.html", {}) == expected


async def test_missing_template_names_folders_and_close_names(build_engine, tmp_path: Path):
    engine = build_engine({"app/polls/index.html": ""})
    with pytest.raises(TemplateNotFound) as caught:
        await engine.render("polls/indx.html", {})
    assert caught.value.name == "polls/indx.html"
    assert str(caught.value) == (
        f"template 'polls/indx.html' does not exist; searched: {tmp_path}/site, {tmp_path}/app; "
        "did you mean 'polls/index.html'?"
    )


async def test_missing_included_template_is_named(build_engine):
    engine = build_engine({"site/a.html": "{% include 'b.html' %}"})
    with pytest.raises(TemplateNotFound, match=r"template 'b\.html' does not exist"):
        await engine.render("a.html", {})


async def test_name_cannot_leave_the_folders(build_engine, tmp_path: Path):
    engine = build_engine()
    (tmp_path / "secret.html").write_text("secret")
    for name in ("../secret.html", "/etc/passwd", f"{tmp_path}/secret.html", "a\0.html"):
        with pytest.raises(TemplateNotFound):
            await engine.render(name, {})


async def test_syntax_error_names_file_and_line(build_engine, tmp_path: Path):
    engine = build_engine({"site/a.html": "one\n{% if %}"})
    with pytest.raises(TemplateSyntaxError, match="line 2: Expected an expression") as caught:
        await engine.render("a.html", {})
    assert caught.value.filename == str(tmp_path / "site/a.html")
    assert (caught.value.name, caught.value.line) == ("a.html", 2)
    with pytest.raises(TemplateSyntaxError, match=r"^template string, line 1: .*'iff'"):
        await engine.render_string("{% iff %}", {})


@pytest.mark.parametrize("debug", [True, False])
async def test_unknown_variable_is_loud_in_debug_and_production(build_engine, debug, tmp_path: Path):
    engine = build_engine({"site/a.html": "\n{{ questoin }}"}, debug=debug)
    with pytest.raises(UndefinedVariable) as caught:
        await engine.render("a.html", {"question": 1})
    assert str(caught.value).startswith(
        f"{tmp_path}/site/a.html, line 2: variable 'questoin' is not defined; did you mean 'question'?"
    )
    assert (caught.value.filename, caught.value.line) == (f"{tmp_path}/site/a.html", 2)


@pytest.mark.parametrize(
    "use", ["{% if x %}{% endif %}", "{% for a in x %}{% endfor %}", "{{ x.y }}", "{{ x() }}", "{{ x ~ 1 }}"]
)
async def test_unknown_variable_is_loud_however_it_is_used(build_engine, use):
    with pytest.raises(UndefinedVariable, match="variable 'x' is not defined"):
        await build_engine().render_string(use, {})


async def test_unknown_loop_variable_is_compared_with_the_locals_of_the_template(build_engine):
    with pytest.raises(UndefinedVariable, match="did you mean 'choice'"):
        await build_engine().render_string("{% for choice in [1] %}{{ choise }}{% endfor %}", {})


async def test_unknown_attribute_and_key_name_the_close_ones(build_engine):
    engine = build_engine()
    with pytest.raises(
        UndefinedVariable, match="Question object has no attribute or item 'txt'; did you mean 'text'"
    ):
        await engine.render_string("{{ q.txt }}", {"q": Question("t")})
    with pytest.raises(
        UndefinedVariable, match="dict object has no attribute or item 'vote'; did you mean 'votes'"
    ):
        await engine.render_string("{{ q.vote }}", {"q": {"votes": 1}})
    with pytest.raises(UndefinedVariable, match="list object has no element 3"):
        await engine.render_string("{{ q[3] }}", {"q": [1]})


async def test_a_name_may_be_declared_optional(build_engine):
    engine = build_engine()
    assert await engine.render_string("{{ x | default('-') }}{% if x is defined %}!{% endif %}", {}) == "-"


async def test_errors_of_the_context_pass_through(build_engine):
    def fail() -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        await build_engine().render_string("{{ fail() }}", {"fail": fail})


async def test_stream_gathers_small_pieces(build_engine):
    engine = build_engine({"site/a.html": "{% for i in rows %}{{ i }};{% endfor %}"})
    pieces = [piece async for piece in engine.stream("a.html", {"rows": range(10)}, chunk_size=6)]
    assert "".join(pieces) == "0;1;2;3;4;5;6;7;8;9;"
    assert [len(piece) for piece in pieces[:-1]] == [6, 6, 6]


async def test_stream_hands_on_what_stands_above_a_slow_query(build_engine):
    released: list[str] = []

    async def slow() -> str:
        released.append("asked")
        return "rows"

    engine = build_engine({"site/a.html": "<head>{{ slow() }}<foot>"})
    stream = engine.stream("a.html", {"slow": slow}, chunk_size=0)
    assert await anext(stream) == "<head>"
    assert released == []
    assert "".join([piece async for piece in stream]) == "rows<foot>"


async def test_stream_raises_the_packages_errors(build_engine):
    engine = build_engine({"site/a.html": "{{ nothing }}"})
    with pytest.raises(UndefinedVariable):
        [piece async for piece in engine.stream("a.html", {})]


async def test_tojson_knows_what_models_hold(build_engine):
    key = uuid.UUID(int=1)
    text = await build_engine().render_string(
        "{{ value | tojson }}", {"value": {"id": key, "t": "</script>"}}
    )
    assert text == '{"id":"00000000-0000-0000-0000-000000000001","t":"\\u003c/script\\u003e"}'
