"""Rules on the succession of chords: what leads where, by function, inversion and weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from theory_kb.rules.engine import piece_rule
from theory_kb.rules.phrase import is_end_known, phrase_cadences
from theory_kb.rules.piece import Offence, Piece
from theory_kb.rules.succession import (
    AVOIDED,
    CONDITIONAL,
    Succession,
    all_voices,
    bass,
    chord_set,
    numerals,
    offences,
    succession,
)

__all__: list[str] = []

Bools = NDArray[np.bool_]

TONIC = ("I", "I7", "i", "i7")
DOMINANT = ("V", "V7")
SUBDOMINANT = ("IV", "IV7", "iv", "iv7")
SUPERTONIC = ("ii", "ii7", "iio", "iiø7")
MEDIANT = ("iii", "iii7")
FREE_STYLES = {"blues", "rock"}  # declared: dominant and subdominant are on a par


def _pairs(piece: Piece, before: Bools, now: Bools) -> tuple[Succession, Bools]:
    """The succession, and where a chord of one set goes to one of another in phrase and key."""
    chords = succession(piece)
    return chords, chords.step & before[chords.before("chord")] & now[chords["chord"]]


# ---------------------------------------------------------------------- classes of progression


@piece_rule()
def syntax_forbidden(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chord goes where no class of progression leads, inside one phrase and key."""
    from theory_kb.chords import every_chord
    from theory_kb.query import may_follow

    chords = succession(piece)
    refused = chords.grade == AVOIDED
    if not refused.any():
        return
    symbols = every_chord()
    for index in np.flatnonzero(refused & ~chords.in_sequence & ~chords.weightless):
        before, now = (symbols[chords["chord"][place]] for place in (index - 1, index))
        text = may_follow(before, now).text
        yield Offence(int(index), bass(piece), {"text": text.partition(": ")[2] or text})


@piece_rule()
def syntax_weak(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A conditional progression without its condition."""
    from theory_kb.chords import every_chord
    from theory_kb.query import may_follow

    chords = succession(piece)
    conditional = chords.grade == CONDITIONAL
    if not conditional.any():
        return
    symbols = every_chord()
    for index in np.flatnonzero(conditional):
        before, now = (symbols[chords["chord"][place]] for place in (index - 1, index))
        found = may_follow(before, now)
        if found.when and not any(LICENCES[name](chords, int(index)) for name in found.when):
            yield Offence(int(index), bass(piece), {"text": found.condition})


Licence = Callable[[Succession, int], bool]


def _bass_moves(chords: Succession, index: int) -> int:
    return int(chords.bass_step[index] - chords.bass_step[index - 1])


def _is_passing(chords: Succession, index: int) -> bool:
    """Whether the bass goes by step through the second chord, whatever its length."""
    if chords.lasts[index]:
        return False
    into, on = _bass_moves(chords, index), _bass_moves(chords, index + 1)
    return abs(into) <= 1 and abs(on) <= 1 and (into != 0 or on != 0)


def _goes_to(*names: str) -> Licence:
    def met(chords: Succession, index: int) -> bool:
        if chords.lasts[index] or not chords.one_key[index + 1]:
            return False
        return bool(numerals(*names)[chords["chord"][index + 1]])

    return met


def _sixth_falls(chords: Succession, index: int) -> bool:
    """Whether a voice goes from the raised to the lowered sixth degree."""
    steps = chords.moments["degree"]
    falls: Bools = (steps[index - 1] == 3) & (steps[index] == -4)
    return bool(falls.any())


def _no_direct_octave(chords: Succession, index: int) -> bool:
    """Whether no voice moves with the bass, in one direction, into an octave with it."""
    before, now = chords.moments[index - 1], chords.moments[index]
    low = int(now["voices"]) - 1
    moved = (now["semitone"] - before["semitone"]).astype(np.int64)
    with_bass = np.sign(moved[:low]) == np.sign(moved[low])
    octave = (now["semitone"][:low] - now["semitone"][low]) % 12 == 0
    return not bool((with_bass & octave).any()) or moved[low] == 0


LICENCES: Mapping[str, Licence] = {
    "sequence": lambda chords, index: bool(chords.in_sequence[index]),
    "passing": _is_passing,
    "bass-falls": lambda chords, index: _bass_moves(chords, index) in (-1, 6),
    "bass-rises": lambda chords, index: _bass_moves(chords, index) in (1, -6),
    "third-in-bass": lambda chords, index: bool(chords["inversion"][index] == 1),
    "from-first-inversion": lambda chords, index: bool(chords["inversion"][index - 1] == 1),
    "to-root-position": lambda chords, index: bool(chords["inversion"][index] == 0),
    "to-first-inversion": lambda chords, index: bool(chords["inversion"][index] == 1),
    "inside-phrase": lambda chords, index: not chords.lasts[index],
    "phrase-end": lambda chords, index: bool(chords.lasts[index]),
    "to-tonic": _goes_to(*TONIC),
    "to-mediant": _goes_to("III", "III7"),
    "sixth-falls": _sixth_falls,
    "no-direct-octave": _no_direct_octave,
}


# ------------------------------------------------------------------------ dominants gone astray


@piece_rule()
def syntax_dominant_to_subdominant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """V goes to IV in root position."""
    if piece.context.devices & FREE_STYLES:
        return
    now = numerals(*SUBDOMINANT, inversion=0)
    chords, found = _pairs(piece, numerals(*DOMINANT), now)
    if found.any():
        opening = np.append(True, ~chords.joined[:-1])  # the chord before opens its phrase
        yield from offences(piece, found & ~opening)


@piece_rule()
def syntax_dominant_to_supertonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """V goes to ii."""
    _, found = _pairs(piece, numerals(*DOMINANT), numerals(*SUPERTONIC))
    yield from offences(piece, found)


@piece_rule()
def syntax_function_cycle(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dominant of the key is followed by a predominant in root position."""
    dominant = chord_sets("dominant")
    _, found = _pairs(piece, dominant, chord_sets("predominant root"))
    yield from offences(piece, found)


SETS: dict[str, Bools] = {}
TESTS: Mapping[str, Callable[..., bool]] = {
    "dominant": lambda each: each.function == "D" and each.leading == 5,
    "predominant root": lambda each: each.function == "S" and each.inversion == 0,
    "tonic": lambda each: each.function == "T",
    "leading-tone root": lambda each: (
        each.function == "D" and each.quality == "dim" and each.inversion == 0
    ),
    "borrowed": lambda each: each.mode == "major" and each.origin == "mixture",
    "neapolitan": lambda each: each.origin == "neapolitan",
    "after neapolitan": lambda each: (
        each.numeral in (*DOMINANT, "cad64", "N")
        or (each.applied_to == "V" and each.numeral.startswith("viio"))
    ),
    "augmented sixth": lambda each: each.origin == "augmented-sixth",
    "after augmented sixth": lambda each: (
        each.numeral in (*DOMINANT, "cad64") or each.origin == "augmented-sixth"
    ),
    "tonic six-four": lambda each: each.root == 0 and each.inversion == 2 and each.seventh is None,
    "dominant seventh of III": lambda each: each.applied_to == "III",
    "triad 63": lambda each: each.seventh is None and each.inversion == 1,
}


def chord_sets(name: str) -> Bools:
    """A named set of chords, by index."""
    if name not in SETS:
        SETS[name] = chord_set(TESTS[name])
    return SETS[name]


@piece_rule()
def syntax_mediant_to_tonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """iii goes to I in root position, as if it were a dominant."""
    chords, found = _pairs(piece, numerals(*MEDIANT), numerals("I", inversion=0))
    if found.any():
        yield from offences(piece, found & ~chords.in_sequence)


@piece_rule()
def syntax_mediant_to_dominant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """iii goes to V without a bass that falls by step."""
    chords, found = _pairs(piece, numerals(*MEDIANT), numerals(*DOMINANT))
    if found.any():
        falls = np.isin(np.diff(chords.bass_step, prepend=0), (-1, 6))
        inverted = chords.before("inversion") == 1
        yield from offences(piece, found & ~chords.in_sequence & ~falls & ~inverted)


@piece_rule()
def syntax_viio_root_position(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A diminished leading-tone triad in root position stands outside a sequence."""
    chords = succession(piece)
    found = chord_sets("leading-tone root")[chords["chord"]]
    if found.any():
        inside = chords.in_sequence | np.append(chords.in_sequence[1:], False)
        yield from offences(piece, found & ~inside)


@piece_rule()
def syntax_supertonic_to_tonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """ii goes to I in root position."""
    tonic = numerals("I", "i", inversion=0)
    _, found = _pairs(piece, numerals(*SUPERTONIC), tonic)
    if found.any():
        plagal = {place for place, kind in phrase_cadences(piece) if kind == "cad-plagal"}
        for index in np.flatnonzero(found):
            if int(index) not in plagal:
                yield Offence(int(index), bass(piece))


# -------------------------------------------------------------------------- minor-key degrees


@piece_rule()
def syntax_minor_dominant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The minor dominant closes a phrase."""
    if "modal" in piece.context.devices:
        return
    chords, found = _pairs(piece, numerals("v"), numerals("i", "I"))
    yield from offences(piece, found & chords.lasts)


@piece_rule()
def syntax_subtonic_minor(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """VII goes elsewhere than to III or its dominant."""
    home = numerals("III", "III7", "VII", "VII7") | chord_sets("dominant seventh of III")
    _, found = _pairs(piece, numerals("VII", "VII7"), ~home)
    yield from offences(piece, found)


# --------------------------------------------------------------------------- chromatic chords


@piece_rule()
def syntax_applied(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An applied chord goes neither to its target nor on to another dominant of it."""
    chords = succession(piece)
    leading, target = chords.before("leading"), chords.before("target")
    applied = chords.joined & chords.known & _is_applied()[chords.before("chord")]
    applied &= chords["chord"] != chords.before("chord")
    if not applied.any():
        return
    goal = target + chords.before("tonic")
    root = chords.absolute_root
    arrives = root == goal
    prolongs = (chords["leading"] + chords["tonic"]) == (leading + chords.before("tonic"))
    prolongs |= root == chords.earlier(root)
    holds_back = (chords["cadential"] == 1) & (chords["tonic"] + 1 == goal)
    turns = np.isin(root - goal, (3, -4))  # the target's sixth degree
    yield from offences(piece, applied & ~(arrives | prolongs | holds_back | turns))


def _is_applied() -> Bools:
    if "applied" not in SETS:
        SETS["applied"] = chord_set(lambda each: each.applied_to is not None)
    return SETS["applied"]


@piece_rule()
def syntax_mixture(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase of a major key ends inside the borrowed mode."""
    chords = succession(piece)
    borrowed = chord_sets("borrowed")[chords["chord"]]
    yield from offences(piece, borrowed & chords.lasts)


@piece_rule()
def syntax_neapolitan(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The Neapolitan goes elsewhere than to the dominant."""
    _, found = _pairs(piece, chord_sets("neapolitan"), ~chord_sets("after neapolitan"))
    yield from offences(piece, found)


@piece_rule()
def syntax_augmented_sixth(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An augmented sixth goes elsewhere than to the dominant."""
    chords, found = _pairs(
        piece, chord_sets("augmented sixth"), ~chord_sets("after augmented sixth")
    )
    if found.any():
        common = (_bass_place(chords) == 0) & (chords["root"] == 0)
        yield from offences(piece, found & ~common)


def _bass_place(chords: Succession) -> NDArray[np.int64]:
    """Place above the tonic of the bass of the chord before."""
    members = np.stack([chords[name] for name in ("root", "third", "fifth", "seventh")])
    own = members[chords["inversion"].clip(0), np.arange(members.shape[1])]
    return chords.earlier(own)


# ------------------------------------------------------------------------- phrases and figures


@piece_rule()
def syntax_opening(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase opens neither on a tonic chord nor with a dominant before the beat."""
    chords = succession(piece)
    starts = chords.known & ~chords.joined & ~chord_sets("tonic")[chords["chord"]]
    if starts.any():
        after = np.append(chords["strength"][1:], 0)
        upbeat = chord_sets("dominant")[chords["chord"]] & (chords["strength"] < after)
        yield from offences(piece, starts & ~upbeat)


@piece_rule()
def syntax_closing(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase ends with no kind of cadence."""
    yield from open_ends(piece)


def open_ends(piece: Piece) -> Iterator[Offence]:
    """Phrases whose known last chord makes no cadence; on V other rules say what is wrong."""
    chords = succession(piece)
    for place, kind in phrase_cadences(piece):
        on_dominant = numerals(*DOMINANT)[chords["chord"][place]]
        if kind is None and is_end_known(chords.moments, place) and not on_dominant:
            yield Offence(place, all_voices(piece))


@piece_rule()
def six_four_as_tonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase arrives on the six-four of the tonic."""
    chords = succession(piece)
    arrives = chord_sets("tonic six-four")[chords["chord"]] & chords.lasts
    yield from offences(piece, arrives)


@piece_rule()
def syntax_lament(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The bass falls 1-7-6-5 in minor under i, v6 or VII, iv6, V."""
    chords = succession(piece)
    stages = (
        numerals("i", inversion=0),
        numerals("v", inversion=1) | numerals("VII", inversion=0),
        numerals("iv", "iv7", inversion=1),
        numerals(*DOMINANT, inversion=0),
    )
    count = len(chords.moments)
    found = np.zeros(count, bool)
    if count >= len(stages):
        found[3:] = True
        for place, stage in enumerate(stages):
            rows = slice(place, count - 3 + place)
            found[3:] &= stage[chords["chord"][rows]]
            if place:
                found[3:] &= chords.step[rows]
    yield from offences(piece, found)
