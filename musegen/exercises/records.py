"""Frozen dataclasses as JSON and back, strictly, and their JSON Schema: one truth of the fields.

A record is read field by field by its annotations. What is missing, unknown or of another type is
refused with its place in the record, what came and what is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from musegen.errors import MusegenError

__all__ = ["RecordError", "read_json", "read_record", "record_schema", "record_values"]

_T = TypeVar("_T")
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class RecordError(MusegenError):
    """A record that cannot be read."""

    def __init__(self, where: str, problem: str) -> None:
        """Name the place in the record and what is wrong there."""
        super().__init__(f"{where}: {problem}")
        self.where, self.problem = where, problem


def record_values(record: Any) -> Any:
    """A record as plain values that JSON can hold, fields in their order."""
    if is_dataclass(record):
        return {each.name: record_values(getattr(record, each.name)) for each in fields(record)}
    if isinstance(record, Mapping):
        return {name: record_values(value) for name, value in record.items()}
    if isinstance(record, tuple):
        return [record_values(value) for value in record]
    return float(record) if isinstance(record, Fraction) else record


def read_json(text: str, where: str) -> Any:
    """What a JSON text says; raises RecordError where it is none, or nested beyond reason."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordError(where, f"is no JSON: line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise RecordError(where, "is nested too deeply") from None


def read_record(kind: type[_T], values: Any, where: str) -> _T:
    """A record from plain values.

    Args:
        kind: a frozen dataclass.
        values: what JSON gave.
        where: what is read, for refusals, such as the name of a file.

    Raises:
        RecordError: a field is missing, unknown or of another type.
    """
    found: _T = _read(kind, values, where)
    return found


def _read(kind: Any, values: Any, where: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return values
    if is_dataclass(kind):
        return _read_fields(kind, values, where)
    if origin is tuple:
        inner = get_args(kind)[0]
        items = _of(list, values, where)
        return tuple(_read(inner, each, f"{where}[{place}]") for place, each in enumerate(items))
    if _is_mapping(origin):
        inner = get_args(kind)[1]
        table = _of(dict, values, where)
        return {name: _read(inner, each, f"{where}.{name}") for name, each in table.items()}
    if origin is Literal:
        if values not in get_args(kind):
            allowed = ", ".join(map(repr, get_args(kind)))
            raise RecordError(where, f"must be one of {allowed}, got {_brief(values)}")
        return values
    if origin in (Union, UnionType):
        if values is None and NoneType in get_args(kind):
            return None
        return _read(_inner(kind), values, where)
    return _of(kind, values, where)


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _inner(kind: Any) -> Any:
    """The one type of a union that is not None."""
    return next(each for each in get_args(kind) if each is not NoneType)


NAMES = {**PLAIN, list: "array", dict: "object"}


def _of(kind: Any, values: Any, where: str) -> Any:
    right = isinstance(values, kind) and not (kind is int and isinstance(values, bool))
    if kind is float and isinstance(values, int) and not isinstance(values, bool):
        return float(values)
    if not right:
        raise RecordError(where, f"must be of type {NAMES[kind]}, got {_brief(values)}")
    return values


def _brief(values: Any) -> str:
    text = repr(values)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _read_fields(kind: Any, values: Any, where: str) -> Any:
    table = _of(dict, values, where)
    known = _hints(kind)
    unknown = sorted(set(table) - set(known))
    if unknown:
        allowed = ", ".join(known)
        raise RecordError(where, f"unknown field {unknown[0]!r} (allowed: {allowed})")
    missing = [each.name for each in fields(kind) if each.name not in table and _needed(each)]
    if missing:
        raise RecordError(where, f"field {missing[0]!r} is missing")
    given = {name: _read(known[name], value, f"{where}.{name}") for name, value in table.items()}
    return kind(**given)


def _needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


# --- schema ---------------------------------------------------------------------------------


def record_schema(kind: type, title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a record."""
    definitions: dict[str, Any] = {}
    top = _schema(kind, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **top,
        "$defs": definitions,
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(kind)
    if kind is Any:
        return {}
    if is_dataclass(kind):
        name = kind.__name__ if isinstance(kind, type) else type(kind).__name__
        if name not in definitions:
            definitions[name] = {}  # its name is taken before its fields are walked
            definitions[name] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(kind)[0], definitions)}
    if _is_mapping(origin):
        return {"type": "object", "additionalProperties": _schema(get_args(kind)[1], definitions)}
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(each, definitions) for each in get_args(kind)]}
    return {"type": PLAIN[kind]}


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = _hints(kind)
    return {
        "type": "object",
        "properties": {name: _schema(hint, definitions) for name, hint in hints.items()},
        "required": [each.name for each in fields(kind) if _needed(each)],
        "additionalProperties": False,
    }
