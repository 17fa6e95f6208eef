"""Rules on phrases and their ends: cadences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from theory_kb.moment import NONE, REST, Moments
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import Offence, Piece, phrase_spans

__all__ = [
    "Cadence",
    "cadence_content",
    "cadence_kind",
    "cadence_modifiers",
    "cadences",
    "final_kinds",
    "is_end_known",
    "phrase_cadences",
]

AUTHENTIC = ("cad-pac", "cad-iac-soprano", "cad-iac-inverted", "cad-iac-vii")
HALF = ("cad-hc", "cad-phrygian")
CLOSES = (*AUTHENTIC, "cad-plagal")
SUBMEDIANT = (3, -4)  # vi of a major, VI of a minor key
APPROACHES = (0, 2, -1, 3, -4, -5, 6)  # roots before a half cadence: I ii IV vi VI N, V/V
PHRYGIAN_SOPRANO = ((4, 5), (1, 7), (1, 2))  # scale degrees
ROCK = {"rock", "pop", "blues"}  # declared: a plagal step is a close of its own
LOOPS = {"loop", "fade"}  # declared: a phrase may end without a close
MAJOR_SIXTH, OCTAVE = 3, 0  # on the line of fifths


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a phrase ends."""

    place: int  # moment of the arrival: harmonic if the harmony is known, else of the surface
    kind: str | None  # id of a kind, None if it makes none
    tonic: int  # line of fifths, NONE if the key is not known
    mode: int
    start: int  # first moment of the phrase

    @property
    def key(self) -> tuple[int, int]:
        """Tonic and mode."""
        return self.tonic, self.mode


# ---------------------------------------------------------------------------- two chords alone


def cadence_kind(before: np.void | None, now: np.void, *, ends: bool = True) -> str | None:
    """The kind of cadence that two chords make, None if they make none.

    Args:
        before: harmonic moment of the last chord but one, None if there is none.
        now: harmonic moment of the arrival.
        ends: whether the arrival ends a phrase; elsewhere it must not be weaker than the chord before.

    Source: the kinds of Kostka & Payne ch. 10, with Caplin's strict perfect cadence.
    """
    if now["root"] == NONE:
        return None
    root = NONE if before is None else int(before["root"] + before["tonic"] - now["tonic"])
    if now["root"] == 1 and now["leading"] == 5:
        return _half(before, root, now)
    if before is None or not (ends or now["strength"] >= before["strength"]):
        return None
    if now["root"] == 0:
        return _closing(before, root, now)
    deceptive = root == 1 and before["inversion"] == 0 and before["leading"] != NONE
    arrives = now["root"] in SUBMEDIANT or (now["root"] == -1 and now["inversion"] == 1)
    return "cad-deceptive" if deceptive and arrives else None


def _half(before: np.void | None, root: int, now: np.void) -> str | None:
    if now["inversion"] != 0 or now["seventh"] != NONE:
        return None
    if before is None or not (root in APPROACHES or _leads_to(before, now)):
        return "cad-dominant-arrival"
    falls = root == -1 and before["inversion"] == 1 and now["mode"] == 1
    sung = (_degree(before, now), _degree(now, now))
    return "cad-phrygian" if falls and sung in PHRYGIAN_SOPRANO else "cad-hc"


def _leads_to(before: np.void, now: np.void) -> bool:
    """Whether a chord is an applied dominant of the dominant of the present key."""
    return bool(before["target"] != NONE and before["target"] + before["tonic"] == now["tonic"] + 1)


def _degree(moment: np.void, home: np.void) -> int:
    """Scale degree of the soprano in the key of another moment, 0 in a rest."""
    if moment["semitone"][0] == REST:
        return 0
    return int(moment["step"][0] - 4 * home["tonic"]) % 7 + 1


def _closing(before: np.void, root: int, now: np.void) -> str | None:
    if _is_vera(before, now):
        return "cad-clausula-vera"
    if root == 5:
        return "cad-iac-vii"
    if root == 1 and before["leading"] != NONE:
        if before["inversion"] or now["inversion"]:
            return "cad-iac-inverted"
        return "cad-pac" if _degree(now, now) == 1 else "cad-iac-soprano"
    if now["inversion"] != 0:
        return None
    if root == -2 and now["mode"] == 0:
        return "cad-rock"
    plagal = root == -1 or (root == 2 and before["seventh"] != NONE)
    return "cad-plagal" if plagal else None


def _is_vera(before: np.void, now: np.void) -> bool:
    """Whether two voices, and no more, go from a major sixth to an octave by contrary steps."""
    return int(now["voices"]) == 2 and _opens(before, now, 0, 1)


def _opens_to_octave(before: np.void, now: np.void) -> bool:
    """Whether any voice goes with the lowest from a major sixth to an octave by contrary steps."""
    low = int(now["voices"]) - 1
    return any(_opens(before, now, voice, low) for voice in range(low))


def _opens(before: np.void, now: np.void, upper: int, lower: int) -> bool:
    if REST in (*before["semitone"][[upper, lower]], *now["semitone"][[upper, lower]]):
        return False
    up = int(now["step"][upper] - before["step"][upper])
    down = int(now["step"][lower] - before["step"][lower])
    wide = _vertical(before, upper, lower) == MAJOR_SIXTH
    return (up, down) == (1, -1) and wide and _vertical(now, upper, lower) == OCTAVE


def _vertical(moment: np.void, upper: int, lower: int) -> int:
    return _pitch_class(moment, upper) - _pitch_class(moment, lower)


def _pitch_class(moment: np.void, voice: int) -> int:
    """Place of a voice's pitch class on the line of fifths."""
    return 7 * int(moment["semitone"][voice]) - 12 * int(moment["step"][voice]) - 84


# ------------------------------------------------------------------------------ in their phrase


@lru_cache(maxsize=2)
def cadences(piece: Piece) -> tuple[Cadence, ...]:
    """How each phrase ends; where the harmony is not known, the clausula vera alone is told."""
    moments = piece.harmonic
    if moments is None:
        return tuple(
            _bare(piece.surface, start, stop) for start, stop in phrase_spans(piece.surface)
        )
    return tuple(_cadence(piece, moments, start, stop) for start, stop in phrase_spans(moments))


def _bare(surface: Moments, start: int, stop: int) -> Cadence:
    """The close of a phrase by its pitches: any voice may open to the octave with the lowest."""
    opens = stop - start > 1 and _opens_to_octave(surface[stop - 2], surface[stop - 1])
    kind = "cad-clausula-vera" if opens else None
    return Cadence(stop - 1, kind, int(surface["tonic"][stop - 1]), -1, start)


def _cadence(piece: Piece, moments: Moments, start: int, stop: int) -> Cadence:
    now = moments[stop - 1]
    before = moments[_approach(moments, start, stop)] if stop - start > 1 else None
    kind = _in_context(piece, moments, (start, stop), cadence_kind(before, now))
    return Cadence(stop - 1, kind, int(now["tonic"]), int(now["mode"]), start)


def _approach(moments: Moments, start: int, stop: int) -> int:
    """The chord before the last; before a standing dominant, what led to it."""
    place, now = stop - 2, moments[stop - 1]
    if now["root"] != 1 or now["leading"] != 5:
        return place
    while place > start and _is_dominant(moments[place], now):
        place -= 1
    return place


def _is_dominant(moment: np.void, now: np.void) -> bool:
    """Whether a chord is the dominant of the present key, in any position."""
    root = moment["root"] + moment["tonic"] - now["tonic"]
    return bool(moment["root"] != NONE and root == 1 and moment["leading"] != NONE)


def _in_context(
    piece: Piece, moments: Moments, span: tuple[int, int], kind: str | None
) -> str | None:
    """The kind once more than two chords are looked at."""
    for test, other in CONTEXTS:
        if test(piece, moments, span, kind):
            return other
    return kind


Span = tuple[int, int]


def _evaded(piece: Piece, moments: Moments, span: Span, kind: str | None) -> bool:
    """A prepared dominant slips by V42 to I6, or a new phrase begins in its place."""
    start, stop = span
    now = moments[stop - 1]
    if now["cadential"]:
        return stop < len(moments) and not _is_tonic(moments[stop], now)
    if kind != "cad-iac-inverted" or stop - start < 3:
        return False
    last, prepared = moments[stop - 2], moments[stop - 3]
    slips = last["inversion"] == 3 and now["inversion"] == 1
    return bool(slips and (prepared["cadential"] or _is_rooted_dominant(prepared, now)))


def _is_tonic(moment: np.void, now: np.void) -> bool:
    root = moment["root"] + moment["tonic"] - now["tonic"]
    return bool(moment["root"] != NONE and root == 0 and moment["inversion"] == 0)


def _is_rooted_dominant(moment: np.void, now: np.void) -> bool:
    return _is_dominant(moment, now) and bool(moment["inversion"] == 0)


def _abandoned(piece: Piece, moments: Moments, span: Span, kind: str | None) -> bool:
    """The dominant leaves its root position before the tonic arrives."""
    start, stop = span
    if kind != "cad-iac-inverted" or stop - start < 3:
        return False
    weakened = moments[stop - 2]["inversion"] != 0
    return bool(weakened and _is_rooted_dominant(moments[stop - 3], moments[stop - 1]))


def _rock(piece: Piece, moments: Moments, span: Span, kind: str | None) -> bool:
    """V-IV-I; and IV-I, or the subtonic before a minor tonic, where the style is declared."""
    start, stop = span
    if stop - start < 2 or moments[stop - 1]["root"] != 0:
        return False
    now, last = moments[stop - 1], moments[stop - 2]
    root = last["root"] + last["tonic"] - now["tonic"]
    if piece.context.devices & ROCK and now["inversion"] == 0 and root in (-1, -2):
        return True
    dominant = stop - start > 2 and _is_rooted_dominant(moments[stop - 3], now)
    return bool(kind == "cad-plagal" and dominant and root == -1 and last["inversion"] == 0)


def _loop(piece: Piece, moments: Moments, span: Span, kind: str | None) -> bool:
    """No close, and none is meant."""
    return kind is None and bool(piece.context.devices & LOOPS)


CONTEXTS = (
    (_evaded, "cad-evaded"),
    (_abandoned, "cad-abandoned"),
    (_rock, "cad-rock"),
    (_loop, "cad-loop"),
)


def cadence_modifiers(piece: Piece, cadence: Cadence) -> tuple[str, ...]:
    """What more is to be said of a close: `cad-picardy`, `cad-under-third`."""
    level = piece.surface if piece.harmonic is None else piece.harmonic
    now, kind = level[cadence.place], cadence.kind
    picardy = kind in AUTHENTIC and now["mode"] == 1 and now["third"] - now["root"] == 4
    closes = kind in (*AUTHENTIC, "cad-clausula-vera") and now["tonic"] != NONE
    under_third = closes and _sung(piece, now) == [7, 6, 1]
    told = (("cad-picardy", picardy), ("cad-under-third", under_third))
    return tuple(name for name, said in told if said)


def _sung(piece: Piece, now: np.void) -> list[int]:
    """Scale degrees of the soprano's last three notes up to a moment."""
    surface = piece.surface
    struck = (surface["attack"][:, 0] == 1) & (surface["onset"] <= now["onset"])
    rows = np.flatnonzero(struck)[-3:]
    return [int(step - 4 * now["tonic"]) % 7 + 1 for step in surface["step"][rows, 0]]


def cadence_content(piece: Piece, cadence: Cadence) -> str:
    """What happens over the root of V in an authentic close: simple, compound or double.

    Compound has one dissonance over the bass, 4-3, 6/4-5/3 or 8-7; double has 5/3-6/4-5/3. Empty for
    other kinds. Source: OMT cadenceTypes, after Fenaroli.
    """
    moments = piece.harmonic
    if moments is None or cadence.kind not in AUTHENTIC[:2]:
        return ""
    now = moments[cadence.place]
    first = cadence.place - 1
    while first > cadence.start and (
        moments[first - 1]["cadential"] or _is_rooted_dominant(moments[first - 1], now)
    ):
        first -= 1
    over = moments[first : cadence.place]
    delayed = np.flatnonzero(over["cadential"])
    if len(delayed):
        return "double" if delayed[0] > 0 else "compound"
    return "compound" if _is_ornamented(piece, over, now) else "simple"


def _is_ornamented(piece: Piece, over: Moments, now: np.void) -> bool:
    """Whether a voice above the dominant goes 4-3 or 8-7."""
    surface = piece.surface
    inside = (surface["onset"] >= over["onset"][0]) & (surface["onset"] < now["onset"])
    places = surface["degree"][inside][:, : len(piece.voices) - 1]
    falls = (places[:-1] == 0) & (places[1:] == 5) | (places[:-1] == 1) & (places[1:] == -1)
    return bool(falls.any())


def final_kinds(*, minor: bool, perfect_only: bool) -> frozenset[str]:
    """Kinds of cadence that close a piece, as `cadence-final` has them."""
    if perfect_only:
        return frozenset(AUTHENTIC[:1])
    return frozenset((*CLOSES, *(HALF if minor else ())))


def is_end_known(moments: Moments, place: int) -> bool:
    """Whether the last chord of a phrase is known, and the one before it if there is one."""
    alone = place == 0 or bool(moments["boundary"][place])
    return bool((moments["root"][place if alone else place - 1 : place + 1] != NONE).all())


def phrase_cadences(piece: Piece) -> list[tuple[int, str | None]]:
    """Harmonic moment of each phrase's last chord and the cadence it makes."""
    assert piece.harmonic is not None, "cadences need a known harmony"
    return [(each.place, each.kind) for each in cadences(piece)]


# ------------------------------------------------------------------------------------- rules


@piece_rule("perfect_only")
def cadence_final(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The last cadence does not close the piece."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    place, kind = phrase_cadences(piece)[-1]
    if kind is None and not is_end_known(moments, place):
        return
    if piece.context.species and place and _opens_to_octave(moments[place - 1], moments[place]):
        return
    minor = bool(moments[place]["mode"] == 1)
    if kind not in final_kinds(minor=minor, perfect_only=bool(p["perfect_only"])):
        yield Offence(place, _all(piece), {"kind": kind or "no cadence"})


@piece_rule()
def chorale_phrase_fermata(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase ends on a chord that makes no kind of cadence."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    for place, kind in phrase_cadences(piece):
        if kind is None and is_end_known(moments, place):
            yield Offence(place, _all(piece))


def _all(piece: Piece) -> tuple[int, ...]:
    return tuple(range(len(piece.voices)))
