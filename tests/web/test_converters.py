import uuid

import pytest

from transom.web.converters import Converter, get_converter, register_converter
from transom.web.urls import URLconf, path


async def view(request, **kwargs): ...


def resolve(route, url):
    match = URLconf([path(route, view)]).resolve(url, "GET")
    return match and match.kwargs


@pytest.mark.parametrize(
    ("route", "url", "value"),
    [
        ("<x>", "/any thing", "any thing"),
        ("<str:x>", "/ü", "ü"),
        ("<int:x>", "/0012", 12),
        ("<slug:x>", "/a-b_C9", "a-b_C9"),
        ("<path:x>", "/a/b/", "a/b/"),
        ("<uuid:x>", "/12345678-1234-5678-1234-567812345678", uuid.UUID("12345678123456781234567812345678")),
    ],
)
def test_builtin_converters_give_typed_values(route, url, value):
    assert resolve(route, url) == {"x": value}


@pytest.mark.parametrize(
    ("route", "url"),
    [
        ("<int:x>", "/-1"),
        ("<int:x>", "/1_000"),
        ("<int:x>", "/٣"),  # a digit, but not of ASCII
        ("<int:x>", "/" + "9" * 5000),  # more digits than Python converts: no match, not a 500
        ("<slug:x>", "/a.b"),
        ("<uuid:x>", "/12345678123456781234567812345678"),
        ("<x>", "/"),
        ("<path:x>", "/"),
        ("<x>", "/a/b"),
    ],
)
def test_builtin_converters_refuse_what_is_not_theirs(route, url):
    assert resolve(route, url) is None


class YearConverter(Converter):
    regex = "[0-9]{4}"

    def to_python(self, value):
        if value < "1900":
            raise ValueError
        return int(value)

    def to_url(self, value):
        return f"{value:04d}"


def test_registered_converter_converts_both_ways():
    register_converter(YearConverter, "year")
    urlconf = URLconf([path("<year:y>/", view, name="year")])
    assert urlconf.resolve("/1999/", "GET").kwargs == {"y": 1999}
    assert urlconf.resolve("/1066/", "GET") is None
    assert urlconf.reverse("year", 2024) == "/2024/"


def test_registering_a_name_twice_is_refused():
    register_converter(YearConverter, "year")  # the same class again is what a reload does
    with pytest.raises(ValueError, match="already IntConverter"):
        register_converter(YearConverter, "int")


def test_unknown_converter_names_a_close_one():
    with pytest.raises(LookupError, match="did you mean 'slug'"):
        get_converter("slugg")
    (message,) = URLconf([path("<itn:x>/", view)]).checks
    assert message.id == "web.E001"
    assert "did you mean 'int'" in message.msg
