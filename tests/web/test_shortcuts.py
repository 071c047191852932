import pytest

from transom.web import App, BadRequest, Http404, NoReverseMatch, get_object_or_404, path, redirect, render


async def view(request, **kwargs): ...


@pytest.fixture(autouse=True)
def app():
    return App([path("polls/<int:pk>/", view, name="detail"), path("", view, name="index")])


@pytest.mark.parametrize(
    ("to", "args", "kwargs", "location"),
    [
        ("index", (), {}, "/"),
        ("detail", (3,), {}, "/polls/3/"),
        ("detail", (), {"pk": 3}, "/polls/3/"),
        ("/a/b?c=d#e", (), {}, "/a/b?c=d#e"),
        ("?page=2", (), {}, "?page=2"),
        ("#top", (), {}, "#top"),
        ("./", (), {}, "./"),
    ],
)
def test_redirect_takes_names_and_paths(to, args, kwargs, location):
    response = redirect(to, *args, **kwargs)
    assert (response.status, response.url) == (302, location)


def test_permanent_redirect():
    assert redirect("index", permanent=True).status == 301


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "HTTPS://evil.example",
        "https:/evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        " //evil.example",
        "/x\r\nset-cookie: a=b",
        "javascript://%0aalert(1)",
        "",
    ],
)
def test_redirect_refuses_to_leave_the_site(to):
    with pytest.raises(BadRequest):
        redirect(to)


@pytest.mark.parametrize("to", ["https:evil.example", "javascript:alert(1)", "evil.example", "indx"])
def test_what_is_neither_path_nor_name_is_no_redirect(to):
    with pytest.raises(NoReverseMatch):
        redirect(to)


class Missing(Exception): ...


class Manager:
    def __init__(self, model):
        self.model = model

    async def get(self, **lookups):
        if lookups != {"pk": 1}:
            raise self.model.DoesNotExist(f"no poll fits {lookups}")
        return "found"


class Poll:
    DoesNotExist = Missing


Poll.objects = Manager(Poll)


@pytest.mark.parametrize("source", [Poll, Poll.objects], ids=["model", "manager"])
async def test_get_object_or_404(source):
    assert await get_object_or_404(source, pk=1) == "found"
    with pytest.raises(Http404) as info:
        await get_object_or_404(source, pk=2)
    assert "no poll fits" in info.value.detail


async def test_render_has_context_and_functions(http, tmp_path):
    (tmp_path / "page.html").write_text(
        "{{ request.path }} {{ url('detail', pk) }} {{ static('a b.css') }} {{ unsafe }}{% block part %}!{% endblock %}"
    )

    async def page(request, pk):
        return await render(request, "page.html", {"pk": pk, "unsafe": "<b>"}, status=202)

    async def part(request):
        return await render(request, "page.html#part")

    app = App([path("polls/<int:pk>/", page, name="detail"), path("part", part)], template_dirs=[tmp_path])
    answer = await http(app, "/polls/3/")
    assert answer.status == 202
    assert answer.get("content-type") == "text/html; charset=utf-8"
    assert answer.text == "/polls/3/ /polls/3/ /static/a%20b.css &lt;b&gt;!"
    assert (await http(app, "/part")).text == "!"
