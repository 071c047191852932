"""The registry of installed apps."""

import sys
from pathlib import Path

import pytest

from transom.conf import ImproperlyConfigured, apps


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(apps, "_app_configs", {})
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_app_has_a_label_and_a_path_and_its_models_are_imported(packages: Path):
    write(packages, "shop/__init__.py")
    write(packages, "shop/basket/__init__.py")
    write(packages, "shop/basket/models.py", "IMPORTED = True")
    apps.populate(["shop.basket"])
    config = apps.get_app_config("basket")
    assert (config.name, config.label, config.path) == ("shop.basket", "basket", packages / "shop" / "basket")
    assert sys.modules["shop.basket.models"].IMPORTED


def test_populating_twice_changes_nothing(packages: Path):
    write(packages, "books/__init__.py")
    apps.populate(["books"])
    apps.populate(["books", "books"])
    assert [config.label for config in apps.get_app_configs()] == ["books"]


def test_the_innermost_app_contains_a_module(packages: Path):
    write(packages, "outer/__init__.py")
    write(packages, "outer/inner/__init__.py")
    apps.populate(["outer", "outer.inner"])
    found = apps.get_containing_app_config
    assert found("outer.inner.models").label == "inner"
    assert found("outer.models").label == "outer"
    assert found("outerwear.models") is None


def test_a_missing_app_is_told_from_a_missing_import_inside_it(packages: Path):
    write(packages, "broken/__init__.py", "import no_such_library")
    with pytest.raises(ImproperlyConfigured, match="'no_such_app' cannot be found"):
        apps.populate(["no_such_app"])
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        apps.populate(["broken"])


def test_a_single_module_is_no_app(packages: Path):
    write(packages, "single.py")
    with pytest.raises(ImproperlyConfigured, match="single module; an app is a package"):
        apps.populate(["single"])


def test_labels_are_unique(packages: Path):
    for name in ("one", "two"):
        write(packages, f"{name}/__init__.py")
        write(packages, f"{name}/users/__init__.py")
    with pytest.raises(ImproperlyConfigured, match="share the label 'users'"):
        apps.populate(["one.users", "two.users"])


def test_an_unknown_label_names_the_close_one(packages: Path):
    write(packages, "polling/__init__.py")
    apps.populate(["polling"])
    with pytest.raises(LookupError, match="did you mean 'polling'"):
        apps.get_app_config("poling")
