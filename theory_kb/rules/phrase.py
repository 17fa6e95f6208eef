"""Rules on phrases and their ends: cadences, and the flow of a chorale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from theory_kb.moment import NONE, REST
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, phrase_spans

__all__ = ["cadence_kind", "phrase_cadences"]

AUTHENTIC = ("cad-pac", "cad-iac-soprano", "cad-iac-inverted", "cad-iac-vii")
HALF = ("cad-hc", "cad-phrygian")
SUBMEDIANT = (3, -4)  # vi of a major, VI of a minor key


def cadence_kind(before: np.void | None, now: np.void) -> str | None:
    """The kind of cadence that two chords at the end of a phrase make, None if they make none.

    Args:
        before: harmonic moment of the last chord but one, None if there is none.
        now: harmonic moment of the arrival.

    Source: the kinds of Kostka & Payne ch. 10, with Caplin's strict perfect cadence.
    """
    if now["root"] == NONE:
        return None
    root = NONE if before is None else int(before["root"] + before["tonic"] - now["tonic"])
    if now["root"] == 1 and now["leading"] == 5:
        return _half(before, root, now)
    if before is None:
        return None
    if now["root"] == 0:
        return _closing(before, root, now)
    deceptive = root == 1 and before["inversion"] == 0 and before["leading"] != NONE
    arrives = now["root"] in SUBMEDIANT or (now["root"] == -1 and now["inversion"] == 1)
    return "cad-deceptive" if deceptive and arrives else None


def _half(before: np.void | None, root: int, now: np.void) -> str | None:
    if now["inversion"] != 0 or now["seventh"] != NONE:
        return None
    falling = before is not None and root == -1 and before["inversion"] == 1
    return "cad-phrygian" if falling and now["mode"] == 1 else "cad-hc"


def _closing(before: np.void, root: int, now: np.void) -> str | None:
    if root == 5:
        return "cad-iac-vii"
    if root == 1 and before["leading"] != NONE:
        if before["inversion"] or now["inversion"]:
            return "cad-iac-inverted"
        on_tonic = now["semitone"][0] != REST and _pitch_class(now, 0) == now["tonic"]
        return "cad-pac" if on_tonic else "cad-iac-soprano"
    return "cad-plagal" if root in (-1, 2) and now["inversion"] == 0 else None


def _pitch_class(moment: np.void, voice: int) -> int:
    """Place of a voice's pitch class on the line of fifths."""
    return 7 * int(moment["semitone"][voice]) - 12 * int(moment["step"][voice]) - 84


def phrase_cadences(piece: Piece) -> list[tuple[int, str | None]]:
    """Harmonic moment of each phrase's last chord and the cadence it makes."""
    moments = piece.harmonic
    assert moments is not None, "cadences need a known harmony"
    found = []
    for start, stop in phrase_spans(moments):
        before = moments[stop - 2] if stop - start > 1 else None
        found.append((stop - 1, cadence_kind(before, moments[stop - 1])))
    return found


@piece_rule("perfect_only")
def cadence_final(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The last cadence does not close the piece."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    place, kind = phrase_cadences(piece)[-1]
    minor_half = kind in HALF and moments[place]["mode"] == 1
    closes = (
        kind == "cad-pac"
        if p["perfect_only"]
        else (kind in AUTHENTIC or kind == "cad-plagal" or minor_half)
    )
    if not closes:
        yield Offence(place, _all(piece), {"kind": kind or "no cadence"})


@piece_rule()
def chorale_phrase_fermata(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase ends on a chord that makes no kind of cadence."""
    for place, kind in phrase_cadences(piece):
        if kind is None:
            yield Offence(place, _all(piece))


def _all(piece: Piece) -> tuple[int, ...]:
    return tuple(range(len(piece.voices)))


@piece_rule("beats")
def chorale_eighth_flow(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """No voice moves between the beats for more than so many beats of a phrase."""
    surface = piece.surface
    offbeat = surface["position"] % piece.beat_ticks != 0
    for start, stop in phrase_spans(surface):
        last = start
        for index in range(start, stop):
            still = surface["onset"][index] - surface["onset"][last]
            if offbeat[index] and surface["attack"][index].any():
                last = index
            elif still > p["beats"] * piece.beat_ticks:
                yield Offence(index, _all(piece), {"beats": f"{p['beats']:g}"})
                break
