"""Pentatonic tunes to be set without functions: over drones, with open, substitute and quartal chords.

The five modes have the notes of one pentatonic scale and differ in their final (Li Yinghai, Han Modes
and Their Harmony, 1959). A tune is drawn among all lines of the scale that begin on the final or its
fifth, pause there and end on the final, each move weighted as singers move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from musegen.exercises.grading.asked_folk import KIND_WORDS
from musegen.exercises.grading.observe import observe
from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import Slot, Task
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Words, draw_key
from musegen.exercises.makers.score_drafts import Sheet
from musegen.exercises.makers.surfaces import asked_draft
from musegen.exercises.metres import draw_bar
from musegen.score import Metre, Note
from musegen.slices import sounding
from theory_kb.open_chords import FIFTH, ROOTED, SHAPES
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.scales import spell_scale

__all__ = ["set_folk_tune"]

METRE = Metre(4, 4)
MODES: Mapping[str, Text] = {  # in the order of their finals
    "gong": Text("gong", "宫"),
    "shang": Text("shang", "商"),
    "jue": Text("jue", "角"),
    "zhi": Text("zhi", "徵"),
    "yu": Text("yu", "羽"),
}
FOURTH, RANGE = 3, (4, 9)  # staff steps
MOVES = (0.5, 3.0, 1.0, 0.25)  # weight of a move by so many tones of the scale
LOW, HIGH = Pitch.parse("C4").semitone, Pitch.parse("G5").semitone  # of a tune
BASSES = (Pitch.parse("F2").semitone, Pitch.parse("D4").semitone)
FILLED = (Pitch.parse("G3").semitone, Pitch.parse("C5").semitone)  # of the voices between
NOISE = 3.0  # semitones by which a setting differs from the smoothest
STILL = 6.0  # semitones that a bass which is struck again counts for
TRIED = 400  # chords held against the rules, before a setting is given up
Chord = tuple[Pitch, ...]  # high to low
Line = tuple[Note, ...]
Floats = NDArray[np.float64]


def set_folk_tune(work: Work) -> Draft:
    """A pentatonic tune: voices below it without functions.

    Parameters: `finals` (modes by their names), `bars`, `cells`, `slot` (quarter notes of a chord), `kinds` of open chords,
    `colour` (a kind and how many of them), `seven` (whether notes beyond the five may sound, but for
    a leading tone), `voices` below the tune.
    """
    gong = draw_key(work, most=3, modes=("major",))
    mode = str(work.pick(work.params["finals"]))
    five = tuple(dict.fromkeys(spell_scale(gong.tonic, "major-pentatonic")))
    final = five[list(MODES).index(mode)]
    notes = _notes(gong, final) if work.params.get("seven") else five

    def drawn() -> tuple[Line, list[Chord]]:
        tune = work.settle(lambda: work.settle(lambda: _tune(work, five, final)))
        return tune, _setting(work, gong, tune, notes, final)

    tune, setting = work.settle(lambda: work.settle(drawn))
    return _drafted(work, gong, mode, tune, setting, (final, notes))


def _notes(gong: Key, final: PitchClass) -> tuple[PitchClass, ...]:
    """The seven notes of the signature without one a semitone below the final."""
    seven = dict.fromkeys(spell_scale(gong.tonic, "major"))
    return tuple(each for each in seven if (final.semitone - each.semitone) % 12 != 1)


# --- the tune -------------------------------------------------------------------------------


def _tune(work: Work, five: Sequence[PitchClass], final: PitchClass) -> Line:
    """A tune of two halves: the first pauses on the fifth above the final or the final, the last ends there."""
    bars = int(work.params["bars"])
    rhythm = _rhythm(work, bars)
    pitches = _compass(five)
    pillars = {final, next((n for n in five if n.fifths == final.fifths + 1), final)}
    half = METRE.bar * (bars // 2)
    owns = np.ones((len(rhythm), len(pitches)))
    for place, (onset, length) in enumerate(rhythm):
        rests = onset + length == half or place == 0
        for at, pitch in enumerate(pitches):
            if (rests and pitch.pitch_class not in pillars) or (
                place == len(rhythm) - 1 and pitch.pitch_class != final
            ):
                owns[place, at] = 0
    path = _walk(work.rng, owns)
    tune = tuple(
        Note(onset, length, pitches[at]) for (onset, length), at in zip(rhythm, path, strict=True)
    )
    if not _is_singable(tune):
        raise DiscardError("no singable tune")
    return tune


def _is_singable(tune: Line) -> bool:
    """Whether a tune has a range, few leaps wider than a fourth, and few notes struck again."""
    steps = [note.pitch.step for note in tune]
    sizes = [abs(after - before) for before, after in pairwise(steps)]
    wide = sum(size > FOURTH for size in sizes) * 8 <= len(sizes)
    moving = sum(size == 0 for size in sizes) * 4 <= len(sizes)
    return wide and moving and RANGE[0] <= max(steps) - min(steps) <= RANGE[1]


def _compass(notes: Sequence[PitchClass]) -> list[Pitch]:
    found = [Pitch.of(note, octave) for octave in range(3, 6) for note in notes]
    return sorted((p for p in found if LOW <= p.semitone <= HIGH), key=lambda p: p.step)


def _rhythm(work: Work, bars: int) -> list[tuple[Fraction, Fraction]]:
    """Cells of the level; halves end with a half note."""
    found: list[tuple[Fraction, Fraction]] = []
    for number in range(1, bars + 1):
        time = METRE.bar * (number - 1)
        closes = number in (bars // 2, bars)
        beats = 2 if closes else 4
        for value in draw_bar(METRE, work.params["cells"], work.rng, beats=beats):
            found.append((time, value.length))
            time += value.length
        if closes:
            found.append((time, Fraction(2)))
    return found


def _walk(rng: np.random.Generator, owns: Floats) -> list[int]:
    """Places in the compass, drawn exactly by the weights of moves among all that reach the end."""
    size = owns.shape[1]
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    moves = np.where(apart < len(MOVES), np.take(MOVES, apart, mode="clip"), 0.0)
    ahead = [owns[-1]]
    for own in owns[-2::-1]:
        future = own * (moves @ ahead[-1])
        ahead.append(future / (future.max() or 1.0))
    ahead.reverse()
    path: list[int] = []
    for weights in ahead:
        found = weights * (moves[path[-1]] if path else 1.0)
        if found.sum() <= 0:
            raise DiscardError("no tune of the scale")
        path.append(int(rng.choice(size, p=found / found.sum())))
    return path


# --- the setting ----------------------------------------------------------------------------


def _slots(work: Work, gong: Key) -> tuple[Slot, ...]:
    length = Fraction(int(work.params["slot"]))
    count = int(METRE.bar * int(work.params["bars"]) / length)
    return tuple(Slot(length * place, length, gong, "") for place in range(count))


def _setting(
    work: Work, gong: Key, tune: Line, notes: Sequence[PitchClass], final: PitchClass
) -> list[Chord]:
    """Chords below a tune, found depth first among the smoothest, each held against the rules."""
    slots = _slots(work, gong)
    options = [
        _options(work, tune, slot, notes, final if slot is slots[-1] else None) for slot in slots
    ]
    kind, _, count = str(work.params["colour"]).partition("=")
    coloured = [place for place, each in enumerate(options) if any(k == kind for k, _ in each)]
    if len(coloured) < int(count):
        raise DiscardError("too few places for the colour")
    for place in work.rng.permutation(coloured)[: int(count)]:
        options[place] = [each for each in options[place] if each[0] == kind]
    left = [TRIED]

    def grow(chords: list[Chord]) -> list[Chord] | None:
        if len(chords) == len(slots):
            return chords
        for chord in _smoothest(work.rng, [each for _, each in options[len(chords)]], chords):
            left[0] -= 1
            if left[0] < 0:
                return None
            longer = [*chords, chord]
            found = grow(longer) if _clean(work, tune, slots, longer) else None
            if found is not None:
                return found
        return None

    setting = grow([])
    if setting is None:
        raise DiscardError("no setting keeps the rules")
    return setting


def _options(
    work: Work, tune: Line, slot: Slot, notes: Sequence[PitchClass], final: PitchClass | None
) -> list[tuple[str, Chord]]:
    """The chords of a slot with their kinds; on the final, if it is the last."""
    here = sounding(tune, slot.onset)
    assert here is not None, "the tune has no rests"
    kinds = str(work.params["kinds"]).split()
    found = []
    for note in notes if final is None else (final,):
        for shape, kind in SHAPES.items():
            tones = [PitchClass(note.fifths + each) for each in sorted(shape)]
            closing = final is None or shape <= ROOTED
            fits = kind == FIFTH or here.pitch.pitch_class in tones
            if kind in kinds and closing and fits and set(tones) <= set(notes):
                found += [(kind, each) for each in _voicings(work, note, tones, here.pitch)]
    if not found:
        raise DiscardError("no chord for a note of the tune")
    return found


def _voicings(
    work: Work, bass: PitchClass, tones: Sequence[PitchClass], tune: Pitch
) -> Iterator[Chord]:
    """All tones of a chord over its bass, in falling order below the tune."""
    upper = int(work.params["voices"]) - 1
    middle = [
        pitch
        for tone in tones
        for octave in range(2, 6)
        if FILLED[0] <= (pitch := Pitch.of(tone, octave)).semitone <= FILLED[1]
        and pitch.semitone < tune.semitone
    ]
    for low in (Pitch.of(bass, octave) for octave in range(1, 5)):
        if BASSES[0] <= low.semitone <= BASSES[1]:
            for above in product(middle, repeat=upper):
                chord = (*above, low)
                falls = all(a.semitone > b.semitone for a, b in pairwise(chord))
                if falls and {pitch.pitch_class for pitch in chord} == set(tones):
                    yield chord


def _smoothest(
    rng: np.random.Generator, chords: Sequence[Chord], before: Sequence[Chord]
) -> list[Chord]:
    """Chords by how far their voices move, not quite in order; a bass that stays counts as a leap."""
    noise = rng.uniform(0, NOISE, len(chords))
    moved = [_distance(before[-1], each) if before else 0.0 for each in chords]
    return [chords[at] for at in np.argsort(noise + np.array(moved), kind="stable")]


def _distance(before: Chord, chord: Chord) -> float:
    moves = [abs(a.semitone - b.semitone) for a, b in zip(before, chord, strict=True)]
    return sum(moves) + (0 if moves[-1] else STILL)


def _clean(work: Work, tune: Line, slots: Sequence[Slot], chords: Sequence[Chord]) -> bool:
    """Whether the rules of the rubric have nothing against the last two chords under the tune."""
    first = max(0, len(chords) - 2)
    start, end = slots[first].onset, slots[len(chords) - 1].end
    above = [note for note in tune if start <= note.onset < end]
    lines = _lines(slots[first:], chords[first:])
    names = tuple(map(str, range(len(lines) + 1)))
    task = Task("", slots[0].key, names, (), ((),) * len(names), metre=METRE)
    style = rubric_style(load_rubric(work.kind.rubric))
    found = observe(task, task.score([_moved(line, start) for line in (above, *lines)]), style)
    return not any(each.finding.severity in "EW" for each in found.defects)


def _moved(line: Sequence[Note], start: Fraction) -> Line:
    return tuple(replace(note, onset=note.onset - start) for note in line)


def _lines(slots: Sequence[Slot], chords: Sequence[Chord]) -> list[Line]:
    """The voices of chords, a note a slot."""
    pairs = list(zip(slots, chords, strict=False))
    return [
        tuple(Note(slot.onset, slot.duration, chord[voice]) for slot, chord in pairs)
        for voice in range(len(chords[0]))
    ]


# --- the exercise ---------------------------------------------------------------------------

NAMES = {2: ("Melody", "Tenor", "Bass"), 3: ("Melody", "Alto", "Tenor", "Bass")}


def _drafted(
    work: Work,
    gong: Key,
    mode: str,
    tune: Line,
    setting: Sequence[Chord],
    tones: tuple[PitchClass, Sequence[PitchClass]],
) -> Draft:
    final, notes = tones
    slots = _slots(work, gong)
    names = NAMES[len(setting[0])]
    lines = _lines(slots, setting)
    kind, _, count = str(work.params["colour"]).partition("=")
    kinds = str(work.params["kinds"]).split()
    words: Words = {
        "mode": Text(f"{final} {MODES[mode].en} mode", f"{final} {MODES[mode].zh}调式"),
        "notes": " ".join(each.name for each in notes),
        "kinds": _listed(kinds),
        "colour": Text(f"{count} {KIND_WORDS[kind].en}", f"{count} 个{KIND_WORDS[kind].zh}"),
        "each": EACH[int(work.params["slot"])],
        "final": final.name,
        "last": " ".join(pitch.name for pitch in setting[-1]),
        "bass": " ".join(chord[-1].name for chord in setting),
    }
    sheet = Sheet(gong, slots, {}, ((),) * len(names), METRE, voices=names, begun={0: tune})
    facts = {
        "asked": "written=2 mode=3 sonorities=4 colour=3 final=2",
        "notes": " ".join(each.name for each in notes),
        "kinds": " ".join(kinds),
        "colour": f"{kind}={count}",
        "final": final.name,
        "review": "human",
        "named": "no",
    }
    return asked_draft(work, sheet, words, [tune, *lines], facts, kg=("scale:major-pentatonic",))


EACH = {2: Text("half note", "二分音符"), 4: Text("bar", "小节")}


def _listed(kinds: Sequence[str]) -> Text:
    names = [KIND_WORDS[kind] for kind in kinds]
    return Text(", ".join(each.en for each in names), "、".join(each.zh for each in names))
