"""Settings come from arguments, the environment and .env; a typo is never silent."""

import os
from pathlib import Path

import pytest

from transom.conf import ImproperlyConfigured, Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("TRANSOM_") or name.upper() == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_are_those_of_production():
    settings = Settings()
    assert settings.debug is False
    assert "*" not in settings.allowed_hosts
    with pytest.raises(ImproperlyConfigured, match="secret_key is not set"):
        settings.signing_key()


def test_arguments_win_over_environment_over_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".env").write_text("TRANSOM_TIME_ZONE=Europe/Oslo\nTRANSOM_DEBUG=true\nUNRELATED=1\n")
    assert Settings().time_zone == "Europe/Oslo"
    monkeypatch.setenv("TRANSOM_TIME_ZONE", "Asia/Tokyo")
    assert Settings().time_zone == "Asia/Tokyo"
    assert Settings(time_zone="UTC").time_zone == "UTC"
    assert Settings().debug is True


def test_lists_from_the_environment_are_json_or_comma_separated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRANSOM_ALLOWED_HOSTS", "example.com, .example.org")
    monkeypatch.setenv("TRANSOM_TEMPLATE_DIRS", '["a", "b"]')
    settings = Settings()
    assert settings.allowed_hosts == ["example.com", ".example.org"]
    assert settings.template_dirs == [Path("a"), Path("b")]


def test_database_url_stands_in_for_the_default_database(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///site.sqlite3")
    assert Settings().databases == {"default": "sqlite:///site.sqlite3"}
    assert Settings(databases={"default": "sqlite:///other"}).databases == {"default": "sqlite:///other"}


@pytest.mark.parametrize("where", ["argument", "environment", "dotenv"])
def test_an_unknown_setting_names_the_close_one(where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    values: dict[str, object] = {}
    if where == "argument":
        values["debgu"] = True
    elif where == "environment":
        monkeypatch.setenv("TRANSOM_DEBGU", "1")
    else:
        (tmp_path / ".env").write_text("TRANSOM_DEBGU=1\n")
    with pytest.raises(
        ImproperlyConfigured, match=r"(?i)unknown setting '(TRANSOM_)?debgu'; did you mean 'debug'\?"
    ):
        Settings(**values)


def test_an_unknown_setting_without_a_close_one_lists_the_choices():
    with pytest.raises(ImproperlyConfigured, match=r"choose from .*allowed_hosts.*time_zone"):
        Settings(zzz=1)


def test_names_of_the_server_and_of_tests_are_not_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRANSOM_SERVE_PORT", "9000")
    monkeypatch.setenv("TRANSOM_TEST_POSTGRES", "postgresql://localhost/test")
    monkeypatch.setenv("TRANSOM_APP", "site.app:app")
    Settings()


def test_all_bad_values_are_reported_together_without_their_input():
    with pytest.raises(ImproperlyConfigured) as caught:
        Settings(debug="hunter2", max_body_size=0)
    assert "'debug'" in str(caught.value)
    assert "'max_body_size'" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_development_key_needs_debug():
    assert len(Settings(debug=True).signing_key()) >= 16
    assert Settings(secret_key="k" * 40).signing_key() == b"k" * 40


def test_secrets_do_not_show_in_the_representation():
    shown = repr(Settings(secret_key="k" * 40, databases={"default": "postgresql://u:hunter2@h/d"}))
    assert "hunter2" not in shown
    assert "kkkk" not in shown


def test_a_site_adds_its_own_settings(monkeypatch: pytest.MonkeyPatch):
    class SiteSettings(Settings):
        polls_per_page: int = 10

    monkeypatch.setenv("TRANSOM_POLLS_PER_PAGE", "25")
    assert SiteSettings().polls_per_page == 25
    with pytest.raises(ImproperlyConfigured, match="TRANSOM_POLLS_PER_PAGE"):
        Settings()
