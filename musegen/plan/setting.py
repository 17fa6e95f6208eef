"""A plan around what is given: a tune, a bass, any voices; or a row of chords.

Each phrase closes in the near key that its notes fit best, with a cadence whose soprano and bass
are theirs; the last one at home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import log

from musegen.errors import ScoreError
from musegen.plan.closing import (
    PERFECT,
    Kinds,
    finals_of,
    formulas,
    kinds_in,
    last_note,
    offered,
)
from musegen.plan.ensemble import CHOIR
from musegen.plan.home import fit, home_key
from musegen.plan.plan import ANY, COMMON, Harmony, Phrase, Plan, Slot, where
from musegen.plan.spans import MOST_SLOTS, Span, bound_slots, slots_of
from musegen.score import Metre, Note, Score
from theory_kb.cadences import CadenceFormula
from theory_kb.check import Style
from theory_kb.chords import Chord, chord, spell, vocabulary
from theory_kb.key_relations import related_keys
from theory_kb.metre import beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, PitchClass, ScaleDegree

__all__ = [
    "chords_at",
    "every_chord",
    "plan_around",
    "plan_of_chords",
]

EVERYDAY = ("common", "occasional")  # uses of chords that a beat is first offered
SOPRANO, BASS = 0, 3
FIT = 6.0  # weight, in nats, of the share of a phrase's notes that lie in a key
FAR = 0.5  # weight, in per cent, of a key in which the counted chorales never cadence
UNCOUNTED = 0.5  # phrases by which a formula that was never counted counts
NO_FORMULA = 0.05  # phrases by which a key counts in which no cadence fits the notes
CLOSING = 2  # last chords of a phrase that are bound to cadences
HALF = ("cad-hc", "cad-phrygian")
PICARDY = {"I"}
FIFTH = ScaleDegree(5, 0)
OPENING = ("I", "I6", "V", "vi", "i", "i6", "VI")


def plan_around(
    score: Score,
    given: Mapping[int, Sequence[Note]],
    *,
    home: Key | None = None,
    name: str,
    least_grade: int = COMMON,
    bars: Sequence[int] = (),
    style: Style | None = None,
) -> Plan:
    """The plan of a piece of which some voices are given.

    Args:
        score: key, metre, upbeat, tempo and phrase ends.
        given: notes by voice, 0 soprano to 3 bass.
        home: the key; if None, the score's if the notes are in it, else theirs.
        name: of the task.
        least_grade: of the progressions that may stand. Below `COMMON` phrases may close on any
            chord of any of their keys: for a tune that no common way carries.
        bars: in which phrases end, if they are asked for and not looked for.
        style: whose last cadences count; None leaves all but deceptive ones open.

    Raises:
        ScoreError: nothing is given, more than a plan may hold, or a last note with which no piece
            in the key can close.
        OptionError: a bar that is not there.
        UnknownNameError: a metre that is not known.
    """
    lines = {voice: tuple(notes) for voice, notes in given.items() if notes}
    slots = bound_slots(score, lines, bars, name)
    key = home or home_key(lines, score.key, closes=lambda each: _comes_home(each, slots, style))
    finals = finals_of(style, key)
    _check_end(slots[-1], key, score, offered(finals))
    phrases = _phrases(slots, key)
    free = least_grade < COMMON
    return Plan(
        name,
        key,
        (score.metre.beats, score.metre.unit),
        score.upbeat,
        score.tempo,
        tuple(
            _with_harmony(slot, phrases[slot.phrase], slots, key, finals, free=free)
            for slot in slots
        ),
        phrases,
        lines,
        least_grade=least_grade,
        stated=score.key if home is None and key != score.key else None,
        finals=finals,
        title=score.title,
    )


def plan_of_chords(
    chords: Sequence[tuple[Harmony, Fraction]],
    *,
    metre: Metre,
    tempo: float = 72.0,
    name: str = "Realisation",
) -> Plan:
    """The plan of a row of chords, each for so many beats.

    Raises:
        ScoreError: no chord, or more than a plan may hold.
    """
    if not 1 <= len(chords) <= MOST_SLOTS:
        raise ScoreError(name, f"{len(chords)} chords, allowed are 1 to {MOST_SLOTS}")
    beat = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    spans, time = [], Fraction(0)
    for number, (_, beats) in enumerate(chords):
        spans.append(Span(time, time + beats * beat, number == len(chords) - 1))
        time += beats * beat
    slots = [
        replace(slot, harmonies=(harmony,))
        for slot, (harmony, _) in zip(slots_of(spans, metre, Fraction(0)), chords, strict=True)
    ]
    keys = [harmony.key for harmony, _ in chords]
    phrase = Phrase(name, 0, len(slots) - 1, keys[0], keys[-1], fermata=False)
    return Plan(
        name,
        keys[0],
        (metre.beats, metre.unit),
        Fraction(0),
        tempo,
        tuple(slots),
        (phrase,),
        least_grade=ANY,
        chords_given=True,
    )


# --- keys and cadences ----------------------------------------------------------------------


def _phrases(slots: Sequence[Slot], home: Key) -> tuple[Phrase, ...]:
    phrases: list[Phrase] = []
    count = slots[-1].phrase + 1
    near = {related.key for related in related_keys(home)}
    for number in range(count):
        places = [place for place, slot in enumerate(slots) if slot.phrase == number]
        inside = [slots[place] for place in places]
        key = _key_of(inside, home, last=number == count - 1)
        before = phrases[-1].key if phrases else home
        start = before if before in near and _fit(before, inside[:CLOSING]) == 1 else home
        phrases.append(
            Phrase(f"phrase {number + 1}", places[0], places[-1], start, key, fermata=True)
        )
    return tuple(phrases)


def _key_of(slots: Sequence[Slot], home: Key, *, last: bool) -> Key:
    """The near key that the second half of a phrase fits best; that of the last phrase is home."""
    late = slots[len(slots) // 2 :]
    if last:
        return home

    def worth(key: Key, share: float) -> float:
        counted = sum(
            formula.count + UNCOUNTED
            for formula in formulas(key)
            if formula.kind in kinds_in(key, home) and _closes(formula, key, slots)
        )
        return log(share + FAR) + FIT * _fit(key, late) + log(counted + NO_FORMULA)

    choices = {related.key: worth(related.key, related.share) for related in related_keys(home)}
    return max(choices, key=lambda key: choices[key])


def _fit(key: Key, slots: Sequence[Slot]) -> float:
    """Share of the given notes of some slots that lie in a key."""
    given = (each for slot in slots for each in slot.given if each is not None)
    return fit(key, [pitch.pitch_class for each in given for pitch in each.pitches])


def _closes(formula: CadenceFormula, key: Key, slots: Sequence[Slot]) -> bool:
    """Whether the last given notes of a phrase can stand over the last chords of a formula."""
    symbols = formula.chords[-CLOSING:]
    last = slots[-len(symbols) :]
    if len(last) < len(symbols):
        return False
    return all(
        _holds(chord(key.mode, symbol), key, slot)
        for symbol, slot in zip(symbols, last, strict=True)
    )


def _holds(each: Chord, key: Key, slot: Slot) -> bool:
    """Whether a chord holds a note of every given voice, of the bass first that in its bass."""
    members = [key.tonic.transposed(member) for member in each.members]
    held = (
        (voice, next((note for note in given.pitches if note.pitch_class in members), None))
        for voice, given in enumerate(slot.given)
        if given is not None
    )
    return all(
        note is not None and (voice != BASS or note.pitch_class == members[each.inversion])
        for voice, note in held
    )


# --- chords ---------------------------------------------------------------------------------


@cache
def _chords(key: Key) -> tuple[Harmony, ...]:
    return tuple(Harmony(key, each) for each in vocabulary() if each.mode == key.mode)


def every_chord(key: Key, slot: Slot) -> tuple[Harmony, ...]:
    """Every chord of a key that holds what is given at a slot."""
    return tuple(each for each in _chords(key) if _holds(each.chord, key, slot))


def chords_at(plan: Plan, place: int) -> tuple[Harmony, ...]:
    """The chords of its phrase that may stand at a slot, given notes as they now are."""
    slot = plan.slots[place]
    phrase = plan.phrases[slot.phrase]
    if plan.least_grade < COMMON:
        keys = dict.fromkeys((phrase.start_key, phrase.key))
        return tuple(one for key in keys for one in every_chord(key, slot))
    return _with_harmony(slot, phrase, plan.slots, plan.home, plan.finals, free=False).harmonies


def _with_harmony(
    slot: Slot,
    phrase: Phrase,
    slots: Sequence[Slot],
    home: Key,
    finals: Kinds | None,
    *,
    free: bool,
) -> Slot:
    """The chords that may stand at a slot and hold what is given there."""
    last = slot.phrase == slots[-1].phrase
    kinds = offered(finals) if last else kinds_in(phrase.key, home)
    if last and slot.closes:
        slot = last_note(slot, finals)
    keys = _keys_of(slot, phrase)
    ends = slot.to_end < CLOSING
    if free and not (last and ends):
        near = [related.key for related in related_keys(home)] if ends else []
        keys = tuple(dict.fromkeys((*keys, phrase.start_key, phrase.key, home, *near)))
    holding = tuple(
        harmony for key in keys for harmony in _chords(key) if _holds(harmony.chord, key, slot)
    )
    everyday = tuple(each for each in holding if free or each.chord.use in EVERYDAY) or holding
    if not everyday:  # the search says what stands in the way, beside all else that does
        return replace(slot, harmonies=_chords(phrase.key))
    chosen: tuple[Harmony, ...] = ()
    if ends and not free:
        chosen = _closing(slot, phrase, slots, kinds)
    elif slot.closes:
        chosen = tuple(each for each in everyday if _arrives(each, kinds))
    if not chosen and slot.from_start == 0 and slot.phrase == 0:
        chosen = tuple(each for each in everyday if each.chord.symbol in OPENING)
    return replace(slot, harmonies=chosen or everyday)


def _arrives(each: Harmony, kinds: Kinds) -> bool:
    """Whether some cadence of some kinds leads to a chord."""
    ends = {formula.chords[-1] for formula in formulas(each.key) if formula.kind in kinds}
    return each.chord.symbol in ends | PICARDY


def _comes_home(key: Key, slots: Sequence[Slot], style: Style | None) -> bool:
    """Whether a piece may end in a key as its given notes do."""
    finals = offered(finals_of(style, key))
    return any(each.kind in finals and _closes(each, key, slots) for each in formulas(key))


def _check_end(slot: Slot, key: Key, score: Score, finals: Kinds) -> None:
    """Refuse a last note with which no last cadence of a key can sound.

    Raises:
        ScoreError: names the place, the note, and the notes that may stand there.
    """
    chords = dict.fromkeys(each.chords[-1] for each in formulas(key) if each.kind in finals)
    if key.mode == "minor" and "i" in chords:
        chords["I"] = None  # the Picardy third
    for voice, each in enumerate(slot.given):
        if each is None:
            continue
        allowed = dict.fromkeys(
            tone for symbol in chords for tone in _last_tones(chord(key.mode, symbol), key, voice)
        )
        if finals == PERFECT and voice == SOPRANO:
            allowed = dict.fromkeys([key.tonic])
        if not any(pitch.pitch_class in allowed for pitch in each.pitches):
            names = [str(tone) for tone in allowed]
            raise ScoreError(
                where(slot, score.metre.unit),
                f"the {CHOIR.voices[voice].lower()} ends on {each.pitches[-1]}; a piece in {key} closes in this "
                f"style with {', '.join(names[:-1])}{' or ' if names[1:] else ''}{names[-1]} there",
            )


def _last_tones(each: Chord, key: Key, voice: int) -> list[PitchClass]:
    """Notes of a chord that a voice may sing."""
    tones = spell(each, key)
    return [tones[each.inversion]] if voice == BASS else list(tones)


def _closing(
    slot: Slot, phrase: Phrase, slots: Sequence[Slot], kinds: Kinds
) -> tuple[Harmony, ...]:
    """Chords of the cadences of some kinds that the end of a phrase admits at a place."""
    inside = slots[phrase.first : phrase.last + 1]
    fitting = [
        formula
        for formula in formulas(phrase.key)
        if formula.kind in kinds and _closes(formula, phrase.key, inside)
    ]
    if phrase.last + 1 == len(slots):
        fitting = _finals(fitting, phrase.key, inside[-1])
    found = dict.fromkeys(
        formula.chords[-1 - slot.to_end] for formula in fitting if len(formula.chords) > slot.to_end
    )
    if phrase.key.mode == "minor" and "i" in found and slot.to_end == 0:
        found["I"] = None  # the Picardy third
    left = _told_apart(found, fitting, phrase.key, kinds) if slot.to_end == 1 else found
    chords = (chord(phrase.key.mode, symbol) for symbol in left)
    return tuple(Harmony(phrase.key, each) for each in chords if _holds(each, phrase.key, slot))


def _told_apart(
    found: Iterable[str], fitting: Sequence[CadenceFormula], key: Key, kinds: Kinds
) -> list[str]:
    """Chords before the last: without those that would make a cadence of another kind.

    The IV of a half cadence before the I of an authentic one is a plagal cadence.
    """
    arrivals = {formula.chords[-1] for formula in fitting}
    other = {formula.chords[-CLOSING:] for formula in formulas(key) if formula.kind not in kinds}
    kept = [each for each in found if not other & {(each, arrival) for arrival in arrivals}]
    return kept or list(found)


def _finals(fitting: list[CadenceFormula], key: Key, slot: Slot) -> list[CadenceFormula]:
    """Of the formulas that fit, those for the end of a piece: closes, not half closes.

    But a tune in minor that ends on its fifth degree ends on the dominant: of 14 training chorales
    that do, 12 close so (tunes in the Phrygian mode).
    """
    given = slot.given[SOPRANO]
    fifth = given is not None and given.pitches[-1].pitch_class == key.degree(FIFTH)
    wanted = key.mode == "minor" and fifth
    chosen = [formula for formula in fitting if (formula.kind in HALF) == wanted]
    return chosen or fitting


def _keys_of(slot: Slot, phrase: Phrase) -> tuple[Key, ...]:
    """Keys in whose chords a slot may be heard: a phrase that modulates turns in its middle."""
    if phrase.start_key == phrase.key:
        return (phrase.key,)
    if slot.to_end <= CLOSING:
        return (phrase.key,)
    return (phrase.start_key,) if slot.from_start < 1 else (phrase.start_key, phrase.key)
