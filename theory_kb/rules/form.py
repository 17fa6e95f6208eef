"""Rules on phrases, themes and the parts of a form, as they are declared.

Kinds of units: phrase, basic-idea, contrasting-idea, presentation, continuation, cadential,
antecedent, consequent, compound-basic-idea, hybrid-1 to hybrid-4, fragment, extension, elision,
theme, variation, ground, contrasting-middle, return, recapitulation, subordinate-theme, codetta,
closing-section, coda. Devices: `real-bar-half` and `real-bar-double` (one real bar is half a
notated one, or two), `free-variation`, `ground-transposed`, `ground-ornamented`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory_kb.moment import NONE, Moments
from theory_kb.rules.context import Unit
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.material import (
    RECOGNISABLE,
    SAME,
    Span,
    bars,
    cadence_at,
    chords_in,
    everyone,
    halves,
    head,
    home_tonic,
    likeness,
    motive_share,
    onset,
    pitch_class,
    tune,
    units_of,
    within,
)
from theory_kb.rules.phrase import AUTHENTIC, HALF, cadence_kind, phrase_cadences
from theory_kb.rules.piece import Offence, Piece, line_notes, phrase_spans

__all__: list[str] = []

LENGTHS = (2, 4, 8)  # bars of a phrase
OPENINGS = ("presentation", "antecedent", "compound-basic-idea")
HYBRIDS = {  # Caplin ch. 5
    "hybrid-1": ("antecedent", "continuation"),
    "hybrid-2": ("antecedent", "cadential"),
    "hybrid-3": ("compound-basic-idea", "continuation"),
    "hybrid-4": ("compound-basic-idea", "consequent"),
}
HALVES = ("presentation", "continuation", "cadential", "antecedent", "consequent", OPENINGS[2])
CLOSINGS = ("codetta", "closing-section", "coda")
SAME_DENSITY = 0.25  # textures that differ by less in notes a bar are alike


def _name(kind: str) -> str:
    return kind.replace("-", " ")


def _tune(piece: Piece, unit: Span | Unit, /, **detail: str) -> Offence:
    """An offence of the tune at the start of a unit."""
    return Offence(unit.start, (tune(piece),), detail)


def _close(piece: Piece, unit: Unit, /, **detail: str) -> Offence:
    """An offence of all voices at the last moment of a unit."""
    return Offence(unit.stop - 1, everyone(piece), detail)


# ------------------------------------------------------------------------------------ phrases


def _full_bars(piece: Piece, span: Span) -> int:
    """How many bars begin in a stretch: an upbeat belongs to the bar after it."""
    surface, last = piece.surface, span.stop - 1
    first = _first_bar(piece, span.start)
    ticks = int(surface["position"][last]) + onset(piece, span.stop) - onset(piece, last)
    return int(surface["bar"][last]) + (ticks - 1) // piece.bar_ticks - first + 1


def _first_bar(piece: Piece, moment: int) -> int:
    """The first bar that begins at or after a moment."""
    return int(piece.surface["bar"][moment]) + int(piece.surface["position"][moment] != 0)


@piece_rule()
def phrase_length(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase has not two, four or eight bars, declared extensions left out."""
    extensions = list(units_of(piece, "extension"))
    for start, stop in phrase_spans(piece.surface):
        more = sum(bars(piece, unit) for unit in extensions if start <= unit.start < stop)
        length = _full_bars(piece, Span(start, stop)) - round(more)
        if length not in LENGTHS:
            yield Offence(start, everyone(piece), {"bars": str(length)})


@piece_rule()
def phrase_one_cadence(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase has no cadence, or closes more than once."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    phrases = phrase_cadences(piece)
    more = Counter(_inner_closes(moments, [place for place, _ in phrases]))
    for number, (place, kind) in enumerate(phrases):
        count = more[number] + (kind is not None)
        if count != 1:
            yield Offence(place, everyone(piece), {"count": str(count) if count else "no"})


def _inner_closes(moments: Moments, ends: list[int]) -> Iterator[int]:
    """Number of the phrase of each cadence that is marked before the end of a phrase."""
    for place in sorted({*np.flatnonzero(_closes(moments)).tolist()} - {*ends}):
        if place and cadence_kind(moments[place - 1], moments[place]) is not None:
            yield bisect_left(ends, place)


def _closes(moments: Moments) -> NDArray[np.bool_]:
    """Which chords are the last ones that are marked as the end of their phrase."""
    closing: NDArray[np.bool_] = (moments["phrase_end"] | moments["final"]) != 0
    closing[:-1] &= ~closing[1:] | (moments["boundary"][1:] != 0)
    return closing


@piece_rule()
def phrase_upbeat_consistent(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase begins with another upbeat than most phrases of the piece."""
    starts = [start for start, _ in phrase_spans(piece.surface)]
    upbeats = (-piece.surface["position"][starts].astype(int) % piece.bar_ticks).tolist()
    usual = Counter(upbeats).most_common(1)[0][0]
    for start, upbeat in zip(starts, upbeats, strict=True):
        if upbeat != usual:
            detail = {"upbeat": _beats(piece, upbeat), "usual": _beats(piece, usual)}
            yield Offence(start, everyone(piece), detail)


def _beats(piece: Piece, ticks: int) -> str:
    return f"{ticks / piece.beat_ticks:g}"


@piece_rule()
def hypermetre(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A phrase turns strong bars into weak ones without an elision."""
    elided = {place for unit in units_of(piece, "elision") for place in range(*_touched(unit))}
    starts = [start for start, _ in phrase_spans(piece.surface)]
    for before, after in pairwise(starts):
        between = _first_bar(piece, after) - _first_bar(piece, before)
        if between % 2 and after not in elided:
            yield Offence(after, everyone(piece), {"bars": str(between)})


def _touched(unit: Unit) -> tuple[int, int]:
    return unit.start, unit.stop + 1


# ------------------------------------------------------------------------------------- themes


def _idea(piece: Piece, unit: Unit) -> Span | None:
    """The basic idea that a unit goes back to: as declared, or half of what opens the theme."""
    declared = [each for each in units_of(piece, "basic-idea") if each.start <= unit.start]
    if declared:
        return Span(declared[-1].start, declared[-1].stop)
    opened = [each for each in units_of(piece, *OPENINGS) if each.start <= unit.start]
    return halves(piece, opened[-1])[0] if opened else None


@piece_rule()
def basic_idea_length(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A basic idea has not two real bars."""
    real = {"real-bar-half": 1, "real-bar-double": 4}
    declared = [length for name, length in real.items() if name in piece.context.devices]
    wanted = declared[0] if declared else 2
    for unit in units_of(piece, "basic-idea"):
        if bars(piece, unit) != wanted:
            yield _tune(piece, unit, bars=f"{bars(piece, unit):g}", wanted=str(wanted))


@piece_rule("alike")
def sentence_presentation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A presentation does not repeat its basic idea over the tonic, or it closes."""
    for unit in units_of(piece, "presentation"):
        first, second = halves(piece, unit)
        if likeness(piece, first, second, shape=True) < p["alike"]:
            yield _tune(piece, unit, problem="does not repeat its basic idea")
        elif not _prolongs_tonic(piece, first, second):
            yield _tune(piece, unit, problem="does not prolong the tonic")
        elif piece.surface["phrase_end"][unit.stop - 1] and cadence_at(piece, unit):
            yield _tune(piece, unit, problem="ends with a cadence")


def _prolongs_tonic(piece: Piece, first: Span, second: Span) -> bool:
    """Whether it begins on the tonic and comes back to it; a sequence need not come back."""
    assert piece.harmonic is not None, "rules on an unknown harmony are skipped"
    roots = [piece.harmonic["root"][slice(*chords_in(piece, span))] for span in (first, second)]
    if not len(roots[0]) or roots[0][0] != 0:
        return False
    sequence = likeness(piece, first, second) < RECOGNISABLE
    return sequence or bool((roots[1] == 0).any())


def _preceding(piece: Piece, unit: Unit) -> Unit | None:
    """The unit of a theme that ends where this one begins."""
    ends = [each for each in units_of(piece, *HALVES) if each.stop == unit.start]
    return ends[-1] if ends else None


def _per_tick(count: float, piece: Piece, span: Span | Unit) -> float:
    return count / (onset(piece, span.stop) - onset(piece, span.start))


def _attacks(piece: Piece, span: Span | Unit) -> float:
    """Moments a tick."""
    return _per_tick(span.stop - span.start, piece, span)


def _chords(piece: Piece, span: Span | Unit) -> float:
    """Chords a tick."""
    start, stop = chords_in(piece, span)
    return _per_tick(stop - start, piece, span)


def _repeats_smaller(piece: Piece, unit: Unit) -> bool:
    """Fragmentation or sequence: its first bars, at most half of it, come again at once."""
    for length in (0.5, 1.0, 2.0):
        first = head(piece, unit, length)
        second = head(piece, Span(first.stop, unit.stop), length)
        whole = 2 * length <= bars(piece, unit) and first.stop - first.start > 1
        if whole and likeness(piece, first, second, shape=True) >= SAME:
            return True
    return False


def _quicker(rate: Callable[[Piece, Span | Unit], float]) -> Callable[[Piece, Unit], bool]:
    def quicker(piece: Piece, unit: Unit) -> bool:
        before = _preceding(piece, unit)
        return before is not None and rate(piece, unit) > rate(piece, before)

    return quicker


def _liquidates(piece: Piece, unit: Unit) -> bool:
    idea = _idea(piece, unit)
    if idea is None:
        return False
    first, second = (motive_share(piece, span, idea) for span in halves(piece, unit))
    return second < first


SIGNS: tuple[Callable[[Piece, Unit], bool], ...] = (  # of a continuation, Caplin ch. 3
    _repeats_smaller,
    _quicker(_chords),
    _quicker(_attacks),
    _liquidates,
)


@piece_rule()
def sentence_continuation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A continuation does not press on, or does not close."""
    for unit in units_of(piece, "continuation"):
        if not any(sign(piece, unit) for sign in SIGNS):
            yield _tune(piece, unit, problem="goes on as the theme began")
        if cadence_at(piece, unit) not in (*AUTHENTIC, *HALF):
            yield _close(piece, unit, problem="ends with no authentic or half cadence")


@piece_rule()
def period_antecedent(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """An antecedent repeats its idea instead of contrasting it, or closes too well."""
    weak = (*HALF, *(kind for kind in AUTHENTIC if kind != "cad-pac"))
    for unit in units_of(piece, "antecedent"):
        first, second = halves(piece, unit)
        if likeness(piece, first, second, shape=True) >= SAME:
            yield _tune(piece, unit, problem="has no contrasting idea")
        if cadence_at(piece, unit) not in weak:
            yield _close(piece, unit, problem="ends with no half or imperfect cadence")


@piece_rule()
def period_consequent(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A consequent does not bring the basic idea back, or does not close perfectly."""
    for unit in units_of(piece, "consequent"):
        before = _preceding(piece, unit)
        one_name = before is not None and before.name == unit.name
        if before is not None and one_name:
            alike = likeness(piece, halves(piece, before)[0], halves(piece, unit)[0], shape=True)
            if alike < RECOGNISABLE:
                yield _tune(piece, unit, problem="does not begin with the basic idea")
        if cadence_at(piece, unit) != "cad-pac":
            yield _close(piece, unit, problem="ends with no perfect authentic cadence")


@piece_rule("parallel", "contrasting")
def period_parallel_identity(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The halves of a parallel period begin too differently, of a contrasting one too alike."""
    for unit in units_of(piece, "consequent"):
        before = _preceding(piece, unit)
        if before is None or before.kind != "antecedent" or not (before.name and unit.name):
            continue
        share = likeness(piece, head(piece, before, 2), head(piece, unit, 2))
        detail = {"share": f"{100 * share:.0f}"}
        if before.name == unit.name and share < p["parallel"]:
            yield _tune(piece, unit, problem="too little for a parallel period", **detail)
        if before.name != unit.name and share >= p["contrasting"]:
            yield _tune(piece, unit, problem="too much for a contrasting period", **detail)


@piece_rule()
def hybrid_check(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A hybrid theme is not made of the two parts of its kind."""
    for unit in units_of(piece, *HYBRIDS):
        parts = tuple(part.kind for part in within(piece, unit, *HALVES))
        if parts != HYBRIDS[unit.kind]:
            said = " and ".join(_name(part) for part in parts) or "nothing"
            wanted = " and ".join(_name(part) for part in HYBRIDS[unit.kind])
            yield _tune(piece, unit, unit=_name(unit.kind), parts=said, wanted=wanted)


@piece_rule()
def fragmentation_monotone(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The units of a continuation do not grow shorter."""
    for unit in units_of(piece, "continuation"):
        fragments = within(piece, unit, "fragment")
        idea = _idea(piece, unit)
        sizes = [bars(piece, each) for each in fragments]
        if idea is not None:
            sizes.insert(0, bars(piece, idea))
        if len(fragments) < 2:
            continue
        grows = any(after > before for before, after in pairwise(sizes))
        if grows or sizes[-1] == sizes[0]:
            yield _tune(piece, unit, sizes=", ".join(f"{size:g}" for size in sizes))


@piece_rule()
def liquidation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The motive is as present before the cadence as at the start of the continuation."""
    for unit in units_of(piece, "continuation"):
        idea = _idea(piece, unit)
        if idea is not None:
            first, second = (motive_share(piece, span, idea) for span in halves(piece, unit))
            if second > 0 and second >= first:
                detail = {"first": f"{100 * first:.0f}", "second": f"{100 * second:.0f}"}
                yield _tune(piece, unit, **detail)


@piece_rule()
def cadential_idea(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The last two bars of a theme keep the whole basic idea."""
    for unit in units_of(piece, "continuation", "consequent", "cadential"):
        idea = _idea(piece, unit)
        if idea is None or bars(piece, unit) < 2:
            continue
        last = Span(head(piece, unit, bars(piece, unit) - 2).stop, unit.stop)
        if last.start > idea.start and likeness(piece, idea, last, shape=True) >= SAME:
            yield _tune(piece, last)


# ------------------------------------------------------------------------------ larger forms


@piece_rule("share", "bars")
def theme_return(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A section that is called a return does not begin as its model."""
    for unit in units_of(piece, "return"):
        models = [
            each
            for each in piece.context.units
            if each.name and each.name == unit.name and each.stop <= unit.start
        ]
        if models:
            model = min(models, key=lambda each: (each.start, -each.stop))
            share = likeness(piece, head(piece, model, p["bars"]), head(piece, unit, p["bars"]))
            if share < p["share"]:
                yield _tune(piece, unit, name=unit.name, share=f"{100 * share:.0f}")


@piece_rule()
def contrast_middle(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A contrasting middle has the key, the material and the texture of what it contrasts."""
    for unit in units_of(piece, "contrasting-middle"):
        before = [each for each in piece.context.units if each.stop == unit.start]
        if before:
            model = min(before, key=lambda each: each.start)
            densities = [_attacks(piece, span) for span in (model, unit)]
            texture = abs(densities[1] / densities[0] - 1) < SAME_DENSITY
            material = likeness(piece, model, unit, shape=True) >= SAME
            if texture and material and _keys(piece, model) == _keys(piece, unit):
                yield _tune(piece, unit)


def _keys(piece: Piece, span: Span | Unit) -> list[tuple[int, int]]:
    """The keys of a stretch in turn, as line of fifths and mode; what is unknown is left out."""
    surface = piece.surface[span.start : span.stop]
    known = surface[surface["tonic"] != NONE]
    keys = list(zip(known["tonic"].tolist(), known["mode"].tolist(), strict=True))
    return [key for index, key in enumerate(keys) if index == 0 or key != keys[index - 1]]


@piece_rule()
def retransition(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A contrasting middle does not end on the dominant of the home key."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    home = home_tonic(piece)
    for unit in units_of(piece, "contrasting-middle"):
        start, stop = chords_in(piece, unit)
        if stop == start or moments["root"][stop - 1] == NONE:
            continue
        last = moments[stop - 1]
        major = last["third"] - last["root"] == 4
        if last["root"] + last["tonic"] != home + 1 or not major:
            yield _close(piece, unit)


@piece_rule()
def recap_tonic(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Subordinate material does not close in the tonic at the recapitulation."""
    home = home_tonic(piece)
    for whole in units_of(piece, "recapitulation"):
        for unit in within(piece, whole, "subordinate-theme"):
            keys = _keys(piece, unit)
            if keys and keys[-1][0] != home:
                yield _close(piece, unit)


@piece_rule()
def coda_after_cadence(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Closing material begins before a perfect cadence has closed."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    for unit in units_of(piece, *CLOSINGS):
        first = chords_in(piece, unit).start
        arrival = _last_arrival(moments[: first + 1])
        closed = arrival and cadence_kind(moments[arrival - 1], moments[arrival]) == "cad-pac"
        if not closed:
            yield _tune(piece, unit, unit=_name(unit.kind))


def _last_arrival(moments: Moments) -> int:
    """Where the last stretch of tonic chords began, 0 if there is none."""
    roots = moments["root"].tolist()
    place = len(roots) - 1
    if place > 0 and roots[place] != 0:
        place -= 1  # the closing material itself may begin on another chord
    while place > 0 and roots[place] == 0 and roots[place - 1] == 0:
        place -= 1
    return place


@piece_rule()
def variation_frame(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A variation changes the length, the cadences or the keys of its theme."""
    themes = list(units_of(piece, "theme"))
    if not themes or "free-variation" in piece.context.devices:
        return
    for unit in units_of(piece, "variation"):
        for what, frame in FRAMES.items():
            if frame(piece, unit) != frame(piece, themes[0]):
                yield _tune(piece, unit, what=what)
                break


def _cadences(piece: Piece, unit: Unit) -> list[str | None]:
    """The cadences at the phrase ends of a unit."""
    moments = piece.harmonic
    assert moments is not None, "rules on an unknown harmony are skipped"
    start, stop = chords_in(piece, unit)
    ends = start + np.flatnonzero(_closes(moments)[start:stop])
    return [cadence_kind(moments[end - 1] if end else None, moments[end]) for end in ends]


def _key_plan(piece: Piece, unit: Unit) -> list[int]:
    """Tonics in turn: a variation may change the mode."""
    tonics = [tonic for tonic, _ in _keys(piece, unit)]
    return [tonic for index, tonic in enumerate(tonics) if index == 0 or tonic != tonics[index - 1]]


FRAMES: Mapping[str, Callable[[Piece, Unit], object]] = {
    "number of bars": bars,
    "plan of keys": _key_plan,
    "cadences": _cadences,
}


@piece_rule()
def ground_constant(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A statement of a ground is not the ground."""
    statements = [(unit, _bass(piece, unit)) for unit in units_of(piece, "ground")]
    for unit, notes in statements[1:]:
        if not _is_ground(statements[0][1], notes, piece.context.devices):
            yield Offence(unit.start, (len(piece.voices) - 1,))


def _bass(piece: Piece, unit: Unit) -> dict[int, int]:
    """Distance from the start of each note of the lowest voice, and its pitch class."""
    begin = onset(piece, unit.start)
    notes = line_notes(piece, len(piece.voices) - 1, start=unit.start, stop=unit.stop)
    return {onset(piece, note.start) - begin: pitch_class(note) for note in notes}


def _is_ground(model: Mapping[int, int], notes: Mapping[int, int], devices: frozenset[str]) -> bool:
    """Whether a bass has each note of the ground where it belongs, as strictly as declared."""
    more = len(notes) != len(model) and "ground-ornamented" not in devices
    if more or not set(model) <= set(notes):
        return False
    shifts = {notes[offset] - model[offset] for offset in model}
    return shifts == {0} or (len(shifts) == 1 and "ground-transposed" in devices)
