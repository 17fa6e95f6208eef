"""Rules on cadences: how strong, where in the bar, with which chords, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from theory_kb.moment import REST
from theory_kb.rules.context import Unit
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.phrase import AUTHENTIC, Cadence, cadence_kind, cadences
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.succession import (
    Succession,
    all_voices,
    bass,
    chord_set,
    numerals,
    offences,
    succession,
)
from theory_kb.rules.syntax import open_ends

__all__: list[str] = []

WEAK = 2  # beat strength of a weak beat; below it lie the places between the beats
SOPRANO: Mapping[str, tuple[int, ...]] = {  # degrees on which the soprano usually arrives
    **dict.fromkeys(AUTHENTIC, (1, 3)),
    "cad-hc": (2, 5, 7),
    "cad-phrygian": (5, 2, 7),
    "cad-deceptive": (1,),
}
DOMINANT = ("V", "V7")


def _known(piece: Piece) -> list[Cadence]:
    return [each for each in cadences(piece) if each.kind is not None]


def _name(kind: str) -> str:
    from theory_kb.cadences import cadence_name

    return cadence_name(kind)


def _strength(kind: str | None) -> int:
    from theory_kb.cadences import cadence_strength

    return 0 if kind is None else cadence_strength(kind)


# --------------------------------------------------------------------------- order and strength


@piece_rule()
def cadence_order(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A consequent closes no more strongly than the antecedent before it."""
    halves = [unit for unit in piece.context.units if unit.kind in ("antecedent", "consequent")]
    halves.sort(key=lambda unit: unit.start)
    for first, second in pairwise(halves):
        if (first.kind, second.kind) != ("antecedent", "consequent"):
            continue
        (_, opening), (place, closing) = _close_of(piece, first), _close_of(piece, second)
        if _strength(closing) <= _strength(opening):
            kinds = {"kind": _said(closing), "other": _said(opening)}
            yield Offence(place, all_voices(piece), kinds)


def _said(kind: str | None) -> str:
    return "no cadence" if kind is None else _name(kind)


def _close_of(piece: Piece, unit: Unit) -> tuple[int, str | None]:
    """Harmonic moment of a unit's last chord and the cadence it makes."""
    chords = succession(piece)
    place = _last_chord(piece, unit)
    for each in cadences(piece):
        if each.place == place:
            return place, each.kind
    before = chords.moments[place - 1] if place and chords.joined[place] else None
    return place, cadence_kind(before, chords.moments[place], ends=False)


def _last_chord(piece: Piece, unit: Unit) -> int:
    """The last chord that begins before a unit stops."""
    onset = piece.surface["onset"][unit.stop - 1]
    return max(0, int(np.searchsorted(succession(piece)["onset"], onset, side="right")) - 1)


@piece_rule("most")
def cadence_variety(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """One cadence in one key comes too many times in a row."""
    run = 0
    known = _known(piece)
    for last, each in zip([None, *known], known, strict=False):
        same = last is not None and (last.kind, last.key) == (each.kind, each.key)
        run = run + 1 if same else 1
        if run == p["most"] + 1:
            kind = _name(each.kind or "")
            yield Offence(each.place, all_voices(piece), {"kind": kind, "count": str(run)})


@piece_rule()
def cadence_deceptive_then(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A deceptive cadence is never made good by an authentic one in its key."""
    ends = cadences(piece)
    for number, each in enumerate(ends):
        later = ends[number + 1 :]
        good = any(other.kind in AUTHENTIC and other.tonic == each.tonic for other in later)
        if each.kind == "cad-deceptive" and not good:
            yield Offence(each.place, bass(piece))


# --------------------------------------------------------------------------------- metre, chords


@piece_rule()
def cadence_metric(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A cadence arrives on a weak beat."""
    if "feminine" in piece.context.devices:
        return
    chords = succession(piece)
    for each in _known(piece):
        if chords["strength"][each.place] <= WEAK:
            yield Offence(each.place, all_voices(piece), {"kind": _name(each.kind or "")})


@piece_rule()
def cadence_half_seventh(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase stays open on the dominant seventh."""
    chords = succession(piece)
    yield from offences(piece, chords.lasts & numerals("V7", inversion=0)[chords["chord"]])


@piece_rule()
def cadence_hc_inverted(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase stays open on an inverted dominant."""
    chords = succession(piece)
    open_end = chords.lasts & numerals(*DOMINANT)[chords["chord"]]
    yield from offences(piece, open_end & (chords["inversion"] > 0))


@piece_rule()
def cadence_pac_third(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The tonic of an authentic cadence lacks its third."""
    if "modal" in piece.context.devices or len(piece.voices) < 3:
        return
    chords = succession(piece)
    for each in cadences(piece):
        if each.kind in AUTHENTIC and not _holds_third(piece, chords, each.place):
            yield Offence(each.place, all_voices(piece))


def _holds_third(piece: Piece, chords: Succession, place: int) -> bool:
    """Whether any voice has the third of a chord while it lasts."""
    onset = piece.surface["onset"]
    start = chords["onset"][place]
    inside = (onset >= start) & (onset < start + chords.duration[place])
    return bool((piece.surface["member"][inside] == 1).any()) or bool(
        (chords.moments["member"][place] == 1).any()
    )


@piece_rule()
def cadence_prep(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """No predominant stands before the dominant of a close."""
    chords = succession(piece)
    for each in cadences(piece):
        if each.kind in AUTHENTIC:
            place = _before_dominant(chords, each)
            if place is None or not _prepares()[chords["chord"][place]]:
                yield Offence(each.place - 1, bass(piece))


def _before_dominant(chords: Succession, each: Cadence) -> int | None:
    """The chord of the phrase before its last dominants, None if there is none."""
    own = numerals(*DOMINANT, "cad64", "viio", "viio7", "viiø7")
    for place in range(each.place - 1, each.start - 1, -1):
        if not own[chords["chord"][place]]:
            return place
    return None


SETS: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}


def _prepares() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Predominants: of function S, applied to the dominant, or unknown."""
    if "prepares" not in SETS:
        found = chord_set(lambda each: each.function == "S" or each.applied_to == "V")
        found[-1] = True
        SETS["prepares"] = found
    return SETS["prepares"]


# --------------------------------------------------------------------------------------- soprano


@piece_rule()
def cadence_soprano(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The soprano arrives on a degree that is rare at such a cadence."""
    chords = succession(piece)
    for each in _known(piece):
        usual = SOPRANO.get(each.kind or "")
        now = chords.moments[each.place]
        if usual is None or now["semitone"][0] == REST:
            continue
        degree = int(now["step"][0] - 4 * each.tonic) % 7 + 1
        if degree not in usual:
            detail = {"degree": str(degree), "kind": _name(each.kind or "")}
            yield Offence(each.place, (0,), detail)


# --------------------------------------------------------------------------------------- chorale


@piece_rule()
def cadence_chorale_phrase(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord under a fermata makes no kind of cadence."""
    yield from open_ends(piece)
