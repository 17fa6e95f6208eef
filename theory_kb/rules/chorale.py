"""Rules on chorales and hymns: their flow, their bass, how they begin and close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, REST, Moments
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, lines, phrase_spans

__all__: list[str] = []

LEADING, FIFTH, MINOR_THIRD = 5, 1, -3  # places on the line of fifths above the tonic
MINOR = 1  # mode
UPBEAT_ROOTS = {0: (0, 1, 3), MINOR: (0, 1, -4)}  # mode: roots of I, V and vi


def _all(piece: Piece) -> tuple[int, ...]:
    return tuple(range(len(piece.voices)))


def _harmonic(piece: Piece) -> Moments:
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    return piece.harmonic


def _end(piece: Piece) -> int:
    """Ticks at which the piece ends; its last moment lasts a beat where that is not known."""
    if piece.context.end is not None:
        return piece.context.end
    return int(piece.surface["onset"][-1]) + piece.beat_ticks


# ---------------------------------------------------------------------------------- its flow


@piece_rule("beats")
def chorale_eighth_flow(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """No voice moves between the beats for more than so many beats of a phrase."""
    surface = piece.surface
    starts = surface["boundary"] == 1
    starts[:1] = True
    moves = (surface["position"] % piece.beat_ticks != 0) & surface["attack"].any(axis=1)
    places = np.where(starts | moves, np.arange(len(surface)), 0)
    last = surface["onset"][np.maximum.accumulate(places)]
    still = np.flatnonzero(surface["onset"] - last > p["beats"] * piece.beat_ticks)
    for place in _first_of_each(still, starts):
        yield Offence(place, _all(piece), {"beats": f"{p['beats']:g}"})


def _first_of_each(places: NDArray[np.intp], starts: NDArray[np.bool_]) -> list[int]:
    """The first of some places in each phrase."""
    _, first = np.unique(np.cumsum(starts)[places], return_index=True)
    return [int(place) for place in places[first]]


@piece_rule("beats")
def chorale_crotchet_chords(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """One chord goes on for more than so many beats inside a phrase."""
    moments = _harmonic(piece)
    changes = moments["boundary"] == 1
    for name in ("chord", "tonic"):
        changes[1:] |= moments[name][1:] != moments[name][:-1]
    changes[:1] = True
    starts = np.flatnonzero(changes)
    lengths = np.diff(np.append(moments["onset"][starts], _end(piece)))
    inside = np.maximum.reduceat(moments["phrase_end"], starts) == 0
    known = moments["root"][starts] != NONE
    for run in np.flatnonzero(inside & known & (lengths > p["beats"] * piece.beat_ticks)):
        beats = f"{lengths[run] / piece.beat_ticks:g}"
        yield Offence(int(starts[run]), _all(piece), {"beats": beats})


@piece_rule()
def hymn_homophony(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A voice does not sing a syllable with the others."""
    surface = piece.surface
    for syllable in piece.context.syllables:
        sounding = surface["semitone"][syllable.moment, : len(piece.voices)] != REST
        struck = surface["attack"][syllable.moment, : len(piece.voices)] != 0
        late = np.flatnonzero(sounding & ~struck)
        if len(late):
            yield Offence(syllable.moment, tuple(int(voice) for voice in late))


# ------------------------------------------------------------------------- beginning and end


@piece_rule()
def chorale_start_upbeat(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chorale begins on an upbeat with another chord than I, V or vi."""
    first = _harmonic(piece)[0]
    roots = UPBEAT_ROOTS.get(int(first["mode"]), ())
    upbeat = first["opening"] and first["position"] != 0
    if upbeat and first["root"] != NONE and first["root"] not in roots:
        yield Offence(0, _all(piece))


@piece_rule()
def chorale_dissonant_start(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The first chord is a seventh chord."""
    first = _harmonic(piece)[0]
    if first["opening"] and first["seventh"] != NONE:
        yield Offence(0, _all(piece))


@piece_rule()
def chorale_final_minor(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chorale in minor closes with a minor tonic chord."""
    moments = _harmonic(piece)
    last = moments[-1]
    minor = last["mode"] == MINOR and last["root"] == 0 and last["third"] == MINOR_THIRD
    if minor and last["final"]:
        yield Offence(len(moments) - 1, _all(piece))


@piece_rule()
def chorale_close_inner(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The leading tone of an inner voice falls to the fifth of the closing tonic: a licence."""
    moments = _harmonic(piece)
    before, now = moments[:-1], moments[1:]
    closes = (now["phrase_end"] == 1) & (now["boundary"] == 0) & (now["root"] == 0)
    closes &= (before["leading"] == LEADING) & (before["tonic"] == now["tonic"])
    for voice in range(1, len(piece.voices) - 1):
        falls = closes & (before["degree"][:, voice] == LEADING)
        falls &= (now["degree"][:, voice] == FIFTH) & (
            now["step"][:, voice] - before["step"][:, voice] == -2
        )
        for place in np.flatnonzero(falls):
            yield Offence(int(place) + 1, (voice,))


# ------------------------------------------------------------------------------- as a whole


@piece_rule()
def chorale_repeat_reharmonise(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase of the tune comes again with the harmony that it had."""
    moments, surface, tune = _harmonic(piece), piece.surface, lines(piece)[0]
    spans = phrase_spans(surface)
    starts = [start for start, _ in spans]
    onsets = surface["onset"][starts]
    notes = [*np.searchsorted(tune.start, starts).tolist(), len(tune.start)]
    chords = [*np.searchsorted(moments["onset"], onsets).tolist(), len(moments)]
    seen: dict[tuple[bytes, ...], int] = {}
    for phrase, start in enumerate(starts):
        sung = slice(notes[phrase], notes[phrase + 1])
        span = moments[chords[phrase] : chords[phrase + 1]]
        if not len(span) or sung.start == sung.stop:
            continue
        key = (
            tune.semitone[sung].tobytes(),
            tune.ticks[sung].tobytes(),
            span["chord"].tobytes(),
            (span["onset"] - onsets[phrase]).tobytes(),
        )
        if key in seen:
            yield Offence(chords[phrase], _all(piece), {"bar": str(seen[key])})
        seen.setdefault(key, int(surface["bar"][start]))


@piece_rule("narrowest", "steps")
def chorale_bass_line(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The bass has too small a range, or too few steps among its moves."""
    voice = len(piece.voices) - 1
    line = lines(piece)[voice]
    moves = np.abs(np.diff(line.step))[np.diff(line.semitone) != 0]
    if not len(moves):
        return
    span, share = int(np.ptp(line.semitone)), float((moves == 1).mean())
    if span < p["narrowest"] or share < p["steps"]:
        yield Offence(int(line.start[0]), (voice,), {"range": str(span), "steps": f"{share:.0%}"})
