"""Labels of a chorale: phrase ends from fermatas, keys and chords, cadences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from musegen.analysis.harmony import label_chords
from musegen.score import Cadence, ChordLabel, Score
from musegen.slices import phrase_spans, sounding
from theory_kb.chords import Chord, every_chord, read_chord
from theory_kb.pitch import Key

__all__ = ["cadence_kind", "label", "label_with", "phrase_ends"]

AGREEING = 2  # voices with a fermata that make a phrase end where the soprano has none
OTHER = "other"


def label(score: Score) -> Score:
    """The score with phrase ends, chords and cadences; what it had of these is replaced."""
    bare = replace(score, chords=(), cadences=(), phrase_ends=phrase_ends(score))
    return label_with(bare, label_chords(bare))


def label_with(score: Score, chords: tuple[ChordLabel, ...]) -> Score:
    """The score with these chords, and the cadences that they make at its phrase ends."""
    chorded = replace(score, chords=chords, cadences=())
    return replace(chorded, cadences=_cadences(chorded))


def phrase_ends(score: Score) -> tuple[Fraction, ...]:
    """Releases of the notes under fermatas, and the end of the piece.

    The soprano's fermata decides; where it has none but two other voices have, theirs does.
    """
    ends = {note.end for note in score.parts[0].notes if note.fermata}
    spans = [(note.onset, note.end) for note in score.parts[0].notes if note.fermata]
    votes: dict[Fraction, int] = {}
    for part in score.parts[1:]:
        for note in part.notes:
            if note.fermata and not any(a < note.end and note.onset < b for a, b in spans):
                votes[note.end] = votes.get(note.end, 0) + 1
    ends |= {end for end, count in votes.items() if count >= AGREEING}
    return tuple(sorted(ends | {score.duration}))


def _cadences(score: Score) -> tuple[Cadence, ...]:
    """One cadence for each phrase: what its last two chords make."""
    cadences = []
    for start, _, arrival, end in phrase_spans(score):
        labels = [each for each in score.chords if start <= each.onset < end]
        if not labels:
            continue
        close = next((each for each in labels if each.onset == arrival), labels[-1])
        before = [each for each in labels if each.onset < close.onset]
        kind = cadence_kind(before[-1] if before else None, close, _soprano_degree(score, close))
        cadences.append(Cadence(close.onset, kind, close.key))
    return tuple(cadences)


def _soprano_degree(score: Score, close: ChordLabel) -> int | None:
    """Scale degree, by letter, on which the soprano ends the last chord's span."""
    notes = [
        note
        for note in score.parts[0].notes
        if note.onset < close.onset + close.duration and note.end > close.onset
    ]
    note = notes[-1] if notes else sounding(score.parts[0].notes, close.onset)
    if note is None:
        return None
    return (note.pitch.step - close.key.tonic.letter) % 7 + 1


def cadence_kind(before: ChordLabel | None, close: ChordLabel, soprano: int | None) -> str:
    """Id of the cadence that two chords make, `other` if they make none.

    Args:
        before: the last chord but one of the phrase; the same chord in another position is not it.
        close: the last chord.
        soprano: scale degree of the soprano there.
    """
    last = read_chord(close.key.mode, close.numeral)
    first = _in_key(before, close.key)
    for kind, test in KINDS:
        if test(first, last, soprano):
            return kind
    return OTHER


def _in_key(label: ChordLabel | None, key: Key) -> Chord | None:
    """The chord of a label, if the label is in this key or has a reading there."""
    if label is None:
        return None
    here = read_chord(label.key.mode, label.numeral)
    if label.key == key:
        return here
    shift = label.key.tonic.fifths - key.tonic.fifths
    members = tuple(member + shift for member in here.members)
    same = (
        each
        for each in every_chord()
        if each.mode == key.mode
        and each.members == members
        and each.inversion == here.inversion
        and each.cadential == here.cadential
    )
    return next(same, None)


def _tonic(each: Chord) -> bool:
    return each.numeral in ("I", "i")


def _dominant(each: Chord | None) -> bool:
    return each is not None and each.numeral in ("V", "V7")


def _authentic(first: Chord | None, last: Chord) -> bool:
    return _dominant(first) and _tonic(last) and first is not None


def _rooted(first: Chord | None, last: Chord) -> bool:
    return first is not None and first.inversion == 0 and last.inversion == 0


def _pac(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    return _authentic(first, last) and _rooted(first, last) and soprano == 1


def _iac_soprano(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    return _authentic(first, last) and _rooted(first, last)


def _iac_inverted(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    return _authentic(first, last)


def _iac_vii(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    return first is not None and first.numeral in ("viio", "viio7", "viiø7") and _tonic(last)


def _phrygian(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    iv6 = first is not None and first.mode == "minor" and first.symbol in ("iv6", "iv65")
    return iv6 and last.symbol == "V"


def _half(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    return last.symbol == "V"


def _plagal(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    subdominant = first is not None and first.function == "S"
    return subdominant and _tonic(last) and last.inversion == 0


def _deceptive(first: Chord | None, last: Chord, soprano: int | None) -> bool:
    submediant = last.numeral in ("vi", "VI") and last.inversion == 0
    return _dominant(first) and first is not None and first.inversion == 0 and submediant


KINDS: tuple[tuple[str, Callable[[Chord | None, Chord, int | None], bool]], ...] = (
    ("cad-pac", _pac),
    ("cad-iac-soprano", _iac_soprano),
    ("cad-iac-inverted", _iac_inverted),
    ("cad-iac-vii", _iac_vii),
    ("cad-phrygian", _phrygian),
    ("cad-hc", _half),
    ("cad-plagal", _plagal),
    ("cad-deceptive", _deceptive),
)
