"""Conflicts and ways out in words, and as values of JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from musegen.plan.ensemble import CHOIR
from musegen.plan.plan import Harmony, Plan, where
from musegen.search.conflict import LIMIT, MOST_SETS
from musegen.tasks.relaxation import MOST_PAIRS, MOST_WORK
from theory_kb.check import Style
from theory_kb.pitch import Pitch
from theory_kb.rules.records import rule

if TYPE_CHECKING:
    from musegen.tasks.relaxation import Change, Constraint

__all__ = ["LONG", "PROOFS", "WORK", "named", "proof_told", "told", "ways_told"]

FEW = 4  # chords that are named one by one

WORK = (
    f"{LIMIT} questions, {MOST_WORK // 1_000_000} million pairs of voicings, {MOST_SETS:,} sets; "
    f"or {MOST_PAIRS // 1_000_000} million pairs for one question"
)

PROOFS: Mapping[str, str] = {
    "only": "each of these is needed for the conflict, and there is no other in these bars",
    "smallest": "no smaller set of what holds in these bars explains it; others as small may",
    "irreducible": "each of these is needed for the conflict; a smaller one may exist, since the "
    f"search ended at a limit: {WORK}",
    "cut short": "not all of these may be needed, since the search for the smallest set ended at a "
    f"limit: {WORK}",
    "surfaces": "each surface that was drawn breaks one of these, up to 20 of each row of chords; "
    "another one may not",
}
LONG = ", long rules"  # at the end of a proof: beside what holds in any case
BESIDE = "the rules on one chord and on two neighbours are held beside them"

Words = Callable[[Plan, Style, "Constraint"], str]


def proof_told(proof: str) -> list[str]:
    """What is known of a conflict, a fact a line."""
    lines = [PROOFS[proof.removesuffix(LONG)]]
    return [*lines, BESIDE] if proof.endswith(LONG) else lines


def told(plan: Plan, style: Style, members: Sequence[Constraint]) -> str:
    """Constraints in words, those alike but for their place named once."""
    places: dict[str, list[str]] = {}
    for each in members:
        places.setdefault(TELLS[each.kind](plan, style, each), []).append(_where(plan, each))
    return "; ".join(f"{what} {_row(where_)}" for what, where_ in places.items())


def ways_told(plan: Plan, style: Style, ways: Sequence[Sequence[Change]]) -> list[str]:
    """Ways out in words, the cheapest first, a line each."""
    if not ways:
        return ["no way out was found by changing what holds in these bars alone"]
    heads = ["the cheapest way out", *["or"] * (len(ways) - 1)]
    return [
        f"{head}: {' and '.join(_change_told(plan, style, each) for each in way)}"
        for head, way in zip(heads, ways, strict=True)
    ]


def named(
    plan: Plan, style: Style, constraint: Constraint, *, to: Pitch | Harmony | None = None
) -> dict[str, Any]:
    """A constraint, and what could stand in its place, as values of JSON."""
    unit = plan.metre[1]
    values: dict[str, Any] = {
        "kind": constraint.kind,
        "text": told(plan, style, [constraint]),
        "places": [
            {"bar": plan.slots[slot].bar, "where": where(plan.slots[slot], unit)}
            for slot in constraint.slots
        ],
    }
    if constraint.voice >= 0:
        values["voice"] = plan.ensemble.voices[constraint.voice].lower()
    if constraint.rule:
        values["rule"] = constraint.rule
    if to is not None:
        values["to"] = _name(to)
    return values


# --- constraints ----------------------------------------------------------------------------


def _where(plan: Plan, constraint: Constraint) -> str:
    unit = plan.metre[1]
    first, last = (plan.slots[constraint.slots[place]] for place in (0, -1))
    if first is last or constraint.kind == "note":
        return where(first, unit)
    return f"{where(first, unit)} to {where(last, unit)}"


def _row(places: Sequence[str]) -> str:
    return f"at {' and '.join(places)}"


def _note(plan: Plan, _: Style, note: Constraint) -> str:
    given = plan.slots[note.slots[0]].given[note.voice]
    assert given is not None  # the constraint is a note of this slot
    sounds = ", ".join(str(pitch) for pitch in given.pitches)
    return f"{plan.ensemble.voices[note.voice].lower()} {sounds}"


def _chord(plan: Plan, _: Style, constraint: Constraint) -> str:
    slot = plan.slots[constraint.slots[0]]
    keys = " or ".join(dict.fromkeys(str(each.key) for each in slot.harmonies))
    symbols = list(dict.fromkeys(each.chord.symbol for each in slot.harmonies))
    if len(symbols) == 1:
        return f"chord {symbols[0]} of {keys}"
    if len(symbols) <= FEW or ((slot.closes or slot.to_end == 1) and len(symbols) <= 3 * FEW):
        return f"one of the chords {', '.join(symbols)} of {keys}"
    return f"a chord of {keys}"


def _rule(_: Plan, style: Style, constraint: Constraint) -> str:
    return f'rule {constraint.rule} ("{rule(constraint.rule).name}", {style.severities[constraint.rule]})'


def _range(plan: Plan, _: Style, constraint: Constraint) -> str:
    name = plan.ensemble.voices[constraint.voice].lower()
    compass = plan.ensemble.compass[constraint.voice]
    return f"the {name} from {compass.core_low} to {compass.core_high}"


def _degree(plan: Plan, _: Style, constraint: Constraint) -> str:
    degrees = plan.slots[constraint.slots[0]].soprano
    return f"the soprano on degree {' or '.join(map(str, degrees))}"


def _fixed(text: str) -> Words:
    return lambda *_: text


TELLS: Mapping[str, Words] = {
    "note": _note,
    "chord": _chord,
    "degree": _degree,
    "rule": _rule,
    "order": _fixed("the order of chords that the progressions allow"),
    "range": _range,
    "spacing-upper": _fixed(f"upper voices at most {CHOIR.gaps[0][1]} semitones apart"),
    "spacing-lower": _fixed(f"tenor and bass at most {CHOIR.gaps[-1][1]} semitones apart"),
    "crossing": _fixed("voices that do not cross"),
    "complete": _fixed("chords without a missing note but the fifth"),
}


# --- ways out -------------------------------------------------------------------------------


def _name(to: Pitch | Harmony) -> str:
    return str(to) if isinstance(to, Pitch) else f"{to.chord.symbol} of {to.key}"


def _change_told(plan: Plan, style: Style, change: Change) -> str:
    constraint = change.constraint
    return GIVE_UP[constraint.kind](plan, style, change, _where(plan, constraint))


Loosening = Callable[[Plan, Style, "Change", str], str]


def _move_note(plan: Plan, style: Style, change: Change, place: str) -> str:
    voice = plan.ensemble.voices[change.constraint.voice].lower()
    sounds = _note(plan, style, change.constraint).removeprefix(f"{voice} ")
    if change.to is None:
        return f"leave the {voice} open instead of {sounds} at {place}"
    return f"move the {voice}'s {sounds} at {place} to {_name(change.to)}"


def _other_chord(plan: Plan, style: Style, change: Change, place: str) -> str:
    old = _chord(plan, style, change.constraint)
    if change.to is None:
        return f"leave the chord at {place} open instead of {old}"
    return f"put {_name(change.to)} at {place} in place of {old.removeprefix('chord ')}"


def _other_degree(plan: Plan, _: Style, change: Change, place: str) -> str:
    degrees = plan.slots[change.constraint.slots[0]].soprano
    return f"leave the soprano at {place} off degree {' or '.join(map(str, degrees))}"


def _break_rule(_: Plan, __: Style, change: Change, place: str) -> str:
    name = change.constraint.rule
    return f'give up rule {name} ("{rule(name).name}") once, at {place}'


def _widen(plan: Plan, _: Style, change: Change, place: str) -> str:
    name = plan.ensemble.voices[change.constraint.voice].lower()
    compass = plan.ensemble.compass[change.constraint.voice]
    return (
        f"let the {name} go as far as {compass.extended_low} or {compass.extended_high} at {place}"
    )


def _loosen(text: str) -> Loosening:
    return lambda *told: f"{text} at {told[-1]}"


GIVE_UP: Mapping[str, Loosening] = {
    "note": _move_note,
    "chord": _other_chord,
    "degree": _other_degree,
    "rule": _break_rule,
    "range": _widen,
    "order": _loosen("let chords follow in an order that the progressions do not allow"),
    "spacing-upper": _loosen(f"let upper voices be more than {CHOIR.gaps[0][1]} semitones apart"),
    "spacing-lower": _loosen(
        f"let tenor and bass be more than {CHOIR.gaps[-1][1]} semitones apart"
    ),
    "crossing": _loosen("let voices cross"),
    "complete": _loosen("let notes of the chord be missing"),
}
