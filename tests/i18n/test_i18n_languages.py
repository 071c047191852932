"""Which language an accept-language field asks for."""

import pytest

from transom.i18n import choose_language
from transom.i18n.languages import parse_accept_language, to_locale


@pytest.mark.parametrize(
    ("header", "languages", "chosen"),
    [
        ("de", ["en", "de"], "de"),
        ("DE", ["en", "de"], "de"),
        ("de-AT", ["en", "de"], "de"),  # lookup: the more general one
        ("de-AT-1996", ["en", "de", "de-AT"], "de-AT"),
        ("pt", ["en", "pt-BR"], "pt-BR"),  # the more special one, where nothing closer is there
        ("pt", ["pt-BR", "pt"], "pt"),
        ("p", ["pt"], None),  # a prefix of a tag, not of its parts
        ("fr;q=0.5, de;q=0.8, en;q=0.1", ["en", "fr", "de"], "de"),
        ("en;q=0.8, de;q=0.8", ["de", "en"], "en"),  # equals: the order of the field
        ("fr, es", ["en", "de"], None),
        ("*", ["en", "de"], "en"),
        ("fr, *;q=0.1", ["en", "de"], "en"),
        ("en;q=0, *", ["en", "de"], "de"),
        ("de;q=0", ["de"], None),
        ("de;q=0, de-AT", ["de", "de-AT"], "de-AT"),  # the closer range decides
        ("en, en-GB;q=0", ["en-GB"], None),
        ("*;q=0, de", ["en", "de"], "de"),
        ("", ["en"], None),
        (
            ", ,;;q=1, de;q=1.001, de;q=x, de;q=-1, de q=1, ../../etc, de;q=1;x=y",
            ["de"],
            None,
        ),  # all malformed
        ("\u00e9, en", ["en"], "en"),
        ("zh-TW", ["zh-Hant", "zh-Hans"], None),
    ],
)
def test_language_that_fits_best(header, languages, chosen):
    assert choose_language(header, languages) == chosen


def test_only_the_first_twenty_ranges_count():
    assert choose_language("fr," * 19 + "de", ["de"]) == "de"
    assert choose_language("fr," * 20 + "de", ["de"]) is None


def test_field_is_cut_at_500_characters_and_the_cut_range_is_dropped():
    padding = "x-" + ",".join(["abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh"] * 11)
    header = padding + "," * (497 - len(padding)) + ",de-AT"
    assert header[:500].endswith("de")
    assert choose_language(header, ["de"]) is None
    assert choose_language(header, ["abcdefgh"]) == "abcdefgh"


def test_ranges_are_sorted_by_quality():
    assert parse_accept_language("a;q=0.1, b , c ; q=0.5") == [("b", 1.0), ("c", 0.5), ("a", 0.1)]


@pytest.mark.parametrize(
    ("tag", "locale"),
    [("de", "de"), ("pt-br", "pt_BR"), ("ZH-HANT-tw", "zh_Hant_TW"), ("es-419", "es_419")],
)
def test_locale_of_a_tag(tag, locale):
    assert to_locale(tag) == locale


@pytest.mark.parametrize("tag", ["", "d", "../etc", "de/..", "de_AT", "de-", "ä", "de\n"])
def test_what_is_no_tag_names_no_folder(tag):
    with pytest.raises(ValueError, match="no language tag"):
        to_locale(tag)
