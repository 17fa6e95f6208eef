"""The questions that can be asked, in one table: names, arguments, examples.

Light: a question's module is imported when it is asked. The arguments of `ask` are texts, as a
command line gives them, but for pieces and explanation records, which come as values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from theory_kb.errors import MusegenError, UnknownNameError

if TYPE_CHECKING:
    import theory_kb.answers

__all__ = ["QUESTIONS", "Argument", "ArgumentError", "Question", "ask", "question"]


class ArgumentError(MusegenError):
    """An argument of a question that cannot be read."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a question."""

    name: str
    help: str
    kind: str = "text"  # text, whole, number, count, piece or record
    default: str | None = None  # None: it must be given


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    name: str
    help: str
    module: str  # of theory_kb
    function: str
    arguments: tuple[Argument, ...]
    example: str  # its arguments, as they are typed


KEY = Argument("key", "Such as 'D minor'.")
PIECE = Argument("piece", "A score (.musicxml, .mxl, .mid), or an example line.", "piece")
BAR = Argument("bar", "Number of the bar; an upbeat is bar 0.", "whole")
BEAT = Argument("beat", "Beat, from 1.", "number")
VOICE = Argument("voice", "Name of the voice, as in the piece.")
STYLE = Argument("style", "Style to judge by.", default="strict")
MODE = Argument("mode", "major or minor.", default="major")
START = Argument("start", "Key to start from.")
GOAL = Argument("goal", "Key to reach.")
SYMBOL = Argument("symbol", "Such as V65/ii or Ger6.")
LINE = "'key: C major | chords: IV V I | S: C5 B4 C5 | A: A4 G4 G4 | T: F4 D4 E4 | B: F3 G3 C3 | marks: o . ef'"
HALF = "'key: C major | chords: I IV V | S: E5 F5 D5 | A: G4 A4 B4 | T: C4 C4 G4 | B: C3 F3 G3 | marks: o . ef'"
SIX = "'key: C major | chords: ii6 cad64 V | S: D5 C5 B4 | A: A4 G4 G4 | T: D4 E4 D4 | B: F3 G3 G3 | strength: 2 4 2'"
HELD = "'key: C major | chords: IV V _ I | S: C5 _ B4 C5 | A: A4 G4 _ G4 | T: F4 D4 _ E4 | B: F3 G3 _ C3'"

HARMONY, FORM = "questions_harmony", "questions_form"
RULES, SCORE, THEMES = "questions_rules", "questions_score", "questions_counterpoint"

QUESTIONS: tuple[Question, ...] = (
    Question(
        "chords-after",
        "Which chords may follow a chord in a key, and why?",
        HARMONY,
        "chords_after",
        (SYMBOL, KEY),
        "V65/ii 'D major'",
    ),
    Question(
        "modulation-path",
        "What is the shortest way from key to key through shared triads?",
        FORM,
        "modulation_path",
        (START, GOAL),
        "'C major' 'Eb major'",
    ),
    Question(
        "why-wrong",
        "Why is this note wrong?",
        SCORE,
        "why_wrong",
        (PIECE, BAR, BEAT, VOICE, STYLE),
        f"{LINE} 1 2 S",
    ),
    Question(
        "why-chosen",
        "Why did the composer choose this note?",
        SCORE,
        "why_chosen",
        (
            Argument("record", "The explanation.json of a piece.", "record"),
            Argument("note", "Id of the note, such as p0n3: part 0, note 3."),
        ),
        "explanation.json p0n3",
    ),
    Question(
        "spell",
        "How is a chord spelled in a key, and where does each note go?",
        HARMONY,
        "spell_chord",
        (SYMBOL, KEY),
        "Ger6 'F# minor'",
    ),
    Question(
        "tendency-tones",
        "Which notes of a chord tend somewhere?",
        HARMONY,
        "tendency_tones",
        (SYMBOL, KEY),
        "V43 'Bb minor'",
    ),
    Question(
        "chords-with",
        "Which chords contain these notes, and where do those go?",
        HARMONY,
        "chords_with",
        (Argument("notes", "Such as 'F B'."),),
        "'F B'",
    ),
    Question(
        "keys-of-chord",
        "In which keys is this chord diatonic, and as what?",
        HARMONY,
        "keys_of_chord",
        (Argument("notes", "Such as F-A-C."),),
        "F-A-C",
    ),
    Question(
        "pivots",
        "Which pivot chords link two keys, smoothest first?",
        FORM,
        "pivot_chords",
        (START, GOAL),
        "'A minor' 'G major'",
    ),
    Question(
        "may-seventh-rise",
        "May a chordal seventh rise?",
        HARMONY,
        "may_seventh_rise",
        (),
        "",
    ),
    Question(
        "doublings",
        "Which doublings are allowed in this chord in four voices?",
        HARMONY,
        "doublings",
        (SYMBOL, MODE),
        "viio6",
    ),
    Question(
        "cadences-for",
        "Which cadences may end this unit of form?",
        FORM,
        "cadences_for",
        (Argument("unit", "Such as consequent, antecedent or chorale/phrase-8."),),
        "consequent",
    ),
    Question(
        "cadence-why",
        "What makes this cadence imperfect: which clauses of a perfect one fail?",
        SCORE,
        "cadence_clauses",
        (PIECE, Argument("phrase", "Number of the phrase; 0 is the last.", "whole", "0")),
        LINE,
    ),
    Question(
        "six-four",
        "Is this six-four legal, or what does it lack of each type?",
        SCORE,
        "six_four_types",
        (PIECE, BAR, BEAT),
        f"{SIX} 1 2",
    ),
    Question(
        "bass-for-soprano",
        "Which basses can harmonise these two soprano degrees at a cadence?",
        FORM,
        "bass_for_soprano",
        (Argument("soprano", "Such as '4 3'."), MODE),
        "'4 3'",
    ),
    Question(
        "harmonise",
        "How can these soprano degrees be harmonised, with bass and figures?",
        FORM,
        "harmonise",
        (
            Argument("soprano", "Such as '3 2 1'."),
            MODE,
            Argument("count", "How many.", "whole", "3"),
        ),
        "'3 2 1'",
    ),
    Question(
        "schemata",
        "Which galant schemata start and end so?",
        FORM,
        "schemata_with",
        (
            Argument("soprano", "First degree of the soprano.", default=""),
            Argument("bass", "First degree of the bass.", default=""),
            Argument("end", "Last degree of the soprano.", default=""),
        ),
        "1 1 3",
    ),
    Question(
        "tonal-answer",
        "What is the answer to this fugue subject?",
        THEMES,
        "tonal_answer",
        (Argument("subject", "Such as 'D4 A4 F4 D4'."), KEY),
        "'D4 A4 F4 D4 C#4 D4' 'D minor'",
    ),
    Question(
        "canons",
        "At which intervals and delays can this theme form a canon without an error?",
        THEMES,
        "canons",
        (
            Argument("theme", "Pitches with quarter notes, such as 'C4:1 D4:2'."),
            Argument("key", "Key that the follower keeps to.", default="C major"),
            Argument("beats", "Delays to try, in quarter notes.", default="1 2 4"),
        ),
        "'C4:1 D4:1 E4:1 C4:1 E4:1 F4:1 G4:2'",
    ),
    Question(
        "style-differences",
        "Which rules differ between two styles, perhaps about one word?",
        RULES,
        "style_differences",
        (
            Argument("first", "A style."),
            Argument("second", "Another."),
            Argument("about", "Such as passing.", default=""),
        ),
        "strict bach passing",
    ),
    Question(
        "compare-tones",
        "What is the difference between two kinds of non-chord tones?",
        RULES,
        "compare_tones",
        (Argument("first", "Such as appoggiatura."), Argument("second", "Such as escape.")),
        "appoggiatura escape",
    ),
    Question(
        "forms-for",
        "Which form fits so many bars, this mode, these repeats, this middle?",
        FORM,
        "forms_for",
        (
            Argument("bars", "Bars in all, repeats not counted.", "whole"),
            MODE,
            Argument("repeats", "Repeated parts, or any.", "count", "any"),
            Argument("middle", "Key in which the middle begins, such as V.", default=""),
        ),
        "32 major 2 V",
    ),
    Question(
        "key-plan",
        "What is the normal key plan of a form, or of its exposition?",
        FORM,
        "key_plan",
        (
            Argument("form", "Such as sonata-minor."),
            Argument("part", "exposition, or how section names begin.", default=""),
        ),
        "sonata-minor exposition",
    ),
    Question(
        "features-for",
        "Which features move arousal and valence so?",
        FORM,
        "features_for",
        (
            Argument("arousal", "+, - or 0.", default="+"),
            Argument("valence", "+, - or 0.", default="0"),
        ),
        "+ 0",
    ),
    Question(
        "parameters-for",
        "Which parameters follow from an emotion, a metre and a length?",
        FORM,
        "parameters_for",
        (
            Argument("emotion", "Such as tender."),
            Argument("metre", "Such as 6/8.", default=""),
            Argument("bars", "Length in bars.", "whole", "0"),
        ),
        "tender 6/8 16",
    ),
    Question(
        "unfired-rules",
        "Which rule has never fired in Bach?",
        RULES,
        "unfired_rules",
        (),
        "",
    ),
    Question(
        "unexercised",
        "Which rules does this exercise not yet exercise?",
        SCORE,
        "unexercised_rules",
        (PIECE, STYLE),
        LINE,
    ),
    Question(
        "prepared",
        "Is this dissonance prepared?",
        SCORE,
        "is_prepared",
        (PIECE, BAR, BEAT, VOICE),
        f"{HELD} 1 2 S",
    ),
    Question(
        "outside-key",
        "Which chord symbols lie outside the key, and what explains each?",
        HARMONY,
        "outside_key",
        (Argument("symbols", "Such as 'C Fm G7 Db7 C'."), KEY),
        "'C Fm G7 Db7 C' 'C major'",
    ),
    Question(
        "rule-sources",
        "Which sources support this rule, and do they disagree?",
        RULES,
        "rule_sources",
        (Argument("name", "Id of a rule."),),
        "parallel-fifth",
    ),
    Question(
        "enharmonic",
        "Which chords, heard with another spelling, lead into this key?",
        HARMONY,
        "enharmonic_ways",
        (
            Argument("key", "Key to reach."),
            Argument("start", "Key that the chord belongs to; any if left out.", default=""),
        ),
        "'Eb major' 'C major'",
    ),
    Question(
        "complete-close",
        "What is the least change that turns this half cadence into a perfect one?",
        SCORE,
        "complete_close",
        (PIECE,),
        HALF,
    ),
    Question(
        "norms",
        "How far is this piece from Bach's norms?",
        SCORE,
        "distance_from_bach",
        (PIECE,),
        LINE,
    ),
)


def question(name: str) -> Question:
    """A question by name; raises UnknownNameError."""
    table = {each.name: each for each in QUESTIONS}
    if name not in table:
        raise UnknownNameError("question", name, table)
    return table[name]


def ask(name: str, given: Mapping[str, Any]) -> theory_kb.answers.Answer:
    """Ask a question with arguments by name; those that are left out take their defaults.

    Raises:
        UnknownNameError: no such question, or an argument that names nothing.
        ArgumentError: an argument is missing, strange, or no number where one is due.
    """
    asked = question(name)
    known = {each.name: each for each in asked.arguments}
    for strange in set(given) - set(known):
        raise UnknownNameError(f"argument of {name}", strange, known)
    values = {
        each.name: _value(each, given.get(each.name, each.default)) for each in asked.arguments
    }
    function = getattr(import_module(f"theory_kb.{asked.module}"), asked.function)
    found: theory_kb.answers.Answer = function(*values.values())
    return found


ANY = "any"
READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "whole": (int, "a whole number"),
    "number": (float, "a number"),
    "count": (lambda text: -1 if text == ANY else int(text), f"a whole number, or {ANY}"),
}


def _value(argument: Argument, value: Any) -> Any:
    if value is None:
        raise ArgumentError(f"{argument.name} is missing: {argument.help}")
    if argument.kind not in READERS:
        return value
    read, what = READERS[argument.kind]
    try:
        return read(value)
    except ValueError:
        raise ArgumentError(f"{argument.name} must be {what}, got {value!r}") from None
