"""FilePathField: the paths of a folder, looked at when objects are checked and forms are shown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from transom.db import create_tables, models
from transom.db.backends.base import Backend
from transom.db.exceptions import DataError
from transom.forms import ChoicesNotLoaded, FilePathField
from transom.forms.models import modelform_factory
from transom.validators import FilePathValidator, ValidationError

folder: Path = Path()


def pages() -> Path:
    return folder


class Page(models.Model):
    template = models.FilePathField(path=pages, match=r"\.html$", recursive=True)
    extra = models.FilePathField(
        path=pages, allow_files=False, allow_folders=True, max_length=300, null=True, blank=True
    )


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "pages"
    for name in ("a.html", "b.txt", "deep/c.html", "__pycache__/d.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (tmp_path / "outside.html").touch()
    (root / "loop").symlink_to(root)
    monkeypatch.setattr(
        "test_fields_paths.folder" if __name__ == "test_fields_paths" else f"{__name__}.folder", root
    )
    return root


def shown(root: Path, **options: Any) -> list[str]:
    return [path.removeprefix(f"{root}/") for path in FilePathValidator(str(root), **options).paths()]


def test_which_paths_are_allowed(files: Path) -> None:
    assert shown(files) == ["a.html", "b.txt"]
    assert shown(files, match="^a") == ["a.html"]
    assert shown(files, recursive=True, match="html$") == ["a.html", "deep/c.html"]
    assert shown(files, allow_files=False, allow_folders=True) == ["deep", "loop"]
    assert shown(files, allow_folders=True, recursive=True) == [
        "a.html",
        "b.txt",
        "deep",
        "deep/c.html",
        "loop",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow_files": False}, "neither allow_files nor allow_folders"),
        ({"match": "("}, "no regular expression"),
    ],
)
def test_options_that_allow_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        models.FilePathField(path=".", **options)
    with pytest.raises(ValueError, match=message):
        FilePathField(path=".", **options)


async def test_full_clean_takes_paths_that_are_there_and_no_others(files: Path) -> None:
    await Page(id=1, template=str(files / "deep/c.html"), extra=str(files / "deep")).clean_fields()
    wrong = [
        "b.txt",
        "gone.html",
        "__pycache__/d.html",
        "deep/../a.html",
        "../outside.html",
        "loop/a.html",
        "",
    ]
    for name in wrong:
        with pytest.raises(ValidationError) as caught:
            await Page(template=str(files / name) if name else "").clean_fields()
        assert set(caught.value.message_dict) == {"template"}
    with pytest.raises(ValidationError, match="not one of the choices"):
        await Page(template=str(files / "a.html"), extra=str(files / "a.html")).clean_fields()


async def test_a_folder_that_is_not_there_holds_nothing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.folder", files / "gone")
    with pytest.raises(ValidationError, match="not one of the choices"):
        await Page(template="x.html").clean_fields()


async def test_the_folder_is_read_in_a_thread(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    paths = FilePathValidator.paths

    def noting(self: FilePathValidator) -> list[str]:
        seen.append(threading.current_thread() is threading.main_thread())
        return paths(self)

    monkeypatch.setattr(FilePathValidator, "paths", noting)
    await Page(template=str(files / "a.html")).clean_fields()
    field = FilePathField(path=files)
    await field.load_choices()
    await field.clean(str(files / "a.html"))
    assert seen == [False, False, False]


async def test_values_are_text_of_a_length(database: Backend, files: Path) -> None:
    await create_tables(Page)
    page = await Page.objects.create(template="x.html", extra=None)
    assert (await Page.objects.get(template__endswith="html")).pk == page.pk
    with pytest.raises(DataError, match="at most 100 characters"):
        await Page.objects.create(template="x" * 101)


def test_migrations_get_the_options() -> None:
    _, path, _, keywords = models.FilePathField(
        path=Path("media"), match="x", allow_folders=True
    ).deconstruct()
    assert path == "transom.db.models.FilePathField"
    assert keywords == {"path": "media", "match": "x", "allow_folders": True, "max_length": 100}
    assert Page._meta.get_field("template").deconstruct()[3]["path"] is pages


async def test_forms_offer_the_paths(files: Path) -> None:
    form = modelform_factory(Page, fields=["template", "extra"])()
    with pytest.raises(ChoicesNotLoaded):
        str(form)
    await form.load_choices()
    assert form.get_choices("template") == [
        (str(files / "a.html"), "a.html"),
        (str(files / "deep/c.html"), "deep/c.html"),
    ]
    assert form.get_choices("extra")[0] == ("", "---------")
    assert "deep/c.html" in str(form)


async def test_forms_take_what_is_offered(files: Path) -> None:
    made = modelform_factory(Page, fields=["template", "extra"])
    form = made({"template": str(files / "a.html"), "extra": ""})
    assert await form.is_valid(), form.errors
    assert form.cleaned_data == {"template": str(files / "a.html"), "extra": None}
    wrong = made({"template": str(files / "../outside.html"), "extra": ""})
    assert not await wrong.is_valid()
    assert set(wrong.errors) == {"template"}
