"""Exercises for the ear: intervals, chords, scales, degrees, cadences and progressions, heard.

What is played is data of the item; the page shows no note of it. Intervals and chords that one
hears but spells in two ways are accepted in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.cadences import name_cadence
from musegen.exercises.makers.chords import stacked
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.harmony import analyse
from musegen.exercises.makers.hearing import heard, heard_instead, heard_notes
from musegen.exercises.makers.music import set_chords
from musegen.exercises.makers.scales import climb
from musegen.exercises.names import SCALE_NAMES, key_text
from musegen.score import Note
from theory_kb.catalogue import entry
from theory_kb.chord_symbols import ChordSymbol
from theory_kb.pitch import Interval, Pitch, PitchClass
from theory_kb.scales import spell_scale

__all__ = [
    "hear_cadence",
    "hear_chord",
    "hear_degree",
    "hear_interval",
    "hear_progression",
    "hear_scale",
]

QUARTER, HALF, WHOLE = Fraction(1), Fraction(2), Fraction(4)
MOST_SIGNS = 1  # what is heard is written in the simplest way
NEUTRAL = {"A4": ("d5",), "d5": ("A4",)}  # heard alone, a tritone has two names
CONFUSED: Mapping[str, tuple[str, ...]] = {  # what the ear takes for it
    "m2": ("M2", "m7"), "M2": ("m2", "m3"), "m3": ("M3", "M2"), "M3": ("m3", "P4"),
    "P4": ("P5", "M3"), "A4": ("P4", "P5"), "P5": ("P4", "P8"), "m6": ("M6", "P5"),
    "M6": ("m6", "m7"), "m7": ("M7", "M6"), "M7": ("m7", "P8"), "P8": ("P5", "M7"),
    "m9": ("M9", "m2"), "M9": ("m9", "m10"), "m10": ("M10", "M9"), "M10": ("m10", "P11"),
    "P11": ("P12", "M10"), "P12": ("P11", "P8"),
}  # fmt: skip
WAYS = {
    "up": Text("one after the other, rising", "先后奏出，上行"),
    "down": Text("one after the other, falling", "先后奏出，下行"),
    "together": Text("together", "同时奏出"),
}


def _simple(pitches: Sequence[Pitch]) -> bool:
    return all(abs(pitch.alteration) <= MOST_SIGNS for pitch in pitches)


# --- intervals ------------------------------------------------------------------------------


def hear_interval(work: Work) -> Draft:
    """Two notes, heard: the interval. Parameters: `intervals`, `ways`, `context` (tonic chord first)."""
    way = work.pick(work.params["ways"])
    name, lower, upper = work.settle(lambda: _interval(work))
    rows = {"up": [[lower], [upper]], "down": [[upper], [lower]], "together": [[lower, upper]]}[way]
    lengths = [HALF] * len(rows)
    if work.params.get("context"):
        tonic = Pitch.of(lower.pitch_class, lower.octave)
        rows = [[tonic, tonic + Interval(2, 4), tonic + Interval(4, 7)], [], *rows]
        lengths = [HALF, QUARTER, *lengths]
    words: Words = {
        "way": WAYS[way],
        "number": str(Interval.parse(name).number),
        "semitones": str(Interval.parse(name).semitones),
        "notes": f"{lower}-{upper}",
        "name": name,
    }
    near = [*CONFUSED[name], *(each for each in work.params["intervals"] if each != name)]
    wrong = [Wrong(each, "D13" if at < 2 else "D2") for at, each in enumerate(near)]
    part = Part((name, *NEUTRAL.get(name, ())), "interval", Text("interval", "音程"), wrong)
    given = Given(f"two notes, {WAYS[way].en}", heard=heard(work, heard_notes(rows, lengths)))
    return draft_of(work, given, part, words, kg=(f"interval:{name}",), count=len(part.accepted))


def _interval(work: Work) -> tuple[str, Pitch, Pitch]:
    """An interval of the level and its notes."""
    name = work.pick(work.params["intervals"])
    lower = Pitch.of(PitchClass(int(work.rng.integers(-3, 5))), int(work.pick((3, 4))))
    upper = lower + Interval.parse(name)
    if not _simple((lower, upper)):
        raise DiscardError("two accidentals before a note")
    return name, lower, upper


# --- chords ---------------------------------------------------------------------------------

QUALITIES: Mapping[str, Text] = {
    "maj": Text("major", "大三和弦"),
    "min": Text("minor", "小三和弦"),
    "dim": Text("diminished", "减三和弦"),
    "aug": Text("augmented", "增三和弦"),
    "7": Text("dominant seventh", "属七和弦"),
    "min7": Text("minor seventh", "小七和弦"),
    "maj7": Text("major seventh", "大七和弦"),
    "dim7": Text("diminished seventh", "减七和弦"),
    "m7b5": Text("half-diminished seventh", "半减七和弦"),
}
MAJOR_THIRDS = ("maj", "aug", "7", "maj7")
MEMBERS: Mapping[str, Text] = {
    "root": Text("the root", "根音"),
    "third": Text("the third", "三音"),
    "fifth": Text("the fifth", "五音"),
    "seventh": Text("the seventh", "七音"),
}
POSITIONS: Mapping[str, Text] = {
    "0": Text("root position", "原位"),
    "1": Text("first inversion", "第一转位"),
    "2": Text("second inversion", "第二转位"),
    "3": Text("third inversion", "第三转位"),
}


def hear_chord(work: Work) -> Draft:
    """A chord, heard: its quality; at the last level its position and its top note too."""
    qualities = work.params["qualities"]
    quality = work.pick(qualities)
    tones, inversion, pitches = work.settle(lambda: _chord(work, quality))
    top = list(MEMBERS)[tones.index(pitches[-1].pitch_class)]
    others = dict.fromkeys(each for each in (*qualities, *QUALITIES) if each != quality)
    wrong = [Wrong(each, "D13" if each in qualities else "D1") for each in others]
    parts = [Part((quality,), "choice", Text("quality", "性质"), wrong, labels=QUALITIES)]
    if work.params.get("inversions"):
        parts.append(_place(str(inversion), POSITIONS, len(tones), "position", "位置"))
        parts.append(_place(top, MEMBERS, len(tones), "top", "高音"))
    words: Words = {
        "third": Text("major", "大") if quality in MAJOR_THIRDS else Text("minor", "小"),
        "notes": " ".join(pitch.name for pitch in pitches),
        "name": QUALITIES[quality],
        "position": POSITIONS[str(inversion)],
        "top": MEMBERS[top],
    }
    rows = [[pitch] for pitch in pitches] if work.params.get("arpeggio") else []
    lengths = [QUARTER] * len(rows) + [WHOLE]
    music = heard_notes([*rows, pitches], lengths)
    given = Given("a chord", heard=heard(work, music))
    return draft_of(work, given, parts, words, kg=(f"quality:{quality}",))


def _chord(work: Work, quality: str) -> tuple[tuple[PitchClass, ...], int, list[Pitch]]:
    """A chord of a quality: its tones, which is lowest, and its notes in close position."""
    tones = ChordSymbol(PitchClass(int(work.rng.integers(-3, 5))), quality).tones
    inversion = int(work.rng.integers(len(tones))) if work.params.get("inversions") else 0
    pitches = stacked(tones, inversion, work.rng)
    if not _simple(pitches):
        raise DiscardError("two accidentals before a note")
    return tones, inversion, pitches


def _place(right: str, labels: Mapping[str, Text], count: int, name: str, zh: str) -> Part:
    """A part with all choices that a chord of so many notes has."""
    shown = dict(list(labels.items())[:count])
    wrong = [Wrong(each, "D10") for each in shown if each != right]
    return Part(
        (right,), "choice", Text(name, zh), wrong, id=name, options=tuple(shown), labels=shown,
        form="choice",
    )  # fmt: skip


# --- scales and degrees ---------------------------------------------------------------------


def hear_scale(work: Work) -> Draft:
    """A scale, heard rising, or both ways where melodic minor is among the choices."""
    scales = work.params["scales"]
    scale = work.pick(scales)
    line = work.settle(lambda: _scale(work, scale))
    labels = {
        each: SCALE_NAMES[each] for each in dict.fromkeys((*scales, "major", "natural-minor"))
    }
    words: Words = {
        "third": Text("major", "大") if Interval(2, 4) in _above(line) else Text("minor", "小"),
        "count": str(len({pitch.pitch_class for pitch in line})),
        "notes": " ".join(pitch.pitch_class.name for pitch in line),
        "scale": SCALE_NAMES[scale],
    }
    wrong = [Wrong(each, "D13") for each in labels if each != scale]
    part = Part((scale,), "choice", Text("scale", "音阶"), wrong, labels=labels)
    music = heard_notes([[pitch] for pitch in line], [QUARTER] * (len(line) - 1) + [HALF])
    given = Given("a scale, rising", heard=heard(work, music))
    return draft_of(work, given, part, words, kg=(f"scale:{scale}",))


def _scale(work: Work, scale: str) -> list[Pitch]:
    """A scale from tonic to tonic."""
    tonic = PitchClass(int(work.rng.integers(-4, 6)))
    notes = [*spell_scale(tonic, scale)]
    line = climb(notes if notes[-1] == tonic else [*notes, tonic], 4)
    if not _simple(line):
        raise DiscardError("two accidentals before a note")
    return line


def _above(line: Sequence[Pitch]) -> set[Interval]:
    return {pitch - line[0] for pitch in line}


CADENCE = {"major": ("I", "IV", "V7", "I"), "minor": ("i", "iv", "V7", "i")}


def hear_degree(work: Work) -> Draft:
    """A cadence and then a note: which degree it is. Parameter `degrees`: as the graph names them."""
    key = draw_key(work)
    degree = str(work.pick(work.params["degrees"]))
    note = key.tonic.transposed(int(entry("degree", degree)["fifths"]))
    pitch = Pitch.of(note, 4)
    if abs(note.alteration) > MOST_SIGNS:
        raise DiscardError("two accidentals before a note")
    score = set_chords([(key, CADENCE[key.mode])], seed=int(work.rng.integers(1 << 30)))
    slots = sorted({each.onset for each in score.parts[0].notes})
    rows = [[_sounding(part.notes, onset) for part in score.parts] for onset in slots]
    lengths = [QUARTER, QUARTER, QUARTER, HALF, QUARTER, HALF]
    music = heard_notes([*rows, [], [pitch]], lengths, key.signature)
    near = [str(each) for each in work.params["degrees"] if str(each) != degree]
    near.sort(key=lambda each: abs(_semitone(each) - _semitone(degree)))
    words: Words = {
        "key": key_text(key),
        "syllable": str(entry("degree", degree)["solfege"]),
        "note": note.name,
        "degree": degree,
    }
    wrong = [Wrong(each, "D13" if at < 2 else "D2") for at, each in enumerate(near)]
    part = Part((degree,), "choice", Text("degree", "音级"), wrong)
    given = Given(f"{key}: a cadence, then a note", heard=heard(work, music))
    return draft_of(work, given, part, words, key=key, kg=(f"degree:{degree}",))


def _semitone(degree: str) -> int:
    return int(entry("degree", degree)["fifths"]) * 7 % 12


def _sounding(notes: Sequence[Note], onset: Fraction) -> Pitch:
    return next(note.pitch for note in notes if note.onset <= onset < note.end)


# --- phrases --------------------------------------------------------------------------------


def hear_cadence(work: Work) -> Draft:
    """A phrase in four parts, heard: the cadence that closes it."""
    return heard_instead(work, name_cadence(work), "a phrase in four parts")


def hear_progression(work: Work) -> Draft:
    """A phrase in four parts, heard: a label for each chord; key and count are told."""
    draft = analyse(work)
    count = sum(part.points for part in draft.ask)
    return heard_instead(work, draft, f"{draft.key}: {count} chords")
