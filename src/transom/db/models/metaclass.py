"""How a class statement becomes a model: fields settled, relations tied, the class registered."""

from __future__ import annotations

from functools import partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, cast

from transom.db.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from transom.db.models import registry
from transom.db.models.fields import BigAutoField, Field, ForeignKey
from transom.db.models.manager import DefaultManager, Related
from transom.db.models.options import Options


class ModelMeta(type):
    """The type of models: makes a class with fields into one."""

    # `objects` stands here and not on Model so that a model may have a manager of its own class under that name
    # without contradicting its base; instances do not see it, as in Django.
    objects = DefaultManager()

    if TYPE_CHECKING:
        _meta: Options

    def __new__(  # noqa: D102  # Any: class bodies hold anything
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any
    ) -> ModelMeta:
        if not any(isinstance(base, ModelMeta) for base in bases):
            return super().__new__(mcs, name, bases, namespace, **keywords)
        meta = namespace.pop("Meta", None)
        declared: dict[str, Field[Any]] = {
            key: cast("Field[Any]", value) for key, value in namespace.items() if isinstance(value, Field)
        }
        rest = {key: value for key, value in namespace.items() if key not in declared}
        cls = super().__new__(mcs, name, bases, rest, **keywords)
        inherited = _inherited(bases)
        cls._meta = Options(name, *_meta_options(cls.__module__, meta, bases))
        kept = {field.name: field.clone() for field in inherited if field.name not in rest}
        fields: dict[str, Field[Any]] = {**kept, **declared}
        _add_fields(cls, fields)
        if not cls._meta.abstract:
            _complete(cls)
        return cls

    def __repr__(cls) -> str:
        return f"<model {cls.__module__}.{cls.__qualname__}>"


def _inherited(bases: tuple[type, ...]) -> list[Field[Any]]:
    """Return the fields of the abstract bases, the leftmost base's winning."""
    found: dict[str, Field[Any]] = {}
    for base in reversed(bases):
        options: Options | None = getattr(base, "_meta", None)
        if options is None:
            continue
        if not options.abstract:
            raise TypeError(
                f"{base.__name__} has a table of its own; only an abstract model (class Meta: abstract = True) "
                "can be inherited from"
            )
        found.update({field.name: field for field in options.fields})
    return list(found.values())


def _meta_options(
    module: str, meta: type | None, bases: tuple[type, ...]
) -> tuple[str, dict[str, Any]]:  # Any: options of every type
    """Return the application's label and the options of `class Meta`, with the ordering of an abstract base."""
    options: dict[str, Any] = (
        {key: value for key, value in vars(meta).items() if key[0] != "_"} if meta else {}
    )
    for base in bases:
        inherited: Options | None = getattr(base, "_meta", None)
        if inherited is not None and inherited.ordering:
            options.setdefault("ordering", inherited.ordering)
    return options.get("app_label") or _app_label(module), options


def _app_label(module: str) -> str:
    from transom.conf.apps import get_containing_app_config

    config = get_containing_app_config(module)
    if config is not None:
        return config.label
    parts = module.split(".")
    if "models" in parts[1:]:  # polls.models, polls.models.question
        return parts[parts.index("models", 1) - 1]
    return "main" if module == "__main__" else parts[-1]


def _add_fields(cls: ModelMeta, fields: dict[str, Field[Any]]) -> None:
    if not cls._meta.abstract and not any(field.primary_key for field in fields.values()):
        if "id" in fields:
            raise TypeError(
                f"{cls.__name__}.id is not the primary key; give it primary_key=True or another name"
            )
        fields = {"id": BigAutoField(primary_key=True), **fields}
    for name, field in fields.items():
        if not name.isidentifier() or iskeyword(name):  # generated loaders have it in their source
            raise TypeError(f"{cls.__name__} cannot have a field named {name!r}: that is no attribute name")
        if name == "pk" or name.endswith("_") or "__" in name:
            raise TypeError(
                f"{cls.__name__} cannot have a field named {name!r}: 'pk' is the primary key, and two underscores "
                "separate the words of a lookup"
            )
        field.contribute_to_class(cls, name)
        cls._meta.add_field(field)


def _complete(cls: ModelMeta) -> None:
    """Give a model its exceptions, tie its relations, and register it."""
    inside: dict[str, Any] = {"__module__": cls.__module__}
    for name, base in (
        ("DoesNotExist", ObjectDoesNotExist),
        ("MultipleObjectsReturned", MultipleObjectsReturned),
    ):
        setattr(cls, name, type(name, (base,), {**inside, "__qualname__": f"{cls.__qualname__}.{name}"}))
    cls._meta.finish()
    registry.register(cls)
    for field in cls._meta.foreign_keys:
        relation = field.remote_field
        if relation.related_name:
            relation.related_name = relation.related_name % {
                "class": cls._meta.model_name,
                "app_label": cls._meta.app_label,
            }
        if isinstance(relation.model, str):
            registry.when_defined(_full_label(relation.model, cls), partial(_relate, field))
        else:
            _relate(field, relation.model)


def _full_label(name: str, cls: ModelMeta) -> str:
    if name == "self":
        return cls._meta.label
    return name if "." in name else f"{cls._meta.app_label}.{name}"


def _relate(field: ForeignKey[Any], target: type[Any]) -> None:
    """Tie a foreign key to the model it points to, and give that model the accessor."""
    relation = field.remote_field
    relation.model = target
    target._meta.add_relation(relation)
    if not relation.is_hidden:
        setattr(target, relation.accessor_name, Related(relation))
