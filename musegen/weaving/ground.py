"""Chaconne and passacaglia: a bass that returns unchanged, and variations that grow over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.errors import OptionError, UnknownNameError
from musegen.plan.layout import tonic
from musegen.plan.plan import Harmony
from musegen.score import Note
from musegen.weaving.design import Design, Loom
from musegen.weaving.fabric import Free, Timbre
from musegen.weaving.material import fitting, placed
from musegen.weaving.rhythms import CALM, Bar, drawn_bar, liking
from theory_kb.catalogue import catalogue
from theory_kb.chords import chord, spell, vocabulary
from theory_kb.pitch import Key, Pitch

__all__ = ["VOICES", "ground"]

VOICES = (
    Timbre("Melody", 29, 42),
    Timbre("Middle", 24, 34),
    Timbre("Ground", 13, 26),
)
MELODY, MIDDLE, BASS = range(3)
STATEMENTS = 16  # of a form whose ground is not a section of its own
LEVELS: tuple[float | Bar, ...] = (  # rhythm of a variation: notes a beat, or what a beat strikes
    0.7,
    1.0,
    1.4,
    ((0, 2),),
    ((0, 2), (0, 2, 3)),
    ((0, 1, 2, 3), (0, 2)),
    ((0, 1, 2, 3),),
)
SUSTAINED = Free((((), 0.0), ((0,), 0.3)))


@dataclass(frozen=True, slots=True)
class _Tone:
    """A note of the ground with its chords."""

    beat: int
    beats: int
    pitch: Pitch
    harmonies: tuple[Harmony, ...]


def ground(loom: Loom) -> Design:
    """Statement after statement of the ground; what is above it gets quicker, thicker, and returns."""
    length, alone = _length(loom)
    count = loom.beats // length
    tones = _tones(loom, length)
    _phrased(loom, length)
    for number in range(count):
        last = number == count - 1
        _state(loom, number * length, _closing(loom, tones) if last else tones, number)
    for number in range(alone, count):
        _vary(loom, number - alone, count - alone, range(number * length, (number + 1) * length))
    loom.closed(ends_only=True)
    final = max(loom.course.cadences)
    loom.course.cadences = {final: loom.course.cadences[final]}
    return loom.design()


def _length(loom: Loom) -> tuple[int, int]:
    """Beats of a statement, and how many statements stand alone."""
    starts = list(loom.course.starts.values())
    first = starts[1] if len(starts) > 1 else loom.beats
    section = loom.template.sections[0]
    if section.theme == loom.template.sections[1].theme if len(starts) > 1 else True:
        return loom.beats // STATEMENTS, 0
    return first, 1


def _tones(loom: Loom, length: int) -> list[_Tone]:
    if loom.theme:
        return _given(loom, length)
    facts = catalogue()["ground"]
    name = loom.template.ground
    if name not in facts:
        raise UnknownNameError("ground", name, sorted(facts))
    fact = facts[name]
    key = loom.home
    if fact["mode"] != key.mode:
        fitting_ones = [each for each, one in facts.items() if one["mode"] == key.mode]
        raise OptionError("ground", name, f"one in {key.mode}: {', '.join(sorted(fitting_ones))}")
    symbols = " ".join(fact["chords"]).split()
    if length % len(symbols):
        allowed = f"a ground whose {len(symbols)} chords divide {length} beats"
        raise OptionError("ground", name, allowed)
    each = length // len(symbols)
    found: list[_Tone] = []
    for place, symbol in enumerate(symbols):
        harmony = Harmony(key, chord(key.mode, symbol))
        bass = spell(harmony.chord, key)[harmony.chord.inversion]
        pitch = _near(bass, found[-1].pitch if found else None)
        found.append(_Tone(place * each, each, pitch, (harmony,)))
    return found


def _phrased(loom: Loom, length: int) -> None:
    """Note where the phrases of a ground end, if it has more than one."""
    phrases = [] if loom.theme else catalogue()["ground"][loom.template.ground]["chords"]
    if len(phrases) < 2:
        return
    counts = [len(each.split()) for each in phrases]
    ends = [length * sum(counts[: place + 1]) // sum(counts) for place in range(len(counts))]
    for start in range(0, loom.beats, length):
        loom.course.ends.update(start + end for end in ends if start + end < loom.beats)


def _near(bass: object, before: Pitch | None) -> Pitch:
    """The bass note that lies nearest to the one before, in the compass of the ground."""
    timbre = VOICES[BASS]
    choices = [Pitch.of(bass, octave) for octave in range(1, 5)]  # type: ignore[arg-type]
    inside = [each for each in choices if timbre.low <= each.step <= timbre.high]
    wanted = (timbre.low + timbre.high) // 2 + 2 if before is None else before.step
    return min(inside, key=lambda each: abs(each.step - wanted))


def _given(loom: Loom, length: int) -> list[_Tone]:
    """A ground that is given: any everyday chord over each of its notes."""
    notes = placed(fitting(loom.theme, Fraction(length), "the ground"), loom.voices[BASS])
    found = []
    for note in notes:
        begin, end = int(note.onset), -int(-note.end // 1)
        if note.onset.denominator != 1:
            continue
        found.append(_Tone(begin, end - begin, note.pitch, _over(note.pitch, loom.home)))
    return found


def _over(pitch: Pitch, key: Key) -> tuple[Harmony, ...]:
    """The chords of a key that stand over a bass note: common ones if there are any."""
    fifths = pitch.pitch_class.fifths - key.tonic.fifths
    fitting_ones = [
        each
        for each in vocabulary()
        if each.mode == key.mode
        and each.bass == fifths
        and each.origin in ("diatonic", "minor-form", "applied")
        and (each.inversion < 2 or each.seventh is not None)
    ]
    for use in ("common", "occasional"):
        found = tuple(Harmony(key, each) for each in fitting_ones if each.use == use)
        if found:
            return found
    raise OptionError("theme", str(pitch), f"notes over which {key} has a chord")


def _closing(loom: Loom, tones: Sequence[_Tone]) -> list[_Tone]:
    """The last statement: it is home in its last bar, a bar early if it must, from a dominant."""
    per_bar = loom.per_bar
    length = tones[-1].beat + tones[-1].beats
    final = length - per_bar
    home = tonic(loom.home)
    kept = [each for each in tones if each.beat < final]
    rest = [each for each in tones if each.beat >= final]
    if rest and home not in rest[0].harmonies and kept:
        before = kept.pop()
        half = max(1, before.beats // 2)
        kept.append(_Tone(before.beat, before.beats - half, before.pitch, before.harmonies))
        late = rest[0]
        kept.append(_Tone(final - half, half, late.pitch, late.harmonies))
    if kept:
        kept[-1] = replace(kept[-1], harmonies=_leading(kept[-1].harmonies))
    bass = _near(loom.home.tonic, kept[-1].pitch if kept else None)
    return [*kept, _Tone(final, per_bar, bass, (home,))]


def _leading(harmonies: tuple[Harmony, ...]) -> tuple[Harmony, ...]:
    """Those of some chords that close a piece: dominants in root position, if there are any."""
    found = tuple(
        each
        for each in harmonies
        if each.chord.function == "dominant" and each.chord.inversion == 0
    )
    return found or harmonies


def _state(loom: Loom, beat: int, tones: Sequence[_Tone], number: int) -> None:
    notes = [Note(Fraction(each.beat), Fraction(each.beats), each.pitch) for each in tones]
    length = tones[-1].beat + tones[-1].beats
    if loom.theme and tones[-1].harmonies != (tonic(loom.home),):
        notes = list(placed(loom.theme, loom.voices[BASS]))
    loom.state(BASS, beat, notes, length)
    for each in tones:
        for place in range(each.beat, each.beat + each.beats):
            loom.course.harmonies[beat + place] = each.harmonies
    loom.mark("ground", BASS, beat, length, f"ground, statement {number + 1}")


def _vary(loom: Loom, number: int, count: int, beats: range) -> None:
    """A variation: one rhythm all through; it quickens, and the last but one rests."""
    level = LEVELS[_level(number, count)]
    bar = drawn_bar(loom.template.metre, level, rng=loom.rng) if isinstance(level, float) else level
    for beat in beats:
        loom.tasks[MELODY][beat] = liking(bar[(beat - beats.start) % len(bar)], weight=1.5)
        loom.tasks[MIDDLE][beat] = CALM if number % 4 else SUSTAINED
    loom.mark("variation", MELODY, beats.start, len(beats), f"variation {number + 1}")


def _level(number: int, count: int) -> int:
    """How quick a variation is: it rises in two waves."""
    half = (count + 1) // 2
    top = len(LEVELS) - 1
    if number < half:
        return min(top - 1, number * (top - 1) // max(1, half - 1))
    return min(top, 1 + (number - half) * (top - 1) // max(1, count - half - 1))
