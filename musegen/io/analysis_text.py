"""An analysis as lines of text, as plain values for JSON, and as RomanText."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from musegen.analysis.places import bar_and_beat, place_text
from musegen.analysis.result import Analysis, FoundChord
from musegen.io.musicxml import numeral_text
from theory_kb.chords import figures, read_chord
from theory_kb.pitch import Key

__all__ = ["NOTATIONS", "analysis_lines", "analysis_record", "romantext"]


def _functional(each: FoundChord) -> str:
    """Function with figures: `D65`, `(D7)S` for an applied dominant of the subdominant."""
    chord = read_chord(each.key.mode, each.numeral)
    sign = "D64" if chord.cadential else chord.function + figures(chord)
    if chord.applied_to is None:
        return sign
    return f"({sign}){chord.applied_to}"


NOTATIONS: Mapping[str, Callable[[FoundChord], str]] = {
    "roman": lambda each: numeral_text(each.numeral),
    "function": _functional,
    "lead": lambda each: each.symbol,
}


def analysis_lines(analysis: Analysis, *, notation: str = "roman") -> Iterator[str]:
    """The analysis as text: keys, chords bar by bar, cadences, non-chord tones, other readings."""
    score = analysis.score
    yield f"{score.title}: {analysis.home}, {score.metre}, {len(score.parts)} parts"
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
    yield "non-chord tones"
    for tone in analysis.tones:
        yield f"  {place_text(score, tone.onset):18} {tone.part}: {tone.pitch} {tone.name}"
    yield from _reading_lines(analysis)


def _cadence_lines(analysis: Analysis) -> Iterator[str]:
    yield "phrases and cadences"
    ends = iter(analysis.phrases)
    for cadence in analysis.cadences:
        phrase = next(ends, None)
        why = f" ({phrase.reason})" if phrase else ""
        more = "".join(f", {name}" for name in cadence.modifiers)
        where = place_text(analysis.score, cadence.onset)
        yield f"  {where:18} {cadence.name} in {cadence.key}{more}{why}"
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


# --- plain values ---------------------------------------------------------------------------


def analysis_record(analysis: Analysis) -> dict[str, Any]:
    """The analysis as values that JSON can hold; times in quarter notes, as text."""
    score = analysis.score

    def at(onset: Fraction) -> dict[str, Any]:
        bar, beat = bar_and_beat(score, onset)
        return {"onset": str(onset), "bar": bar, "beat": round(float(beat), 6)}

    return {
        "title": score.title,
        "key": analysis.home.name,
        "confidence": round(analysis.confidence, 4),
        "remarks": list(analysis.remarks),
        "keys": [
            {
                **at(each.onset),
                "duration": str(each.duration),
                "key": each.key.name,
                "probability": round(each.probability, 4),
                "pivot": list(each.pivot) if each.pivot else None,
                "reached": each.reached,
            }
            for each in analysis.keys
        ],
        "chords": [
            {
                **at(each.onset),
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
                "others": [
                    {
                        "key": other.key.name,
                        "numeral": other.numeral,
                        "probability": round(other.probability, 4),
                    }
                    for other in each.others
                ],
                "reason": each.reason,
            }
            for each in analysis.chords
        ],
        "cadences": [
            {
                **at(each.onset),
                "key": each.key.name,
                "kind": each.kind,
                "name": each.name,
                "modifiers": list(each.modifiers),
                "clauses": {clause.text: clause.holds for clause in each.clauses},
            }
            for each in analysis.cadences
        ],
        "phrases": [
            {**at(each.onset), "end": str(each.end), "reason": each.reason}
            for each in analysis.phrases
        ],
        "tones": [
            {**at(each.onset), "part": each.part, "pitch": each.pitch, "kind": each.kind}
            for each in analysis.tones
        ],
        "readings": [
            {
                "log_odds": round(each.score, 4),
                "changes": [
                    {**at(onset), "key": key.name, "numeral": numeral}
                    for onset, key, numeral in each.changes
                ],
            }
            for each in analysis.readings
        ],
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
