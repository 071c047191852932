"""Texts in the active language: catalogs of the site and its apps."""

import asyncio
import importlib
import sys

import pytest

from transom.i18n import (
    Catalogs,
    activate,
    get_language,
    gettext,
    gettext_lazy,
    ngettext,
    npgettext,
    override,
    pgettext,
)
from transom.web import App


@pytest.fixture
def site(tmp_path, write_catalog):
    write_catalog(
        tmp_path,
        "de",
        {
            "Hello": "Hallo",
            "Sign in": "Anmelden",
            "%d vote\0%d votes": "%d Stimme\0%d Stimmen",
            "month\x04May": "Mai",
            "verb\x04%d may\0%d may": "%d darf\0%d dürfen",
        },
    )
    write_catalog(tmp_path, "de_AT", {"Hello": "Servus"})
    return App([], secret_key="k" * 40, locale_dirs=[tmp_path])


def test_without_a_language_texts_are_those_of_the_source(site):
    assert get_language() is None
    assert gettext("Hello") == "Hello"
    assert ngettext("%d vote", "%d votes", 2) == "%d votes"
    assert pgettext("month", "May") == "May"


def test_texts_in_a_language(site):
    with override("de"):
        assert get_language() == "de"
        assert gettext("Hello") == "Hallo"
        assert [ngettext("%d vote", "%d votes", n) % n for n in (0, 1, 2)] == [
            "0 Stimmen",
            "1 Stimme",
            "2 Stimmen",
        ]
        assert pgettext("month", "May") == "Mai"
        assert npgettext("verb", "%d may", "%d may", 2) == "%d dürfen"
        assert gettext("May") == "May"  # the context is part of the key
        assert gettext("Unknown") == "Unknown"
    assert gettext("Hello") == "Hello"


def test_regional_language_falls_back_on_the_general_one(site):
    with override("de-at"):
        assert gettext("Hello") == "Servus"
        assert gettext("Sign in") == "Anmelden"


def test_empty_text_is_not_the_facts_of_the_catalog(site):
    with override("de"):
        assert gettext("") == ""


def test_overrides_nest_and_end_with_an_error(site):
    with override("de"):
        with pytest.raises(KeyError), override(None):
            assert gettext("Hello") == "Hello"
            raise KeyError
        assert gettext("Hello") == "Hallo"


def test_language_without_a_catalog_shows_the_source(site):
    with override("fr"):
        assert get_language() == "fr"
        assert gettext("Hello") == "Hello"


@pytest.mark.parametrize("language", ["../de", "", "de_AT"])
def test_malformed_language_is_an_error(site, language):
    with pytest.raises(ValueError, match="no language tag"):
        activate(language)


async def test_language_is_of_the_task(site):
    async def greet(language):
        activate(language)
        await asyncio.sleep(0)
        return gettext("Hello")

    assert await asyncio.gather(greet("de"), greet("de-AT"), greet("fr")) == ["Hallo", "Servus", "Hello"]
    assert get_language() is None


def test_lazy_text_is_translated_when_it_is_used(site):
    label = gettext_lazy("Hello")
    with override("de"):
        assert str(label) == "Hallo"
        assert f"{label:>6}" == " Hallo"
        assert label + "!" == "Hallo!"
        assert "¡" + label == "¡Hallo"
    assert str(label) == "Hello"
    assert label == gettext_lazy("Hello")
    assert gettext_lazy("%s!") % "x" == "x!"


def test_folder_of_the_site_wins_over_its_apps(tmp_path, write_catalog, monkeypatch):
    app_dir = tmp_path / "i18n_app_for_tests"
    write_catalog(app_dir / "locale", "de", {"Hello": "Guten Tag", "Bye": "Tschüs"})
    (app_dir / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    write_catalog(tmp_path / "locale", "de", {"Hello": "Moin"})
    App([], secret_key="k" * 40, locale_dirs=[tmp_path / "locale"], installed_apps=[app_dir.name])
    with override("de"):
        assert gettext("Hello") == "Moin"
        assert gettext("Bye") == "Tschüs"
    from transom.conf.apps import _app_configs

    _app_configs.pop(app_dir.name)
    sys.modules.pop(app_dir.name)


def test_catalog_is_read_once(tmp_path, write_catalog):
    write_catalog(tmp_path, "de", {"Hello": "Hallo"})
    catalogs = Catalogs([tmp_path])
    assert catalogs.get("de") is catalogs.get("DE")


def test_malformed_catalog_is_an_error(tmp_path, write_catalog):
    write_catalog(tmp_path, "de", {})
    (tmp_path / "de/LC_MESSAGES/messages.mo").write_bytes(b"no catalog")
    with pytest.raises(OSError, match=r"messages\.mo"):
        Catalogs([tmp_path]).get("de")
