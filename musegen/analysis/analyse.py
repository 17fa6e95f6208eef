"""The analysis of a score: `analyse(score)` says what its harmony is, how sure that is, and why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from musegen.analysis.decoding import Segment
from musegen.analysis.figures import chord_symbol, figure_of_chord
from musegen.analysis.form import form_sketch
from musegen.analysis.grouping import divided
from musegen.analysis.harmony import Decoded, decode, shipped
from musegen.analysis.inference import best_readings, posterior
from musegen.analysis.key import estimate_key
from musegen.analysis.label import phrase_ends
from musegen.analysis.parameters import Parameters
from musegen.analysis.phrases import phrases_of
from musegen.analysis.result import (
    Analysis,
    CadenceClause,
    ChordReading,
    FoundCadence,
    FoundChord,
    FoundTone,
    KeySpan,
    Phrase,
    WholeReading,
)
from musegen.analysis.surface import SILENT
from musegen.errors import ScoreError
from musegen.score import Cadence, ChordLabel, Part, Score
from musegen.slices import piece
from theory_kb.cadences import cadence_name
from theory_kb.catalogue import catalogue
from theory_kb.chords import Chord, every_chord, read_chord, spell
from theory_kb.moment import MAX_VOICES, TICKS
from theory_kb.pitch import Key
from theory_kb.rules.dissonance import non_chord_tones
from theory_kb.rules.phrase import cadence_modifiers, cadences
from theory_kb.rules.piece import Piece

__all__ = ["Heard", "analyse", "hear"]

FloatArray = NDArray[np.float64]

LEAST = 0.02  # probability from which another reading is told
MOST = 3  # other readings that are told
PRESENT = 0.1  # beats from which a tone is said to sound
ACCENTED_PASSING = {"nct-accented-passing": "accented passing tone"}


@dataclass(frozen=True, slots=True)
class Heard:
    """A score as the model hears it: the best reading and the probability of every other."""

    score: Score  # with phrase ends, in the home key, without the parts that have no notes
    phrases: tuple[Phrase, ...]
    found: Decoded
    chances: FloatArray  # (n, S) probability of each state in each span


def hear(score: Score, *, key: Key | None = None, parameters: Parameters | None = None) -> Heard:
    """Decode a score; arguments and errors as `analyse`."""
    if not any(part.notes for part in score.parts):
        raise ScoreError(score.title or "the score", "it has no notes; there is nothing to analyse")
    bare = replace(
        score,
        parts=tuple(part for part in score.parts if part.notes),
        chords=(),
        cadences=(),
    )
    known = parameters or shipped()
    phrases = phrases_of(bare)
    marked = replace(bare, phrase_ends=tuple(each.end for each in phrases))
    found = _best_home(marked, (key,) if key else _homes(marked), known)
    marked = replace(marked, key=found.space.home)
    return Heard(marked, phrases, found, posterior(found.tables, known.temperature))


def analyse(
    score: Score,
    *,
    key: Key | None = None,
    readings: int = 3,
    parameters: Parameters | None = None,
    heard: Heard | None = None,
) -> Analysis:
    """Analyse a score: keys, chords, non-chord tones, cadences, phrases, form.

    Args:
        score: any number of parts, in any metre; marked phrase ends are believed.
        key: home key, if it is known; else it is estimated.
        readings: how many readings of the whole piece to rank.
        parameters: of the model, if not those that come with the program.
        heard: the score as `hear` decoded it with these, if it is there already.

    Raises:
        ScoreError: the score has no notes.
    """
    known = parameters or shipped()
    heard = heard or hear(score, key=key, parameters=known)
    found = heard.found
    chords = tuple(_chord(found, heard.chances, segment) for segment in _joined(found))
    written = _written(heard, chords, marked=_is_marked(score))
    return Analysis(
        written.score,
        score.key,
        found.space.home,
        chords,
        _keys(chords),
        _tones(written.seen, written.score),
        written.ends,
        written.phrases,
        form_sketch(written.score, written.seen, written.phrases, written.ends),
        _readings(found, readings, known.temperature),
        (*written.remarks, *_remarks(written.score, found, chords)),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """A score with its chords, phrases and cadences written in, and as the rules see it."""

    score: Score
    seen: Piece
    phrases: tuple[Phrase, ...]
    ends: tuple[FoundCadence, ...]
    remarks: tuple[str, ...]


def _written(heard: Heard, chords: Sequence[FoundChord], *, marked: bool) -> _Written:
    """Write the chords in, divide phrases that are too long, name the cadences."""
    phrases = heard.phrases
    labelled = replace(heard.score, chords=tuple(_label(each) for each in chords))
    seen, remarks = _seen(labelled)
    parted = divided(labelled, seen, phrases, marked=marked)
    if len(parted) > len(phrases):
        phrases = parted
        labelled = replace(labelled, phrase_ends=tuple(each.end for each in phrases))
        seen, _ = _seen(labelled)
    ends = _cadences(seen, labelled)
    named = tuple(Cadence(each.onset, each.kind or "other", each.key) for each in ends)
    return _Written(replace(labelled, cadences=named), seen, phrases, ends, remarks)


def _is_marked(score: Score) -> bool:
    """Whether a phrase end inside the piece is marked, by a sign or a fermata."""
    ends = {*score.phrase_ends, *phrase_ends(score)}
    return any(end < score.duration for end in ends)


# --- home -----------------------------------------------------------------------------------


def _homes(score: Score) -> tuple[Key, ...]:
    """The estimated key; where its signature is not the written one, that one's keys beside it."""
    estimated = estimate_key(score.parts, score.key.signature)
    if estimated.signature == score.key.signature:
        return (estimated,)
    return tuple(dict.fromkeys((estimated, score.key, score.key.relative)))


def _best_home(score: Score, homes: Sequence[Key], known: Parameters) -> Decoded:
    """The reading of the home under which the whole piece reads best."""
    found = [decode(replace(score, key=home), parameters=known) for home in homes]
    return max(found, key=lambda each: each.score)


# --- chords ---------------------------------------------------------------------------------


def _joined(found: Decoded) -> list[Segment]:
    """The segments of the best path as they sound; what repeats the chord before goes on with it."""
    boundary = found.surface.boundary
    joined: list[Segment] = []
    for segment in _sounding(found):
        last = joined[-1] if joined else None
        same = last is not None and last.state == segment.state
        if last is not None and same and not boundary[last.end : segment.start + 1].any():
            joined[-1] = replace(last, end=segment.end)
        else:
            joined.append(segment)
    return joined


def _sounding(found: Decoded) -> Iterator[Segment]:
    """The segments of the best path, each from where something sounds in it."""
    for segment in found.path:
        heard = np.flatnonzero(found.surface.lowest[segment.start : segment.end] != SILENT)
        if len(heard):
            yield replace(segment, start=segment.start + int(heard[0]))


def _chord(found: Decoded, chances: FloatArray, segment: Segment) -> FoundChord:
    states, times = found.space, found.surface.times
    chord = states.chords[states.chord[segment.state]]
    key = states.keys[states.key[segment.state]]
    beats = found.surface.beats[segment.start : segment.end]
    mean = beats @ chances[segment.start : segment.end] / beats.sum()
    in_key = mean[states.key == states.key[segment.state]].sum()
    return FoundChord(
        times[segment.start],
        times[segment.end] - times[segment.start],
        key,
        chord.symbol,
        figure_of_chord(chord),
        key.tonic.transposed(chord.root).name,
        chord.quality,
        chord.function,
        chord_symbol(chord, key),
        float(mean[segment.state]),
        float(in_key),
        _others(found, mean, segment.state),
        _reason(found, segment, chord, key),
    )


def _others(found: Decoded, mean: FloatArray, state: int) -> tuple[ChordReading, ...]:
    states = found.space
    likely = np.flatnonzero(mean >= LEAST)
    ranked = likely[np.argsort(-mean[likely], kind="stable")][: MOST + 1].tolist()
    return tuple(
        ChordReading(
            states.keys[states.key[each]],
            states.chords[states.chord[each]].symbol,
            float(mean[each]),
        )
        for each in [each for each in ranked if each != state][:MOST]
    )


MEMBERS = ("root", "third", "fifth", "seventh")


def _reason(found: Decoded, segment: Segment, chord: Chord, key: Key) -> str:
    """What sounds of the chord, what is missing, what else sounds."""
    weights = found.surface.weights[segment.start : segment.end].sum(axis=0)
    tones = spell(chord, key)
    columns = [tone.fifths - found.surface.origin for tone in tones]
    here = [tone.name for tone, column in zip(tones, columns, strict=True) if weights[column] > 0]
    missing = [
        name for name, column in zip(MEMBERS, columns, strict=False) if weights[column] < PRESENT
    ]
    foreign = [
        key.tonic.transposed(int(column) + found.surface.origin - key.tonic.fifths).name
        for column in np.flatnonzero(weights >= PRESENT)
        if column not in columns
    ]
    parts = [f"{' '.join(here) or 'nothing of it'} sound{'s' * (len(here) == 1)}"]
    if missing:
        parts.append(f"without {' and '.join(missing)}")
    if foreign:
        parts.append(f"{' '.join(foreign)} foreign to it")
    return ", ".join(parts)


def _label(each: FoundChord) -> ChordLabel:
    return ChordLabel(each.onset, each.duration, each.key, each.numeral)


# --- keys -----------------------------------------------------------------------------------


def _keys(chords: Sequence[FoundChord]) -> tuple[KeySpan, ...]:
    spans: list[KeySpan] = []
    groups: list[list[FoundChord]] = []
    for chord in chords:
        if groups and groups[-1][-1].key == chord.key:
            groups[-1].append(chord)
        else:
            groups.append([chord])
    for before, group in zip([None, *groups], groups, strict=False):
        onset, last = group[0].onset, group[-1]
        total = sum(each.duration for each in group)
        sure = sum(each.key_probability * float(each.duration / total) for each in group)
        pivot, reached = _pivot(before[-1] if before else None, group[0])
        spans.append(
            KeySpan(onset, last.onset + last.duration - onset, group[0].key, sure, pivot, reached)
        )
    return tuple(spans)


def _pivot(before: FoundChord | None, after: FoundChord) -> tuple[tuple[str, str] | None, str]:
    """The common chord of a modulation: the last of the old key, or the first of the new."""
    if before is None:
        return None, "the piece begins in it"
    there = reading_in(before.key, before.numeral, after.key)
    if there is not None:
        text = f"{before.numeral} of {before.key} is {there.symbol} of {after.key}"
        return (before.numeral, there.symbol), text
    here = reading_in(after.key, after.numeral, before.key)
    if here is not None:
        text = f"{here.symbol} of {before.key} is {after.numeral} of {after.key}"
        return (here.symbol, after.numeral), text
    return None, f"directly, without a chord of both keys, at {after.numeral} of {after.key}"


def reading_in(key: Key, numeral: str, other: Key) -> Chord | None:
    """The plainest chord of another key that sounds as this one, spelling and bass included."""
    chord = read_chord(key.mode, numeral)
    shift = key.tonic.fifths - other.tonic.fifths
    members = tuple(member + shift for member in chord.members)
    same = [
        each
        for each in every_chord()
        if each.mode == other.mode
        and each.members == members
        and each.inversion == chord.inversion
        and not each.cadential
    ]
    return min(
        same, key=lambda each: ("common", "occasional", "rare").index(each.use), default=None
    )


# --- tones and cadences ---------------------------------------------------------------------


def _seen(score: Score) -> tuple[Piece, tuple[str, ...]]:
    """The score as the rules see it; of too many parts the outer and the busiest."""
    if len(score.parts) <= MAX_VOICES:
        return piece(score), ()
    inner = sorted(score.parts[1:-1], key=lambda part: -len(part.notes))[: MAX_VOICES - 2]
    kept = tuple(part for part in score.parts if part in (score.parts[0], score.parts[-1], *inner))[
        :MAX_VOICES
    ]
    remark = (
        f"{len(score.parts)} parts: non-chord tones and cadences are told of the outer parts and "
        f"the {len(kept) - 2} busiest inner ones"
    )
    return piece(replace(score, parts=kept)), (remark,)


def _tones(seen: Piece, score: Score) -> tuple[FoundTone, ...]:
    names = {each.id: str(each["name"]) for each in catalogue()["non-chord-tone"].values()}
    parts = {part.name: part for part in score.parts}
    found = []
    for tone in non_chord_tones(seen):
        onset = Fraction(int(seen.surface["onset"][tone.moment]), TICKS)
        part = parts[seen.voices[tone.voice]]
        name = names.get(tone.kind) or ACCENTED_PASSING.get(tone.kind, tone.kind)
        found.append(FoundTone(onset, part.name, _pitch_at(part, onset), tone.kind, name))
    return tuple(sorted(found, key=lambda each: each.onset))


def _pitch_at(part: Part, onset: Fraction) -> str:
    place = bisect_right(part.notes, onset, key=lambda note: note.onset) - 1
    return part.notes[place].pitch.name


def _cadences(seen: Piece, score: Score) -> tuple[FoundCadence, ...]:
    assert seen.harmonic is not None, "the score has been labelled"
    found = []
    for each in cadences(seen):
        label = score.chords[each.place]
        before = score.chords[each.place - 1] if each.place > each.start else None
        found.append(
            FoundCadence(
                label.onset,
                label.key,
                each.kind,
                cadence_name(each.kind) if each.kind else "no cadence",
                tuple(cadence_name(name) for name in cadence_modifiers(seen, each)),
                _clauses(before, label, _soprano(score, label)),
            )
        )
    return tuple(found)


def _soprano(score: Score, label: ChordLabel) -> int | None:
    place = bisect_right(score.parts[0].notes, label.onset, key=lambda note: note.onset) - 1
    if place < 0 or score.parts[0].notes[place].end <= label.onset:
        return None
    return (score.parts[0].notes[place].pitch.step - label.key.tonic.letter) % 7 + 1


def _clauses(
    before: ChordLabel | None, close: ChordLabel, soprano: int | None
) -> tuple[CadenceClause, ...]:
    """The conditions of a perfect close, and the turns that make it another kind."""
    last = read_chord(close.key.mode, close.numeral)
    first = reading_in(before.key, before.numeral, close.key) if before else None
    dominant = first is not None and first.function == "D" and first.leading == 5
    told = (
        ("the chord before is a dominant with the leading tone", dominant),
        ("it stands in root position", first is not None and first.inversion == 0),
        ("the last chord is the tonic", last.root == 0 and not last.cadential),
        ("the last chord is the dominant triad", last.symbol == "V"),
        ("the last chord stands in root position", last.inversion == 0),
        ("the highest part ends on the tonic", soprano == 1),
    )
    return tuple(CadenceClause(text, holds) for text, holds in told)


# --- readings and remarks -------------------------------------------------------------------


def _readings(found: Decoded, count: int, temperature: float) -> tuple[WholeReading, ...]:
    ranked = best_readings(found.tables, found.forward, count)
    best = set(ranked[0].path)
    labels = [
        tuple(found.label(segment) for segment in each.path if segment not in best)
        for each in ranked
    ]
    return tuple(
        WholeReading(
            (each.score - ranked[0].score) / temperature,
            tuple((label.onset, label.key, label.numeral) for label in changed),
        )
        for each, changed in zip(ranked, labels, strict=True)
    )


UNSURE = 0.5  # mean probability under which an analysis is said to be doubtful
FOREIGN = 0.25  # share of tones foreign to their chords above which it is too: Bach has 0.1


def _remarks(score: Score, found: Decoded, chords: Sequence[FoundChord]) -> tuple[str, ...]:
    remarks = []
    if len(score.parts) == 1:
        remarks.append("one part alone: its chords are those that it implies")
    total = sum(each.duration for each in chords)
    sure = sum(each.probability * float(each.duration / total) for each in chords)
    if sure < UNSURE:
        remarks.append(
            f"no reading is likely (mean probability {sure:.2f}): this may be no tonal harmony"
        )
    foreign = _foreign_share(found)
    if foreign > FOREIGN:
        remarks.append(
            f"{foreign:.0%} of what sounds is foreign to the chords: this may be no tonal harmony"
        )
    return tuple(remarks)


def _foreign_share(found: Decoded) -> float:
    """Share of the sounding time of all tones that is outside the chords of the best path."""
    weights, states = found.surface.weights, found.space
    inside = sum(
        float(weights[each.start : each.end].sum(axis=0) @ states.members[states.group[each.state]])
        for each in found.path
    )
    return 1 - inside / float(weights.sum())
