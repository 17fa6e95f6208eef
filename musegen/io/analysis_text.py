"""An analysis as lines of text, as plain values for JSON, and as RomanText."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from musegen.analysis.figures import functional_symbol
from musegen.analysis.places import bar_and_beat, place_text
from musegen.analysis.result import Analysis, ChordReading, FormSketch, FoundChord, PhraseForm
from musegen.io.numerals import numeral_text
from theory_kb.chords import read_chord
from theory_kb.pitch import Key
from theory_kb.rules.material import SAME
from theory_kb.rules.relation import Relation

__all__ = [
    "NOTATIONS",
    "analysis_lines",
    "analysis_record",
    "bars_text",
    "phrase_text",
    "relation_text",
    "romantext",
]


def _functional(each: FoundChord) -> str:
    return functional_symbol(read_chord(each.key.mode, each.numeral))


NOTATIONS: Mapping[str, Callable[[FoundChord], str]] = {
    "roman": lambda each: numeral_text(each.numeral),
    "function": _functional,
    "lead": lambda each: each.symbol,
}


def analysis_lines(analysis: Analysis, *, notation: str = "roman") -> Iterator[str]:
    """The analysis as text: keys, chords bar by bar, cadences, non-chord tones, other readings."""
    score = analysis.score
    parts = f"{len(score.parts)} part{'s' * (len(score.parts) != 1)}"
    yield f"{score.title}: {analysis.home}, {score.metre}, {parts}"
    yield f"  mean probability of the chords {analysis.confidence:.2f}"
    for remark in analysis.remarks:
        yield f"  note: {remark}"
    yield "keys"
    for key in analysis.keys:
        where = place_text(score, key.onset)
        yield f"  {where:18} {key.key!s:10} {key.probability:.2f}  {key.reached}"
    yield "chords"
    write = NOTATIONS[notation]
    last: Key | None = None
    for chord in analysis.chords:
        name = f"{chord.key}:" if chord.key != last else ""
        last = chord.key
        others = ", ".join(
            f"{numeral_text(each.numeral)} of {each.key} {each.probability:.2f}"
            for each in chord.others
        )
        where = place_text(score, chord.onset)
        line = f"  {where:18} {name:10} {write(chord):10} {chord.probability:.2f}  {chord.reason}"
        yield line + (f"; or {others}" if others else "")
    yield from _cadence_lines(analysis)
    yield from _form_lines(analysis.form)
    yield "non-chord tones"
    for tone in analysis.tones:
        yield f"  {place_text(score, tone.onset):18} {tone.part}: {tone.pitch} {tone.name}"
    yield from _reading_lines(analysis)


def _cadence_lines(analysis: Analysis) -> Iterator[str]:
    yield "phrases and cadences"
    starts = [phrase.onset for phrase in analysis.phrases]
    for cadence in analysis.cadences:
        phrase = analysis.phrases[bisect_right(starts, cadence.onset) - 1]
        more = "".join(f", {name}" for name in cadence.modifiers)
        where = place_text(analysis.score, cadence.onset)
        yield f"  {where:18} {cadence.name} in {cadence.key}{more} ({phrase.reason})"
        held = "; ".join(each.text for each in cadence.clauses if each.holds)
        failed = "; ".join(each.text for each in cadence.clauses if not each.holds)
        yield f"    holds: {held or 'nothing'}"
        if failed:
            yield f"    fails: {failed}"


def _reading_lines(analysis: Analysis) -> Iterator[str]:
    yield "next best readings"
    for number, reading in enumerate(analysis.readings[1:], 2):
        changes = ", ".join(
            f"{place_text(analysis.score, onset)} {numeral_text(numeral)} of {key}"
            for onset, key, numeral in reading.changes[:6]
        )
        yield f"  {number}. log odds {reading.score:.2f}: {changes or 'another split of the same chords'}"


# --- form -----------------------------------------------------------------------------------

VERBS = {
    "repeat": "repeats",
    "vary": "varies",
    "sequence": "moves",
    "invert": "turns upside down",
    "retrograde": "plays backwards",
    "augment": "augments",
    "diminish": "diminishes",
}
SIZES = ("unison", "second", "third", "fourth", "fifth", "sixth", "seventh", "octave")


def relation_text(relation: Relation, model: str) -> str:
    """A thematic relation in words: `moves bar 1 up a second, in the scale (100%)`."""
    moved = ""
    if relation.kind == "sequence":
        octaves, steps = divmod(abs(relation.steps), 7)
        size = f"a{'n' * (steps == 7)} {SIZES[steps]}" + " and an octave" * bool(octaves)
        way = "up" if relation.steps > 0 else "down"
        exact = "exactly" if relation.interval is not None else "in the scale"
        moved = f" {way} {size}, {exact}"
    rhythm = "" if relation.rhythm >= SAME else ", in another rhythm"
    return f"{VERBS[relation.kind]} {model}{moved} ({relation.share:.0%}){rhythm}"


def bars_text(bars: tuple[int, int]) -> str:
    """Bars from first to last."""
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]}-{bars[1]}"


def phrase_text(form: FormSketch, each: PhraseForm) -> str:
    """What a phrase is made of."""
    if each.relation is None or each.model is None:
        return "new"
    model = form.phrases[each.model]
    return relation_text(each.relation, f"{model.letter} of {bars_text(model.bars)}")


def _form_lines(form: FormSketch) -> Iterator[str]:
    yield f"form: {form.letters}"
    for name, why in form.forms:
        yield f"  {name} ({why})"
    for each in form.phrases:
        yield f"  {bars_text(each.bars):12} {each.letter:4} {phrase_text(form, each)}"
    for run in form.bars:
        yield f"  {bars_text(run.bars):12} {relation_text(run.relation, bars_text(run.model))}"


# --- plain values ---------------------------------------------------------------------------

Record = dict[str, Any]


def analysis_record(analysis: Analysis) -> Record:
    """The analysis as values that JSON can hold; times in quarter notes, as text."""
    return {
        "title": analysis.score.title,
        "key": analysis.home.name,
        "confidence": round(analysis.confidence, 4),
        "remarks": list(analysis.remarks),
        **{name: values(analysis) for name, values in RECORDS.items()},
    }


def _at(analysis: Analysis, onset: Fraction) -> Record:
    bar, beat = bar_and_beat(analysis.score, onset)
    return {"onset": str(onset), "bar": bar, "beat": round(float(beat), 6)}


def _key_records(analysis: Analysis) -> list[Record]:
    return [
        {
            **_at(analysis, each.onset),
            "duration": str(each.duration),
            "key": each.key.name,
            "probability": round(each.probability, 4),
            "pivot": list(each.pivot) if each.pivot else None,
            "reached": each.reached,
        }
        for each in analysis.keys
    ]


def _chord_records(analysis: Analysis) -> list[Record]:
    return [
        {
            **_at(analysis, each.onset),
            "duration": str(each.duration),
            "key": each.key.name,
            "numeral": each.numeral,
            "figure": each.figure,
            "root": each.root,
            "quality": each.quality,
            "function": each.function,
            "functional": _functional(each),
            "symbol": each.symbol,
            "probability": round(each.probability, 4),
            "key_probability": round(each.key_probability, 4),
            "others": [_reading_record(other) for other in each.others],
            "reason": each.reason,
        }
        for each in analysis.chords
    ]


def _reading_record(each: ChordReading) -> Record:
    return {
        "key": each.key.name,
        "numeral": each.numeral,
        "probability": round(each.probability, 4),
    }


def _cadence_records(analysis: Analysis) -> list[Record]:
    return [
        {
            **_at(analysis, each.onset),
            "key": each.key.name,
            "kind": each.kind,
            "name": each.name,
            "modifiers": list(each.modifiers),
            "clauses": {clause.text: clause.holds for clause in each.clauses},
        }
        for each in analysis.cadences
    ]


def _phrase_records(analysis: Analysis) -> list[Record]:
    return [
        {**_at(analysis, each.onset), "end": str(each.end), "reason": each.reason}
        for each in analysis.phrases
    ]


def _form_record(analysis: Analysis) -> Record:
    form = analysis.form
    return {
        "letters": form.letters,
        "forms": [{"form": name, "why": why} for name, why in form.forms],
        "phrases": [
            {
                "bars": list(each.bars),
                "letter": each.letter,
                "model": each.model,
                "relation": _relation_record(each.relation),
            }
            for each in form.phrases
        ],
        "bars": [
            {
                "bars": list(each.bars),
                "model": list(each.model),
                "relation": _relation_record(each.relation),
            }
            for each in form.bars
        ],
    }


def _relation_record(each: Relation | None) -> Record | None:
    if each is None:
        return None
    return {
        "kind": each.kind,
        "share": round(each.share, 4),
        "rhythm": round(each.rhythm, 4),
        "steps": each.steps,
        "interval": str(each.interval) if each.interval else None,
    }


def _tone_records(analysis: Analysis) -> list[Record]:
    return [
        {**_at(analysis, each.onset), "part": each.part, "pitch": each.pitch, "kind": each.kind}
        for each in analysis.tones
    ]


def _whole_records(analysis: Analysis) -> list[Record]:
    return [
        {
            "log_odds": round(each.score, 4),
            "changes": [
                {**_at(analysis, onset), "key": key.name, "numeral": numeral}
                for onset, key, numeral in each.changes
            ],
        }
        for each in analysis.readings
    ]


RECORDS: Mapping[str, Callable[[Analysis], Any]] = {
    "keys": _key_records,
    "chords": _chord_records,
    "cadences": _cadence_records,
    "phrases": _phrase_records,
    "form": _form_record,
    "tones": _tone_records,
    "readings": _whole_records,
}


# --- RomanText ------------------------------------------------------------------------------


def romantext(analysis: Analysis) -> str:
    """The analysis in the format of Tymoczko and others, as music21 reads it."""
    score = analysis.score
    lines = [
        f"Composer: {' '.join(score.credit.split()) or 'unknown'}",
        f"Title: {' '.join(score.title.split()) or 'untitled'}",
        "Analyst: musegen",
        f"Time Signature: {score.metre}",
        "",
    ]
    metre, key = score.metre, None
    ends = {each.end for each in analysis.phrases}
    bars: dict[int, list[str]] = {}
    metres: dict[int, str] = {}
    for chord in analysis.chords:
        bar, beat = bar_and_beat(score, chord.onset)
        row = bars.setdefault(bar, [])
        here = score.metre_at(chord.onset)
        if (here.beats, here.unit) != (metre.beats, metre.unit):
            metre, metres[bar] = here, f"Time Signature: {here}"
        if beat != 1:
            row.append(f"b{_beat(beat)}")
        if chord.key != key:
            row.append(f"{_key(chord.key)}:")
            key = chord.key
        row.append(chord.figure)
        if chord.onset + chord.duration in ends and chord.onset + chord.duration < score.duration:
            row.append("||")
    for bar, row in bars.items():
        lines += [metres[bar]] if bar in metres else []
        lines.append(f"m{bar} {' '.join(row)}")
    return "\n".join(lines) + "\n"


def _beat(beat: Fraction) -> str:
    return f"{round(float(beat), 2):g}"


def _key(key: Key) -> str:
    name = key.tonic.name
    return name if key.mode == "major" else name[0].lower() + name[1:]
