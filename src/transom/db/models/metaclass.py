"""How a class statement becomes a model: fields settled, relations tied, the class registered."""

from __future__ import annotations

from functools import partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, cast

from transom.db.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from transom.db.models import registry
from transom.db.models.fields import (
    CASCADE,
    BigAutoField,
    CompositePrimaryKey,
    Field,
    ForeignKey,
    ManyToManyBase,
    OneToOneRelation,
)
from transom.db.models.manager import DefaultManager, bound_manager, find_manager
from transom.db.models.many_to_many import ManyRelated
from transom.db.models.neighbours import add_neighbour_methods
from transom.db.models.options import Options
from transom.db.models.related_manager import Related, RelatedObject

if TYPE_CHECKING:
    from transom.db.models.manager import Manager
    from transom.db.models.query import QuerySet


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
        cls._meta = Options(name, *_meta_options(cls, meta, bases))
        cls._meta.model = cls
        if cls._meta.proxy:
            _become_proxy(cls, bases, declared)
        else:
            kept = {field.name: field.clone() for field in _inherited(bases) if field.name not in rest}
            _add_fields(cls, {**kept, **declared})
        if not cls._meta.abstract:
            _complete(cls)
        elif meta is not None:
            type.__setattr__(
                cls, "Meta", meta
            )  # for `class Meta(Parent.Meta)`, and for models that have none
        return cls

    @property
    def _default_manager(cls) -> Manager[Any] | QuerySet[Any]:  # Any: checkers know only what `objects` gives
        """The manager that relations and generic code use: the first of the class, or the one Meta names."""
        return cls._manager("default", cls._meta.default_manager_name)

    @property
    def _base_manager(cls) -> Manager[Any] | QuerySet[Any]:
        """The manager that finds every row, for following references: a plain one, or the one Meta names."""
        return cls._manager("base", cls._meta.base_manager_name)

    def _manager(cls, role: str, name: str | None) -> Manager[Any] | QuerySet[Any]:
        managers, model = cls._meta.managers, cls._meta.model
        if role not in managers:
            plain = role == "base" and name is None
            managers[role] = bound_manager(model) if plain else find_manager(model, name)
        return managers[role]

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
                "can be inherited from, unless the class is a proxy (class Meta: proxy = True)"
            )
        found.update({field.name: field for field in options.declared})
    return list(found.values())


def _become_proxy(cls: ModelMeta, bases: tuple[type, ...], declared: dict[str, Field[Any]]) -> None:
    """Make a class another one for the rows of the model it inherits from.

    Raises:
        TypeError: it has fields, or not exactly one model to stand for.
    """
    options = [base._meta for base in bases if isinstance(base, ModelMeta) and hasattr(base, "_meta")]
    concrete = {each.concrete_model for each in options if not each.abstract}
    fields = [*declared, *(field.name for each in options if each.abstract for field in each.fields)]
    if len(concrete) != 1:
        raise TypeError(
            f"the proxy {cls.__name__} must inherit from one model with a table, not {len(concrete)}"
        )
    if fields:
        raise TypeError(f"the proxy {cls.__name__} has no table and so no field {fields[0]!r}; drop it")
    cls._meta.become_proxy(concrete.pop()._meta)


def _meta_options(
    cls: ModelMeta, meta: type | None, bases: tuple[type, ...]
) -> tuple[str, dict[str, Any]]:  # Any: options of every type
    """Return the application's label and the options of `class Meta`, with the order that a base has."""
    own: type | None = meta or getattr(cls, "Meta", None)  # of an abstract base
    options: dict[str, Any] = (
        {key: getattr(own, key) for key in dir(own) if key[0] != "_"} if own is not None else {}
    )
    for key in ("abstract", "proxy"):  # said of one class, not of those below it
        options[key] = meta is not None and bool(vars(meta).get(key, False))
    for base in bases:
        inherited: Options | None = getattr(base, "_meta", None)
        for key in ("ordering", "get_latest_by"):
            if inherited is not None and getattr(inherited, key):
                options.setdefault(key, getattr(inherited, key))
    return options.get("app_label") or _app_label(cls.__module__), options


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
        is_key = isinstance(field, CompositePrimaryKey)
        if is_key and name != "pk":
            raise TypeError(f"{cls.__name__}.{name} is a CompositePrimaryKey, whose name must be pk")
        if (name == "pk" and not is_key) or name.endswith("_") or "__" in name:
            raise TypeError(
                f"{cls.__name__} cannot have a field named {name!r}: 'pk' is the primary key, and two underscores "
                "separate the words of a lookup"
            )
        field.contribute_to_class(cls, name)
        if isinstance(field, ManyToManyBase):
            cls._meta.add_many_to_many(field)
        elif is_key:
            cls._meta.set_key(field)
        else:
            cls._meta.add_field(field)
            add_neighbour_methods(cls, field)
    cls._meta.settle_key()


def _complete(cls: ModelMeta) -> None:
    """Give a model its exceptions, register it, and tie its relations."""
    add_exceptions(cls)
    cls._meta.finish()
    registry.register(cls)
    if cls._meta.proxy:
        return
    for field in (*cls._meta.foreign_keys, *cls._meta.many_to_many):
        relation = field.remote_field
        relation.related_name = relation.related_name or cls._meta.default_related_name
        relation.settle_names(cls)
        tie: Any = relate_many if isinstance(field, ManyToManyBase) else relate
        if isinstance(relation.model, str):
            registry.when_defined(_full_label(relation.model, cls), partial(tie, field))
        else:
            tie(field, relation.model)


def add_exceptions(cls: ModelMeta) -> None:
    """Give a model its own DoesNotExist and MultipleObjectsReturned; a proxy's are those of its model, too."""
    inside: dict[str, Any] = {"__module__": cls.__module__}
    concrete = cls._meta.concrete_model
    for base in (ObjectDoesNotExist, MultipleObjectsReturned):
        name = base.__name__.removeprefix("Object")
        parent = getattr(concrete, name) if cls._meta.proxy else base
        setattr(cls, name, type(name, (parent,), {**inside, "__qualname__": f"{cls.__qualname__}.{name}"}))


def _full_label(name: str, cls: ModelMeta) -> str:
    if name == "self":
        return cls._meta.label
    return name if "." in name else f"{cls._meta.app_label}.{name}"


def relate(field: ForeignKey[Any], target: type[Any]) -> None:
    """Tie a foreign key to the model it points to, and give that model the accessor."""
    relation = field.remote_field
    relation.model = target
    _refuse_several_columns(field, target, relation.target_field)
    if not relation.target_field.unique:
        raise TypeError(
            f"{field.label} refers to {relation.target_field.label}, which is not unique; give that field unique=True"
        )
    target._meta.add_relation(relation)
    if not relation.is_hidden:
        accessor = RelatedObject if isinstance(relation, OneToOneRelation) else Related
        setattr(target._meta.concrete_model, relation.accessor_name, accessor(relation))


def _refuse_several_columns(field: Field[Any], model: type[Any], key: Field[Any]) -> None:
    """Refuse a reference to a key that has more columns than the reference."""
    if isinstance(key, CompositePrimaryKey):
        raise TypeError(
            f"{field.label} would refer to {key.label}, which has several columns, and a foreign key has one; give "
            f"{model.__name__} a primary key of one column and a UniqueConstraint of {', '.join(key.names)}, or refer to "
            "a unique field of it by to_field"
        )


def relate_many(field: ManyToManyBase, target: type[Any], *, registered: bool = True) -> None:
    """Tie a many-to-many field to the model it points to and to that in between, which is made if none is given.

    With `registered=False`, a model in between that is made stays unknown to the registry.
    """
    relation, through = field.remote_field, field.declared_through
    relation.model = target
    if through is None:
        for model in (field.model, target):
            _refuse_several_columns(field, model, model._meta.pk)
        field.through = _make_through(field, registered=registered)
    elif isinstance(through, str):
        if registered:
            registry.when_defined(_full_label(through, field.model), partial(setattr, field, "through"))
    else:
        field.through = through
    target._meta.add_relation(relation)
    if not relation.is_hidden:
        setattr(target._meta.concrete_model, relation.accessor_name, ManyRelated(relation))


def _make_through(field: ManyToManyBase, *, registered: bool) -> ModelMeta:
    """Make the model of the rows that link two models: an id and two foreign keys."""
    model, target = field.model, field.related_model
    here, there = model._meta.model_name, target._meta.model_name
    if here == there:
        here, there = f"from_{here}", f"to_{there}"
    name = f"{model.__name__}_{field.name}"
    meta = {
        "app_label": model._meta.app_label,
        "db_table": field.db_table or f"{model._meta.db_table}_{field.name}",
        "auto_created": model,
        "unique_together": [(here, there)],
        "verbose_name": f"{model._meta.verbose_name}-{target._meta.verbose_name} relationship",
        "abstract": not registered,
    }
    body = {
        "__module__": model.__module__,
        "__qualname__": f"{model.__qualname__}.{field.name}.through",  # where pickle finds it
        "Meta": type("Meta", (), meta),
        "id": BigAutoField(primary_key=True),
        here: ForeignKey[Any](model, CASCADE, related_name="+"),
        there: ForeignKey[Any](target, CASCADE, related_name="+"),
    }
    base = next(base for base in reversed(model.__mro__) if isinstance(base, ModelMeta))
    through = ModelMeta(name, (base,), body)
    if not registered:
        through._meta.abstract = False
        add_exceptions(through)
        for key in through._meta.foreign_keys:
            relate(key, key.related_model)
    return through
