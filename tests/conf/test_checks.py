"""System checks."""

import pytest

from transom.conf import CheckMessage, Settings, Severity, run_checks


def ids(settings: Settings, *, deploy: bool = False) -> list[str]:
    return [message.id for message in run_checks(settings, deploy=deploy)]


def test_the_letter_of_the_id_is_the_severity():
    assert CheckMessage("web.E001", "x").severity is Severity.ERROR
    assert CheckMessage("db.W002", "x").severity is Severity.WARNING
    assert (
        str(CheckMessage("db.W002", "no index", "add one"))
        == "WARNING (db.W002): no index\n    hint: add one"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"secret_key": "short"}, "conf.E001"),
        ({"static_url": "static"}, "conf.E002"),
    ],
)
def test_mistakes_in_settings_are_found(values: dict[str, str], expected: str):
    assert expected in ids(Settings(_env_file=None, **values))


def test_deployment_checks_run_only_when_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TRANSOM_SECRET_KEY", raising=False)
    settings = Settings(_env_file=None, debug=True, allowed_hosts=["*"])
    assert {"conf.E003", "conf.E004", "conf.W005"} <= set(ids(settings, deploy=True))
    assert not {"conf.E003", "conf.E004", "conf.W005"} & set(ids(settings))


def test_the_worst_comes_first():
    severities = [
        message.severity
        for message in run_checks(Settings(_env_file=None, debug=True, allowed_hosts=["*"]), deploy=True)
    ]
    assert severities == sorted(severities, reverse=True)
