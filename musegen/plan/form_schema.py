"""What may stand in a form template: fields, what each allows, and the same as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from theory_kb.cadences import cadence_kinds, further_cadences
from theory_kb.catalogue import catalogue
from theory_kb.metre import metre_names
from theory_kb.pitch import Interval, PitchError

__all__ = [
    "ARRIVAL",
    "DYNAMICS",
    "FORM_FIELDS",
    "FORM_TEXTURES",
    "ID",
    "IMITATION",
    "MAX_BARS",
    "MODES",
    "NO_CADENCE",
    "PARAMETER_FIELDS",
    "ROMANS",
    "SECTION_FIELDS",
    "TECHNIQUES",
    "TEXT_CADENCES",
    "Field",
    "form_schema",
]

MAX_BARS = 256  # of a whole piece; more is a slip of the pen
MODES = ("major", "minor")
NO_CADENCE = "none"
ARRIVAL = "cad-dominant-arrival"  # planned as a half cadence is
TEXT_CADENCES = ("cad-loop", "cad-rock")  # closes of a section whose chords the template states
ROMANS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
DYNAMICS = ("pp", "p", "mp", "mf", "f", "ff")
CHORALE = "chorale"
FORM_TEXTURES = (
    CHORALE,
    "melody",
    "block",
    "repeated",
    "broken",
    "minuet",
    "alberti",
    "waltz",
    "arpeggio",
    "stride",
    "rocking",
    "march",
    "walking",
    "figural",
)
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
THEME = re.compile(r"[A-Za-z][A-Za-z0-9'-]{0,23}")
LONGEST_TEXT = 400  # characters of a text
MOST_SECTIONS = 200
MOST_PARAMETERS = 32
HOLD = 12  # beats


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a template."""

    check: Callable[[Any], bool]
    allowed: str  # in words, for refusals
    schema: Callable[[], Mapping[str, Any]]  # as JSON Schema
    needed: bool = False
    default: Any = None


def _field(
    check: Callable[[Any], bool], allowed: str, schema: Any, default: Any = None, **more: bool
) -> Field:
    made = schema if callable(schema) else (lambda: schema)
    return Field(check, allowed, made, default=default, **more)


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _name(value: Any) -> bool:
    return _text(value) and bool(value.strip())


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    )


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    )


def _one_of(names: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in names


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(_text(text) for text in value)


def _some(value: Any) -> bool:
    return _texts(value) and bool(value)


def _is_roman(text: str) -> bool:
    bare = text.lstrip("b#")
    return len(text) <= 6 and bare.upper() in ROMANS and bare in (bare.upper(), bare.lower())


def _keys(value: Any) -> bool:
    """Roman numerals by mode; a form that is in one mode alone may leave the other out."""
    if not isinstance(value, dict) or not value or not set(value) <= set(MODES):
        return False
    return all(_some(texts) and all(map(_is_roman, texts)) for texts in value.values())


def _metres(value: Any) -> bool:
    return _some(value) and set(value) <= set(metre_names())


@cache
def _kinds() -> frozenset[str]:
    planned = {*cadence_kinds(), ARRIVAL, *TEXT_CADENCES}
    return frozenset(planned & {*cadence_kinds(), *further_cadences()})


def _closes(value: Any) -> bool:
    return _texts(value) and (value == [NO_CADENCE] or (bool(value) and set(value) <= _kinds()))


@cache
def _relations() -> tuple[str, ...]:
    return tuple(catalogue()["thematic-relation"])


def _related(value: Any) -> bool:
    return _texts(value) and set(value) <= set(_relations())


def _bars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_whole(1, 16)(each) for each in value)


def _interval(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Interval.parse(value)
    except PitchError:
        return False
    return True


def _one_of_grounds(value: Any) -> bool:
    return isinstance(value, str) and value in ("", *catalogue()["ground"])


@cache
def _rhythm_names() -> tuple[str, ...]:
    return tuple(catalogue()["rhythm"])


def _rhythms(value: Any) -> bool:
    return _texts(value) and set(value) <= set(_rhythm_names())


def _tables(most: int) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and 1 <= len(value) <= most and all(map(_table, value))
    )


def _table(value: Any) -> bool:
    return isinstance(value, dict)


TEXT = {"type": "string", "maxLength": LONGEST_TEXT}
BOOLEAN = _field(lambda value: isinstance(value, bool), "true or false", {"type": "boolean"})
IDENTITY = {"type": "string", "pattern": f"^{ID.pattern}$"}
TEXTS = {"type": "array", "items": TEXT}


def _choice(names: Callable[[], tuple[str, ...]]) -> Callable[[], Mapping[str, Any]]:
    return lambda: {"type": "array", "items": {"enum": list(names())}}


def _key_schema() -> Mapping[str, Any]:
    romans = {"type": "array", "minItems": 1, "items": {"pattern": "^[b#]*[IViv]+$"}}
    modes = dict.fromkeys(MODES, romans)
    return {"type": "object", "properties": modes, "additionalProperties": False}


KEY_WORDS = '{ major = ["I"], minor = ["i"] } with Roman numerals'
TEXTURE = _field(
    _one_of(FORM_TEXTURES), f"one of {', '.join(FORM_TEXTURES)}", {"enum": list(FORM_TEXTURES)}
)
LOUDNESS = _field(_one_of(DYNAMICS), f"one of {', '.join(DYNAMICS)}", {"enum": list(DYNAMICS)})
TEMPO = _field(
    _number(20, 300), "20 to 300 a minute", {"type": "number", "minimum": 20, "maximum": 300}
)

IMITATION = "imitation"  # the technique that is not written yet
TECHNIQUES: Mapping[str, str] = {  # what a form is, other than a tune above chords, by name
    IMITATION: "entries in several keys and episodes between them",
    "canon": "a follower copies its leader at an interval",
    "round": "voices sing the same lines, one after another",
    "fugue": "an exposition: voices enter in turn with subject and answer",
    "ground": "variations over a bass that returns unchanged",
}

FORM_FIELDS: Mapping[str, Field] = {
    "id": _field(_matches(ID), "letters, digits and hyphens", IDENTITY, needed=True),
    "name": _field(_name, f"a text of at most {LONGEST_TEXT} letters", TEXT, needed=True),
    "description": _field(_text, "a text", TEXT, needed=True),
    "extends": _field(
        _name, "the name of a form, or of a .toml file in the same folder", TEXT, default=""
    ),
    "omit": _field(_texts, "a list of ids of sections", TEXTS, default=[]),
    "texture": _field(TEXTURE.check, TEXTURE.allowed, TEXTURE.schema, needed=True),
    "metres": _field(
        _metres, 'a list of known metres such as ["4/4"]', _choice(metre_names), needed=True
    ),
    "mode": _field(_one_of(MODES), "major or minor", {"enum": list(MODES)}, default=""),
    "upbeat": _field(
        _whole(0, 11), "beats, a whole number from 0 to 11", {"type": "integer"}, needed=True
    ),
    "tempo": _field(TEMPO.check, TEMPO.allowed, TEMPO.schema, needed=True),
    "dynamics": _field(LOUDNESS.check, LOUDNESS.allowed, LOUDNESS.schema, default="mf"),
    "fermatas": _field(BOOLEAN.check, BOOLEAN.allowed, BOOLEAN.schema, needed=True),
    "technique": _field(
        _one_of(tuple(TECHNIQUES)),
        f"one of {', '.join(TECHNIQUES)}",
        {"enum": list(TECHNIQUES)},
        default="",
    ),
    "interval": _field(
        _interval,
        "an interval from leader to follower such as -P8 or P5",
        {"type": "string"},
        default="-P8",
    ),
    "strict": _field(BOOLEAN.check, BOOLEAN.allowed, BOOLEAN.schema, default=False),
    "rhythms": _field(
        _rhythms,
        "a list of rhythms of the knowledge base such as ['minuet-running']",
        _choice(_rhythm_names),
        default=[],
    ),
    "ground": _field(_one_of_grounds, "the name of a stored ground", TEXT, default=""),
    "sources": _field(_some, "a list of source keys", TEXTS, needed=True),
    "parameter": _field(
        lambda value: _table(value) and len(value) <= MOST_PARAMETERS,
        f"at most {MOST_PARAMETERS} tables [parameter.NAME]",
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/parameter"}},
        default={},
    ),
    "section": _field(
        _tables(MOST_SECTIONS),
        f"1 to {MOST_SECTIONS} tables [[section]]",
        {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/section"}},
        needed=True,
    ),
}

SECTION_FIELDS: Mapping[str, Field] = {
    "id": FORM_FIELDS["id"],
    "name": FORM_FIELDS["name"],
    "bars": _field(
        _whole(1, MAX_BARS),
        f"a whole number from 1 to {MAX_BARS}",
        {"type": "integer"},
        needed=True,
    ),
    "phrases": _field(
        _bars, "a list of bars, 1 to 16 each, such as [4, 4]", {"type": "array"}, default=[]
    ),
    "inner": _field(
        _closes,
        "a list of cadence kinds, or ['none'], with which its inner phrases close",
        _choice(lambda: (*sorted(_kinds()), NO_CADENCE)),
        default=[],
    ),
    "hold": _field(
        _whole(1, HOLD), f"beats, a whole number from 1 to {HOLD}", {"type": "integer"}, default=0
    ),
    "theme": _field(
        _matches(THEME), "a letter, and more letters, digits or primes after it", TEXT, needed=True
    ),
    "relation": _field(
        _related,
        "a list of thematic relations such as ['return']",
        _choice(_relations),
        default=[],
    ),
    "returns": _field(
        _whole(0, 64), "beats, a whole number from 0 to 64", {"type": "integer"}, default=0
    ),
    "from": _field(_keys, KEY_WORDS, _key_schema, default={}),
    "key": _field(_keys, KEY_WORDS, _key_schema, needed=True),
    "close": _field(
        _closes,
        "a list of cadence kinds, or ['none']",
        _choice(lambda: (*sorted(_kinds()), NO_CADENCE)),
        needed=True,
    ),
    "harmony": _field(
        lambda value: (
            _table(value) and set(value) <= set(MODES) and all(map(_name, value.values()))
        ),
        '{ major = "I vi IV V" }: a chord a bar, or `*2` for two, over and over',
        {"type": "object"},
        default={},
    ),
    "texture": _field(TEXTURE.check, TEXTURE.allowed, TEXTURE.schema, default=""),
    "dynamics": _field(LOUDNESS.check, LOUDNESS.allowed, LOUDNESS.schema, default=""),
    "tempo": _field(TEMPO.check, TEMPO.allowed, TEMPO.schema, default=0),
    "chords": _field(_whole(1, 4), "chords a bar, from 1 to 4", {"type": "integer"}, default=0),
    "repeat": _field(
        _matches(THEME), "a name; sections of one name are played twice", TEXT, default=""
    ),
    "ending": _field(
        _whole(1, 2),
        "1 for the first ending of what is repeated, 2 for the second",
        {"enum": [1, 2]},
        default=0,
    ),
    "words": _field(_text, "a text", TEXT, default=""),
    "when": _field(_name, "the name of a parameter that is true or false", TEXT, default=""),
}

PARAMETER_FIELDS: Mapping[str, Field] = {
    "default": _field(
        lambda value: isinstance(value, bool | int | float | str), "a value", {}, needed=True
    ),
    "allowed": _field(
        lambda value: isinstance(value, list) and bool(value), "a list of values", {"type": "array"},
        default=[],
    ),
    "text": _field(_name, "a text that says what it does", TEXT, needed=True),
}  # fmt: skip


def _object(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {**each.schema(), "description": each.allowed} for name, each in fields.items()
        },
        "required": [name for name, each in fields.items() if each.needed],
        "additionalProperties": False,
    }


def form_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a template, for editors that check TOML as it is typed.

    A field of a section may also be a table with a value for each metre, or `"$name"` for the
    value of a parameter; what extends a form needs only what differs.
    """
    section = _object(SECTION_FIELDS)
    given = {"type": "string", "pattern": r"^\$", "description": "the value of a parameter"}
    by_metre = {"type": "object", "propertyNames": {"enum": list(metre_names())}}
    section["properties"] = {
        name: {"anyOf": [each, by_metre, given], "description": each["description"]}
        for name, each in section["properties"].items()
    }
    section["required"] = ["id"]
    form = _object(FORM_FIELDS)
    needed = form.pop("required")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "musegen form template",
        **form,
        "anyOf": [{"required": ["id", "extends"]}, {"required": needed}],
        "$defs": {"section": section, "parameter": _object(PARAMETER_FIELDS)},
    }
