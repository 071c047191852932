"""Nothing of what Django documents is silently missing: each name has an example, or says here why it has none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from django_examples import Examples, documented, names_of_django

HERE = Path(__file__).parent

ELSEWHERE = {
    "BitAnd()": "test_postgres_aggregates.py, for PostgreSQL",
    "BitOr()": "test_postgres_aggregates.py, for PostgreSQL",
    "BitXor()": "test_postgres_aggregates.py, for PostgreSQL",
    "Model._base_manager": "test_models_definition.py",
    "Model.__str__()": "every example prints its objects",
    "Model.validate_constraints()": "test_models_validation.py",
    "iterator()": "test_query_results.py: Django has no async generator to run in step with",
    "RawSQL()": "test_query_raw.py",
    "StringAgg()": "test_query_annotations.py",
    "raw()": "test_query_raw.py",
}
"""What is the same with us, and is tested there."""

DIFFERENT = {
    "AnyValue()": "Min() or Max() of a column in which the rows of a group are equal",
    "ExpressionWrapper()": "arithmetic knows what comes out; elsewhere expressions take output_field",
    "JSONNull()": "None beside `exact` of a part of a document is the null of JSON; isnull asks for that of SQL",
    "Manager.use_in_migrations": "migrations see no managers; a data migration imports the model or writes SQL",
    "Model._state": "an object has `_adding` and `_using` for itself; a copy is made by setting pk to None",
    "Model.from_db()": "loaders make objects without a call per row; `post_init`-like hooks would cost each of them",
    "Model.get_absolute_url()": "a method like any other; nothing in models calls it",
    "RelatedManager.manager=": "ask the other manager: Entry.published.filter(blog=blog)",
    "FilteredRelation()": "a condition in one call of filter(), a filtered aggregate, or a Prefetch with a queryset",
    "extra()": "annotate() and Func with a template",
    "fetch_mode()": "nothing is fetched by reading; fetch_peers() lets load() fetch for all objects of a result",
}
"""What has another form with us, and which."""


def test_every_documented_name_has_an_example_or_a_difference() -> None:
    shown = {name for path in HERE.glob("test_django_examples_*.py") for name in _names_of(path)}
    names = set(documented())
    told = {*ELSEWHERE, *DIFFERENT}
    assert names - shown - told == set(), "neither an example nor a word about it"
    assert shown | told == names, "an example of what is not documented"
    assert shown & told == set(), "both an example and an excuse"


def test_the_list_has_all_that_this_django_has() -> None:
    """A new version of Django brings names that the list has to take up."""
    assert names_of_django() - set(documented()) == set()


def _names_of(path: Path) -> set[str]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    examples: Examples = module.examples
    return {name for example in examples.all for name in example.names}
