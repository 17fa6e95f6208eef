"""Rules that grade an exercise: labels, what was given, what is missing, what was not yet taught."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from theory_kb.chords import Chord, read_chord, vocabulary
from theory_kb.errors import UnknownNameError
from theory_kb.moment import NON_CHORD, NONE, REST, UNKNOWN
from theory_kb.pitch import Pitch
from theory_kb.rules.context import Answer, GivenNote
from theory_kb.rules.dissonance import non_chord_tones
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.material import everyone
from theory_kb.rules.piece import Offence, Piece
from theory_kb.thoroughbass import completed

__all__ = ["full_figures", "label_credit"]

MODES = {0: "major", 1: "minor"}
FIGURE = re.compile(r"([#bn]*)(\d)(\+?)|([#bn]+)")
SIGNS = str.maketrans({"♯": "#", "♭": "b", "♮": "n"})

# ------------------------------------------------------------------------------------ labels


def label_credit(
    mode: str, came: str, allowed: str, shares: tuple[float, float, float] = (50, 20, 30)
) -> float:
    """What a Roman numeral is worth against a right one: per cent for root, quality, inversion.

    A label that is no chord of the mode is worth nothing.
    """
    try:
        chords = read_chord(mode, came), read_chord(mode, allowed)
    except UnknownNameError:
        return 0.0
    return sum(
        share
        for share, part in zip(shares, PARTS, strict=True)
        if part(chords[0]) == part(chords[1])
    )


PARTS: tuple[Callable[[Chord], object], ...] = (
    lambda chord: (chord.root, chord.applied_to),
    lambda chord: chord.quality,
    lambda chord: chord.inversion,
)


def full_figures(text: str) -> frozenset[tuple[int, str]]:
    """Figures with what they leave out: 6 is 6/3, 65 is 6/5/3, # is #3; as number and sign."""
    signs: dict[int, str] = {}
    for sign, number, raised, alone in FIGURE.findall(text.translate(SIGNS)):
        signs[int(number) if number else 3] = sign + raised or alone
    return frozenset(completed(signs).items())


def _answers(piece: Piece, kind: str) -> Iterator[Answer]:
    """Labels of a kind that were written; one left empty is unfinished, not wrong."""
    for answer in piece.context.answers:
        if answer.kind == kind and answer.came:
            yield answer


def _wrong(piece: Piece, kind: str) -> Iterator[Offence]:
    for answer in _answers(piece, kind):
        if answer.came not in answer.allowed:
            yield _mislabelled(piece, answer)


def _mislabelled(piece: Piece, answer: Answer, **detail: str) -> Offence:
    said = {"came": answer.came, "allowed": " or ".join(answer.allowed), **detail}
    return Offence(answer.moment, everyone(piece), said)


@piece_rule("root", "quality", "inversion")
def label_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A Roman numeral is none of the readings that the place admits."""
    shares = (p["root"], p["quality"], p["inversion"])
    for answer in _answers(piece, "roman"):
        if answer.came not in answer.allowed:
            mode = MODES.get(int(piece.surface["mode"][answer.moment]), "")
            worth = [label_credit(mode, answer.came, right, shares) for right in answer.allowed]
            yield _mislabelled(piece, answer, credit=f"{max(worth):g}")


@piece_rule()
def figure_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Figures stand for other notes above the bass than the chord has."""
    for answer in _answers(piece, "figure"):
        if full_figures(answer.came) not in {full_figures(right) for right in answer.allowed}:
            yield _mislabelled(piece, answer)


@piece_rule()
def key_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A key is named wrongly."""
    yield from _wrong(piece, "key")


@piece_rule()
def cadence_label_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A cadence is named wrongly."""
    yield from _wrong(piece, "cadence")


@piece_rule()
def form_label_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A part of the form is named wrongly."""
    yield from _wrong(piece, "form")


@piece_rule()
def nct_label_wrong(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A non-chord tone is named wrongly."""
    yield from _wrong(piece, "nct")


# ------------------------------------------------------------------------------- the exercise


@piece_rule()
def given_altered(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A note that was given is not there any more, or has become another."""
    surface = piece.surface
    for note in piece.context.given:
        place = int(np.searchsorted(surface["onset"], note.onset))
        if place == len(surface) or not _is_there(piece, place, note):
            name = Pitch(note.step, note.semitone).name
            yield Offence(min(place, len(surface) - 1), (note.voice,), {"given": name})


def _is_there(piece: Piece, place: int, note: GivenNote) -> bool:
    moment = piece.surface[place]
    return bool(
        moment["onset"] == note.onset
        and moment["attack"][note.voice]
        and moment["step"][note.voice] == note.step
        and moment["semitone"][note.voice] == note.semitone
    )


@piece_rule()
def unfinished(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice is silent through a given note, or a label was left out."""
    for answer in piece.context.answers:
        if not answer.came:
            yield Offence(answer.moment, everyone(piece), {"missing": f"the {answer.kind} label"})
    silent = piece.surface["semitone"][:, : len(piece.voices)] == REST
    for start, stop in _given_spans(piece):
        for voice in np.flatnonzero(silent[start:stop].all(axis=0)).tolist():
            yield Offence(start, (voice,), {"missing": f"a note of {piece.voices[voice]}"})


def _given_spans(piece: Piece) -> list[tuple[int, int]]:
    """First and last-plus-one moment of each given note, to the next one of its voice."""
    surface = piece.surface
    spans = set()
    for voice in {note.voice for note in piece.context.given}:
        onsets = sorted(note.onset for note in piece.context.given if note.voice == voice)
        places = np.searchsorted(surface["onset"], onsets).tolist()
        spans |= set(zip(places, [*places[1:], len(surface)], strict=True))
    return sorted((start, stop) for start, stop in spans if start < stop)


@piece_rule()
def notation_spelling(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A note sounds like a chord tone and is written as another."""
    surface, voices = piece.surface, len(piece.voices)
    foreign = surface["member"][:, :voices] == NON_CHORD
    rows, columns = np.nonzero(foreign & (surface["attack"][:, :voices] != 0))
    tonics = surface["tonic"][rows].astype(np.int64)
    sounds = surface["semitone"][rows, columns] % 12
    alike = np.zeros(len(rows), bool)
    for name in ("root", "third", "fifth", "seventh"):
        member = surface[name][rows]
        alike |= (member != NONE) & (7 * (member + tonics) % 12 == sounds)
    alike &= tonics != NONE
    for moment, voice in zip(rows[alike].tolist(), columns[alike].tolist(), strict=True):
        yield Offence(moment, (voice,))


@piece_rule()
def style_vocabulary(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord, or a kind of non-chord tone where the vocabulary names any, is not yet taught."""
    known, moments = piece.context.vocabulary, piece.harmonic
    assert known is not None, "rules on a vocabulary need one"
    assert moments is not None, "rules on an unknown harmony are skipped"
    for chord in moments[moments["chord"] != UNKNOWN]:
        symbol = vocabulary()[int(chord["chord"])].symbol
        if symbol not in known:
            place = int(np.searchsorted(piece.surface["onset"], chord["onset"]))
            yield Offence(place, everyone(piece), {"device": symbol})
    if any(name.startswith("nct-") for name in known):
        for tone in non_chord_tones(piece):
            if tone.kind not in known:
                yield Offence(tone.moment, (tone.voice,), {"device": tone.kind})
