"""Turns values into the source code that makes them: field arguments, defaults, options."""

from __future__ import annotations

import datetime
import functools
import importlib
import math
import uuid
import zoneinfo
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from transom.db.migrations.code import Code, call, sequence
from transom.db.migrations.exceptions import Unserializable
from transom.db.migrations.operations.base import Operation
from transom.db.models.expressions import Case, Combined, Condition, F, Func, Function, Lookup, Q, Value, When
from transom.db.models.expressions.functions.dates import PartOfTime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MODELS = "transom.db.models"
FUNCTIONS = "transom.db.models.functions"
MIGRATIONS = "transom.db.migrations"

# Any, here and below: whatever a model may give to a field.
Serializer: TypeAlias = "Callable[[Any], Code]"


def serialize(value: Any) -> Code:
    """Return the source code of a value.

    Raises:
        Unserializable: the value has no such form, or would not be the same one when the file is read again.
    """
    if (name := _name_in_models(value)) is not None:
        return Code(f"models.{name}", imports=frozenset({MODELS}))
    if isinstance(value, Enum):
        return _serialize_enum(value)
    if isinstance(value, Operation):
        return serialize_operation(value)
    if not isinstance(value, type) and hasattr(value, "deconstruct"):
        return _serialize_deconstructible(value)
    for kind, serializer in SERIALIZERS.items():
        if isinstance(value, kind):
            return serializer(value)
    if callable(value):
        return _serialize_callable(value)
    raise Unserializable(
        f"cannot write {value!r} of type {type(value).__qualname__} into a migration; "
        "give a plain value or a function of a module, or give the type a deconstruct() method"
    )


def serialize_operation(operation: Operation) -> Code:
    """Return the call that builds an operation, one argument a line where it holds a list of fields."""
    name, arguments = operation.deconstruct()
    kwargs = [
        (key, sequence("[]", map(serialize, cast("list[Any]", value)), exploded=True))
        if key == "fields"
        else (key, serialize(value))
        for key, value in arguments.items()
    ]
    module = type(operation).__module__
    if module == MIGRATIONS or module.startswith(f"{MIGRATIONS}."):
        function = Code(f"migrations.{name}")
    else:
        function = Code(f"{module}.{name}", imports=frozenset({module}))
    return call(function, kwargs=kwargs, exploded=True)


def _serialize_deconstructible(value: Any) -> Code:
    # Fields deconstruct to (name, path, args, kwargs), everything else to (path, args, kwargs).
    path, args, kwargs = cast("tuple[str, tuple[Any, ...], Mapping[str, Any]]", value.deconstruct()[-3:])
    module, _, name = path.rpartition(".")
    if module == MODELS:
        function = Code(f"models.{name}", imports=frozenset({MODELS}))
    else:
        function = Code(path, imports=frozenset({module}))
    return call(function, map(serialize, args), [(key, serialize(item)) for key, item in kwargs.items()])


def _name_in_models(value: Any) -> str | None:
    if isinstance(value, bool | int | float | str | bytes | None) and not isinstance(value, Enum):
        return None
    models = importlib.import_module(MODELS)
    names = cast("list[str]", models.__all__)
    return next((name for name in names if getattr(models, name, None) is value), None)


def _serialize_enum(value: Enum) -> Code:
    # A member that is a plain value too is written as that: the file then outlives the class.
    if isinstance(value, str | int):
        return serialize(value.value)
    owner = serialize(type(value))
    return Code(f"{owner.head}[{value.name!r}]".replace("'", '"'), imports=owner.imports)


def _serialize_str(value: str) -> Code:
    # Beside both kinds of quotes repr() always chooses the single ones, and escapes those in the text.
    single = repr("'\"" + value)[4:-1]
    if value.count('"') > value.count("'"):
        return Code(f"'{single}'")
    double = single.replace("\\'", "'").replace('"', '\\"')
    return Code(f'"{double}"')


def _serialize_float(value: float) -> Code:
    return Code(repr(value)) if math.isfinite(value) else Code(f'float("{value}")')


def _serialize_datetime(value: datetime.datetime) -> Code:
    parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    kwargs: dict[str, Any] = {"tzinfo": value.tzinfo, "fold": value.fold}
    return _serialize_parts("datetime.datetime", parts, kwargs, needed=3)


def _serialize_time(value: datetime.time) -> Code:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    return _serialize_parts("datetime.time", parts, {"tzinfo": value.tzinfo, "fold": value.fold}, needed=0)


def _serialize_parts(name: str, parts: list[int], kwargs: Mapping[str, Any], *, needed: int) -> Code:
    while len(parts) > needed and not parts[-1]:
        parts.pop()
    items = [(key, serialize(value)) for key, value in kwargs.items() if value]
    return call(Code(name, imports=frozenset({"datetime"})), map(serialize, parts), items)


def _serialize_date(value: datetime.date) -> Code:
    return _serialize_parts("datetime.date", [value.year, value.month, value.day], {}, needed=3)


def _serialize_timedelta(value: datetime.timedelta) -> Code:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return _serialize_parts("datetime.timedelta", [], parts, needed=0)


def _serialize_timezone(value: datetime.timezone) -> Code:
    imports = frozenset({"datetime"})
    if value is datetime.UTC:
        return Code("datetime.UTC", imports=imports)
    return call(Code("datetime.timezone", imports=imports), [serialize(value.utcoffset(None))])


def _serialize_with_text(name: str) -> Serializer:
    """Return the serializer of a type that is built from its own text."""
    function = Code(name, imports=frozenset({name.partition(".")[0]}))
    return lambda value: call(function, [_serialize_str(str(value))])


def _serialize_dict(value: Mapping[Any, Any]) -> Code:
    items = tuple((f"{serialize(key).layout()}: ", serialize(item)) for key, item in value.items())
    imports = frozenset(name for key in value for name in serialize(key).iter_imports())
    return Code("{", items, "}", imports)


def _serialize_set(value: set[Any]) -> Code:
    return sequence("{}", _sorted(value)) if value else Code("set()")


def _serialize_frozenset(value: frozenset[Any]) -> Code:
    return call(Code("frozenset"), [_serialize_set(set(value))] if value else [])


def _sorted(value: set[Any]) -> list[Code]:
    return sorted(map(serialize, value), key=Code.layout)  # sets have no order; files must have one


def _serialize_partial(value: functools.partial[Any]) -> Code:
    keywords = [(key, serialize(item)) for key, item in value.keywords.items()]
    function = Code("functools.partial", imports=frozenset({"functools"}))
    return call(function, [serialize(value.func), *map(serialize, value.args)], keywords)


def _serialize_callable(value: Any) -> Code:
    """Return the dotted path of a function, a class, or a method of a class."""
    module, name = _dotted_path(value)
    if "<lambda>" in name:
        raise Unserializable(
            f"cannot write the lambda of {module} into a migration; "
            "make it a function of the module (def …) and give its name"
        )
    if "<locals>" in name or not module or module == "__main__" or not _leads_to(value, module, name):
        raise Unserializable(
            f"cannot write {value!r} into a migration: {module}.{name} does not lead to it; "
            "move it to the top of a module that can be imported"
        )
    return Code(name) if module == "builtins" else Code(f"{module}.{name}", imports=frozenset({module}))


def _dotted_path(value: Any) -> tuple[str, str]:
    owner = getattr(value, "__self__", None)
    if isinstance(owner, type):  # a class method
        module, name = owner.__module__, f"{owner.__qualname__}.{value.__name__}"
    else:
        module, name = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", repr(value))
    # pathlib._local.Path is pathlib.Path to everybody, whatever module it moves to.
    public = module.partition("._")[0]
    return (public if public != module and _leads_to(value, public, name) else module), name


def _leads_to(value: Any, module: str, name: str) -> bool:
    try:
        found: Any = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError):
        return False
    return bool(found == value)  # a class method is a new object at each look


def _serialize_condition(value: Q) -> Code:
    """Return a condition as nested calls, which can be laid out over lines as operators could not."""
    args, kwargs = _children(value)
    if value.connector != "AND":
        kwargs.append(("_connector", serialize(value.connector)))
    if value.negated:
        kwargs.append(("_negated", serialize(True)))
    names = [name for name, _ in kwargs]
    if len(set(names)) < len(names):  # the same lookup twice: each in a Q of its own
        return _serialize_condition(_with_separate_lookups(value))
    return call(Code("models.Q", imports=frozenset({MODELS})), args, kwargs)


def _with_separate_lookups(value: Q) -> Q:
    children = [
        Q(**{child.name: child.value}) if isinstance(child, Condition) else child for child in value.children
    ]
    return Q(*children, _connector=value.connector, _negated=value.negated)


def _serialize_reference(value: F) -> Code:
    return call(Code("models.F", imports=frozenset({MODELS})), [serialize(value.path)])


def _serialize_constant(value: Value) -> Code:
    return call(Code("models.Value", imports=frozenset({MODELS})), [serialize(value.value)])


def _serialize_arithmetic(value: Combined) -> Code:
    operands = (("", _in_parentheses(value.left)), ("", _in_parentheses(value.right)))
    return Code("", operands, operator=value.operator)


def _serialize_function(value: Function) -> Code:
    """Return a call of a function of the database, ours by its public name."""
    cls = type(value)
    public = getattr(importlib.import_module(FUNCTIONS), cls.__name__, None) is cls
    function = (
        Code(f"{FUNCTIONS}.{cls.__name__}", imports=frozenset({FUNCTIONS})) if public else serialize(cls)
    )
    kwargs = _output_field(value.output_field)
    if isinstance(value, PartOfTime) and value.tzinfo is not None:
        kwargs.append(("tzinfo", serialize(value.tzinfo)))
    return call(function, map(serialize, value.operands), kwargs)


def _serialize_func(value: Func) -> Code:
    declared = {name: getattr(type(value), name) for name in ("function", "template")}
    given = [(name, getattr(value, name)) for name, text in declared.items() if getattr(value, name) != text]
    kwargs = [(name, serialize(text)) for name, text in given]
    if type(value) is Func:
        kwargs += _output_field(value.output_field)
    return call(serialize(type(value)), map(serialize, value.operands), kwargs)


def _serialize_lookup(value: Lookup) -> Code:
    return call(serialize(type(value)), [serialize(value.lhs), serialize(value.rhs)])


def _output_field(field: Any) -> list[tuple[str, Code]]:
    return [] if field is None else [("output_field", serialize(field))]


def _serialize_case(value: Case) -> Code:
    kwargs = [] if value.default is None else [("default", serialize(value.default))]
    kwargs += _output_field(value.output_field)
    return call(Code("models.Case", imports=frozenset({MODELS})), map(serialize, value.branches), kwargs)


def _serialize_branch(value: When) -> Code:
    args, kwargs = _children(value.condition)
    function = Code("models.When", imports=frozenset({MODELS}))
    return call(function, args, [*kwargs, ("then", serialize(value.then))])


def _children(condition: Q) -> tuple[list[Code], list[tuple[str, Code]]]:
    """Return the members of a condition as arguments: conditions by place, lookups by name."""
    args = [serialize(child) for child in condition.children if not isinstance(child, Condition)]
    lookups = [child for child in condition.children if isinstance(child, Condition)]
    return args, [(child.name, serialize(child.value)) for child in lookups]


def _in_parentheses(operand: Any) -> Code:
    code = serialize(operand)
    return (
        Code(f"({code.layout()})", imports=frozenset(code.iter_imports()))
        if isinstance(operand, Combined)
        else code
    )


def _serialize_module(value: ModuleType) -> Code:
    raise Unserializable(f"cannot write the module {value.__name__} into a migration; name something in it")


# The first kind that fits; so bool before int, datetime before date.
SERIALIZERS: dict[type, Serializer] = {
    type(None): lambda value: Code("None"),
    bool: lambda value: Code(repr(value)),
    int: lambda value: Code(int.__repr__(value)),
    str: _serialize_str,
    bytes: lambda value: Code(repr(value)),
    float: _serialize_float,
    Decimal: _serialize_with_text("decimal.Decimal"),
    uuid.UUID: _serialize_with_text("uuid.UUID"),
    zoneinfo.ZoneInfo: _serialize_with_text("zoneinfo.ZoneInfo"),
    PurePath: lambda value: _serialize_with_text(f"pathlib.{type(value).__name__}")(value),
    datetime.datetime: _serialize_datetime,
    datetime.date: _serialize_date,
    datetime.time: _serialize_time,
    datetime.timedelta: _serialize_timedelta,
    datetime.timezone: _serialize_timezone,
    list: lambda value: sequence("[]", map(serialize, value)),
    tuple: lambda value: sequence("()", map(serialize, value)),
    set: _serialize_set,
    frozenset: _serialize_frozenset,
    dict: _serialize_dict,
    functools.partial: _serialize_partial,
    Q: _serialize_condition,
    F: _serialize_reference,
    Value: _serialize_constant,
    Combined: _serialize_arithmetic,
    Function: _serialize_function,
    Func: _serialize_func,
    Lookup: _serialize_lookup,
    Case: _serialize_case,
    When: _serialize_branch,
    ModuleType: _serialize_module,
}
