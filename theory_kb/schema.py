"""What the tables of facts may hold: kinds of entries, their fields, and the edges that fields make.

This is the ontology of the graph in one place. `docs/reference/ontology.md` explains its terms, and
`theory_kb.catalogue` reads the files by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["FORMS", "KINDS", "TRIALS", "Field", "Kind"]

FORMS: Mapping[str, str] = {
    "text": "a text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "texts": "a list of texts",
    "wholes": "a list of whole numbers",
    "numbers": "a list of numbers",
    "table": "a table of lists of texts",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entry."""

    form: str = "text"  # a key of FORMS
    refers: str = ""  # kind of the entries that its values name
    edge: str = ""  # relation of the edges to what it names
    allowed: tuple[str, ...] = ()  # the only values, if there are only some
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entries: a table of a file."""

    name: str
    file: str  # without .toml
    fields: Mapping[str, Field] = field(default_factory=dict)
    listed: tuple[str, ...] = ()  # fields that make up the id, where entries stand in a list


TEXT = Field()
NOTE = Field(needed=False)
WHOLE = Field("whole")
NUMBER = Field("number")
TEXTS = Field("texts")


def _refers(kind: str, edge: str = "", *, many: bool = True, needed: bool = True) -> Field:
    return Field("texts" if many else "text", kind, edge or f"names_{kind}", (), needed)


def _one_of(*allowed: str) -> Field:
    return Field(allowed=allowed)


MODE = _one_of("major", "minor")
TRIALS = (  # what the norms are counted by; `theory_kb.questions_score` counts them in a piece
    "notes",
    "melodic moves",
    "moves of two voices",
    "moves of the outer voices",
    "moves of four voices",
    "sonorities",
    "sonorities on beats",
    "dominant chords",
    "dominant sevenths",
    "phrase ends",
    "half cadences",
)
ENDS = _refers("cadence", "ends_with")

KINDS: tuple[Kind, ...] = (
    Kind(
        "interval",
        "intervals",
        {
            "generic": WHOLE,
            "semitones": WHOLE,
            "fifths": WHOLE,
            "consonance": _one_of("perfect", "imperfect", "dissonant"),
            "melodic": _one_of("free", "careful", "avoided"),
            "note": NOTE,
        },
    ),
    Kind(
        "degree",
        "degrees",
        {
            "name": TEXT,
            "solfege": TEXT,
            "fifths": WHOLE,
            "aims": _refers("degree", "resolves_to"),
            "note": NOTE,
        },
    ),
    Kind(
        "substitute",
        "degrees",
        {
            "name": TEXT,
            "stands_for": _refers("function", "stands_for", many=False),
            "numerals": _refers("numeral", "has_example"),
        },
    ),
    Kind(
        "mark",
        "degrees",
        {"degrees": _refers("degree", "marked_by"), "text": TEXT},
    ),
    Kind(
        "figure",
        "figures",
        {"intervals": Field("wholes"), "position": TEXT, "duty": TEXT},
    ),
    Kind("sign", "figures", {"text": TEXT}),
    Kind("cadence-clauses", "closes", {"clauses": TEXTS}),
    Kind(
        "cadence-schema",
        "closes",
        {
            "kind": _refers("cadence", "makes", many=False),
            "soprano": TEXTS,
            "bass": TEXTS,
            "chords": TEXTS,
            "metre": NOTE,
            "note": NOTE,
        },
    ),
    Kind(
        "non-chord-tone",
        "non_chord_tones",
        {
            "name": TEXT,
            "approach": _one_of("step", "leap", "same", "held", "chromatic", "any"),
            "departure": _one_of("step", "leap", "same", "chromatic", "any"),
            "turns": _one_of("same way", "opposite way", "back", "up", "down", "held", "any"),
            "accent": _one_of("accented", "unaccented", "weak", "any"),
            "text": TEXT,
        },
    ),
    Kind(
        "phrase-function",
        "phrase_functions",
        {
            "place": _one_of("initiating", "medial", "closing", "framing"),
            "bars": WHOLE,
            "ends": ENDS,
            "text": TEXT,
        },
    ),
    Kind("thematic-relation", "phrase_functions", {"transform": TEXT, "keeps": TEXT}),
    Kind(
        "form",
        "form_plans",
        {
            "bars": WHOLE,
            "metres": _refers("metre", "in_metre", needed=False),
            "mode": Field(allowed=("major", "minor"), needed=False),
        },
    ),
    Kind(
        "section",
        "form_plans",
        {
            "form": _refers("form", "part_of", many=False),
            "id": TEXT,
            "bars": WHOLE,
            "key": TEXT,
            "close": TEXT,
            "ends": ENDS,
            "theme": NOTE,
            "relations": _refers("thematic-relation", "treats_by", needed=False),
            "note": NOTE,
            "repeated": Field("flag", needed=False),
        },
        ("form", "id"),
    ),
    Kind(
        "schema",
        "schemata",
        {
            "stages": TEXTS,
            "pairs": Field("flag", needed=False),
            "variants": Field("texts", needed=False),
            "slots": _refers("phrase-function", "fits_slot"),
            "note": NOTE,
        },
    ),
    Kind(
        "sequence-kind",
        "schemata",
        {
            "roots": Field("wholes"),
            "period": WHOLE,
            "outline": TEXTS,
            "bass": TEXT,
            "soprano": NOTE,
            "figures": NOTE,
            "variants": Field("texts", needed=False),
            "trap": TEXT,
        },
    ),
    Kind(
        "chromatic-resource",
        "chromatic",
        {
            "degrees": _refers("degree", "adds"),
            "numerals": _refers("numeral", "has_example"),
            "text": TEXT,
        },
    ),
    Kind("modulation", "chromatic", {"text": TEXT, "reach": TEXT}),
    Kind("confirmation", "chromatic", {"text": TEXT}),
    Kind(
        "progression",
        "common_progressions",
        {
            "mode": _one_of("major", "minor"),
            "chords": TEXTS,
            "use": TEXT,
            "device": NOTE,
        },
    ),
    Kind(
        "chord-scale",
        "common_progressions",
        {"scales": _refers("scale", "goes_with"), "avoid": TEXT},
    ),
    Kind("soprano-chords", "harmonisation", {"mode": MODE, "table": Field("table")}, ("mode",)),
    Kind("melody-measure", "harmonisation", {"value": NUMBER, "unit": TEXT, "text": TEXT}),
    Kind(
        "phrase-end",
        "harmonisation",
        {"cadences": _refers("cadence", "suggests"), "text": TEXT},
    ),
    Kind("doubling", "harmonisation", {"shares": Field("numbers"), "count": WHOLE}),
    Kind(
        "accompaniment",
        "accompaniments",
        {
            "beats": TEXTS,
            "compound": TEXTS,
            "held": Field("flag", needed=False),
            "close": Field("flag", needed=False),
            "rest": Field("texts", needed=False),
            "rest_compound": Field("texts", needed=False),
            "words": NOTE,
        },
    ),
    Kind("dynamic", "expression", {"velocity": WHOLE}),
    Kind(
        "slowing", "expression", {"bars": NUMBER, "least": NUMBER, "curve": NUMBER, "words": NOTE}
    ),
    Kind("touch", "expression", {"sounds": NUMBER, "louder": WHOLE, "text": TEXT}),
    Kind("nuance", "expression", {"velocity": NUMBER, "text": TEXT}),
    Kind(
        "manner",
        "expression",
        {
            "slur": NUMBER,
            "widest": WHOLE,
            "touch": NOTE,
            "longest": NUMBER,
            "text": TEXT,
        },
    ),
    Kind("texture", "textures", {"voices": WHOLE, "doubling": TEXT, "text": TEXT}),
    Kind("range", "textures", {"low": TEXT, "high": TEXT, "written": NOTE}),
    Kind(
        "principle",
        "textures",
        {"text": TEXT, "files": TEXTS, "role": _one_of("main", "auxiliary")},
    ),
    Kind(
        "rhythm",
        "rhythms",
        {
            "durations": TEXTS,
            "metre": _refers("metre", "in_metre", many=False),
            "role": _one_of(
                "species cell", "hymn cell", "dance cell", "accompaniment", "cadence cell"
            ),
            "note": NOTE,
        },
    ),
    Kind(
        "cantus-firmus",
        "cantus_firmi",
        {"mode": TEXT, "notes": TEXT, "author": TEXT, "note": NOTE},
    ),
    Kind("ground", "grounds", {"mode": MODE, "chords": TEXTS, "text": TEXT}),
    Kind("dimension", "emotions", {"text": TEXT}),
    Kind(
        "emotion",
        "emotions",
        {
            "valence": NUMBER,
            "arousal": NUMBER,
            "synonyms": TEXTS,
            "mode": _refers("scale", "in_mode"),
            "tempo": Field("wholes"),
            "dynamics": TEXT,
            "register": TEXT,
            "rhythm": TEXT,
            "melody": TEXT,
            "harmony": TEXT,
            "features": _refers("effect", "expressed_by"),
        },
    ),
    Kind("feature", "emotions", {"unit": TEXT, "text": TEXT}),
    Kind(
        "effect",
        "emotions",
        {
            "feature": _refers("feature", "level_of", many=False),
            "level": TEXT,
            "valence": NUMBER,
            "arousal": NUMBER,
            "emotions": _refers("emotion", "affects"),
            "strength": WHOLE,
            "agreement": NUMBER,
            "note": NOTE,
        },
    ),
    Kind("duty", "conflicts", {"rank": WHOLE, "text": TEXT, "rules": TEXTS}),
    Kind(
        "rule-conflict",
        "conflicts",
        {
            "first": TEXT,
            "second": TEXT,
            "text": TEXT,
            "gives": TEXT,
            "order": Field("table", needed=False),
        },
        ("first", "second"),
    ),
    Kind(
        "rule-implication",
        "rule_relations",
        {"first": TEXT, "second": TEXT, "text": TEXT},
        ("first", "second"),
    ),
    Kind(
        "stance",
        "rule_relations",
        {
            "rule": TEXT,
            "by": _refers("source", "held_by", many=False),
            "stance": _one_of("agrees", "relaxes", "forbids"),
            "text": TEXT,
        },
        ("rule", "by"),
    ),
    Kind(
        "norm",
        "rule_relations",
        {
            "count": WHOLE,
            "per": _one_of(*TRIALS),
            "trials": WHOLE,
            "zero": Field("number", needed=False),
        },
    ),
    Kind(
        "exception-count",
        "rule_relations",
        {"rule": TEXT, "exception": TEXT, "count": WHOLE, "text": TEXT},
        ("rule", "exception"),
    ),
    Kind("term", "terms", {"definition": TEXT, "aliases": Field("texts", needed=False)}),
)
