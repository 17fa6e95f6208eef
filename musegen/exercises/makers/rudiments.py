"""Exercises on notes: named, written, respelled, rewritten in other clefs, measured in steps."""

from __future__ import annotations

from itertools import pairwise

from musegen.exercises.clefs import BOTTOM_LINES, CLEF_NAMES, place_name, place_text
from musegen.exercises.distractors import Wrong, wrong_pitch_classes, wrong_pitches, wrong_spellings
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key, keys_within
from musegen.exercises.makers.showing import shown_notes
from musegen.exercises.names import key_text
from theory_kb.pitch import LETTERS, Key, Pitch, PitchClass, ScaleDegree

__all__ = ["find_enharmonic", "mark_steps", "name_pitch", "rewrite_clef", "write_pitches"]

ANCHORS = {  # what a clef names, and where
    "treble": Text("G4 on line 2", "第2线为 G4"),
    "bass": Text("F3 on line 4", "第4线为 F3"),
    "alto": Text("C4 on line 3", "第3线为 C4"),
    "tenor": Text("C4 on line 4", "第4线为 C4"),
    "treble-8": Text("G3 on line 2", "第2线为 G3"),
}
NOTE = Text("note", "音名")
NOTES = Text("notes", "各音")
PLACES = Text("places", "位置")
TOP = 8


def _on_staff(work: Work, clef: str) -> Pitch:
    """A note on the staff or on so many ledger lines, with a sign of the level."""
    ledger = 2 * int(work.params["ledger"])
    step = BOTTOM_LINES[clef] + int(work.rng.integers(-ledger, TOP + ledger + 1))
    natural = Pitch.parse(f"{LETTERS[step % 7]}{step // 7}")
    return Pitch(step, natural.semitone + int(work.pick(work.params["signs"])))


def name_pitch(work: Work) -> Draft:
    """A note on a staff: its name."""
    clef = work.pick(work.params["clefs"])
    pitch = _on_staff(work, clef)
    name = pitch.pitch_class.name
    place = place_name(pitch, clef)
    words: Words = {
        "clef": CLEF_NAMES[clef],
        "anchor": ANCHORS[clef],
        "place": place,
        "letter": LETTERS[pitch.step % 7],
        "name": name,
    }
    wrong = wrong_pitches(pitch, clef, octave=False)
    given = shown_notes(f"{CLEF_NAMES[clef].en} clef, {place.en}", (pitch,), clef)
    return draft_of(work, given, Part((name,), "pitch-class", NOTE, wrong), words)


def write_pitches(work: Work) -> Draft:
    """Names with octaves: the notes on a staff."""
    clef = work.pick(work.params["clefs"])
    pitches = [_on_staff(work, clef) for _ in range(work.params["notes"])]
    names = " ".join(map(str, pitches))
    answer = " ".join(place_text(pitch, clef) for pitch in pitches)
    words: Words = {
        "clef": CLEF_NAMES[clef],
        "anchor": ANCHORS[clef],
        "names": names,
        "place": place_name(pitches[0], clef),
        "answer": answer,
    }
    part = Part((answer,), "places", PLACES, _misplaced(pitches, clef), len(pitches))
    given = Given(f"{CLEF_NAMES[clef].en} clef: {names}")
    return draft_of(work, given, part, words, facts={"clef": clef})


def _misplaced(pitches: list[Pitch], clef: str) -> list[Wrong]:
    """The places that the notes have in other clefs, and one step off."""
    wrong = []
    for other in BOTTOM_LINES:
        if other != clef:
            places = " ".join(place_text(pitch, other) for pitch in pitches)
            said = Text(
                f"these are the places of the {CLEF_NAMES[other].en} clef",
                f"这是{CLEF_NAMES[other].zh}中的位置",
            )
            wrong.append(Wrong(places, "D6", said))
    moved = " ".join(place_text(Pitch(p.step + 1, p.semitone + _gap(p)), clef) for p in pitches)
    return [*wrong, Wrong(moved, "D2")]


def _gap(pitch: Pitch) -> int:
    """Semitones to the next letter, the sign kept."""
    here, there = (Pitch.parse(f"{LETTERS[s % 7]}{s // 7}") for s in (pitch.step, pitch.step + 1))
    return there.semitone - here.semitone


# --- spelling -------------------------------------------------------------------------------


def find_enharmonic(work: Work) -> Draft:
    """A note: its other spellings, or that one which a key wants."""
    if work.params.get("in_key"):
        return _in_key(work)
    note = PitchClass.parse(work.pick(work.params["notes"]))
    others = sorted(wrong_spellings(note), key=lambda each: abs(each.alteration))
    names = [each.name for each in others]
    both = bool(work.params.get("both"))
    if both and len(names) < 2:
        raise DiscardError("a sound with two spellings only")
    task = Text(
        f"Give {'both enharmonic equivalents' if both else 'an enharmonic equivalent'} of {note}.",
        f"写出 {note} 的{'两个等音' if both else '一个等音'}。",
    )
    words: Words = {
        "task": task,
        "letter": names[0][0],
        "note": note.name,
        "answer": ", ".join(names),
    }
    wrong = _neighbours(note, [note.name, *names])
    if both:
        part = Part((" ".join(names),), "pitch-set", NOTES, wrong, 2, form="text")
    else:
        part = Part(tuple(names), "pitch-class", NOTE, wrong)
    return draft_of(work, Given(note.name), part, words)


def _neighbours(note: PitchClass, own: list[str]) -> list[Wrong]:
    """The semitones beside a sound in both spellings, and letters that are near."""
    beside = [note.transposed(shift) for shift in (7, -7, -5, 5)]
    wrong = [Wrong(each.name, "D1") for each in beside if abs(each.alteration) <= 2]
    wrong += list(wrong_pitch_classes(note))
    return [each for each in wrong if each.value not in own]


def _in_key(work: Work) -> Draft:
    """A sound spelled wrongly for a key: its spelling there."""
    limit = min(7, work.setting.key_range)
    key = work.pick(keys_within(limit, ("major", "minor")))
    degree = int(work.rng.integers(1, 8))
    raised = key.mode == "minor" and degree == 7
    answer = key.leading_tone if raised else key.degree(ScaleDegree(degree))
    shown = work.pick(list(wrong_spellings(answer)))
    task = Text(
        f"{shown} sounds in {key}. Which spelling fits the key?",
        f"在{key_text(key).zh}中听到 {shown}。哪种记法符合该调？",
    )
    words: Words = {
        "task": task,
        "letter": answer.name[0],
        "note": shown.name,
        "answer": answer.name,
    }
    wrong = [Wrong(each.name, "D4") for each in wrong_spellings(answer)]
    part = Part((answer.name,), "pitch-class", NOTE, [*wrong, *wrong_pitch_classes(answer)])
    return draft_of(work, Given(f"{key}: {shown}"), part, words, key=key)


# --- clefs ----------------------------------------------------------------------------------


def rewrite_clef(work: Work) -> Draft:
    """A melody in a clef: the same notes in another."""
    source, target = work.pick(work.params["clefs"])
    modes = ("minor",) if work.params.get("minor") else ("major",)
    key = draw_key(work, most=3, modes=modes)
    pitches = _walk(work, key)
    names = " ".join(map(str, pitches))
    answer = " ".join(place_text(pitch, target) for pitch in pitches)
    words: Words = {
        "target": CLEF_NAMES[target],
        "anchor": ANCHORS[target],
        "first": pitches[0].name,
        "place": answer.split()[0],
        "names": names,
        "answer": answer,
    }
    given = shown_notes(f"{CLEF_NAMES[source].en} clef: {names}", pitches, source)
    shift = BOTTOM_LINES[target] - BOTTOM_LINES[source]
    same = " ".join(
        place_text(Pitch(each.step + shift, each.semitone + _natural_gap(each, shift)), target)
        for each in pitches
    )
    said = Text(
        "the places were copied; the clef changes the names", "照抄了位置；换谱号后音名会变"
    )
    part = Part((answer,), "places", PLACES, [Wrong(same, "D6", said)], len(pitches))
    return draft_of(work, given, part, words, facts={"clef": target})


def _natural_gap(pitch: Pitch, shift: int) -> int:
    """Semitones between the naturals of two letters, so many steps apart."""
    here = Pitch.parse(f"{LETTERS[pitch.step % 7]}{pitch.octave}")
    there = Pitch.parse(f"{LETTERS[(pitch.step + shift) % 7]}{(pitch.step + shift) // 7}")
    return there.semitone - here.semitone


LEAPS = (-1, 1, -1, 1, 2, -2)  # steps of a melody: mostly to the next note


def _walk(work: Work, key: Key) -> list[Pitch]:
    """A line of a scale within a compass, from a note of the tonic triad home by step."""
    low, high = Pitch.parse(work.params["low"]).step, Pitch.parse(work.params["high"]).step
    scale = [_scale_note(key, step) for step in range(low, high + 1)]
    tonics = [place for place, each in enumerate(scale) if each.pitch_class == key.tonic]
    if not tonics:
        raise DiscardError("no tonic within the compass")
    line = [work.pick(tonics)]  # written from the end: the tonic is reached by step
    count = int(work.params["notes"])
    while len(line) < count:
        last = len(line) == 1
        step = int(work.pick((-1, 1))) if last else int(work.pick(LEAPS))
        place = line[-1] + step
        if 0 <= place < len(scale) and (len(line) < 2 or place != line[-2]):
            line.append(place)
    return [scale[place] for place in reversed(line)]


def _scale_note(key: Key, step: int) -> Pitch:
    """The note of the key on a step; in minor with the leading tone."""
    for number in range(1, 8):
        note = key.degree(ScaleDegree(number))
        if note.letter == step % 7:
            raised = key.mode == "minor" and number == 7
            return Pitch.of(key.leading_tone if raised else note, step // 7)
    raise AssertionError("a scale takes every letter")


# --- steps ----------------------------------------------------------------------------------

STEP_NAMES = {"T": Text("T", "全"), "S": Text("S", "半")}
SEMITONES = {"D": Text("D", "自然"), "C": Text("C", "变化"), "T": Text("T", "全")}
STEPS = 6  # notes of a row


def mark_steps(work: Work) -> Draft:
    """A row of neighbouring notes: tones and semitones, or kinds of semitones."""
    chromatic = bool(work.params.get("chromatic"))
    key = draw_key(work, modes=("major",))
    pitches = _steps(work, key, chromatic=chromatic)
    marks = [_mark(one, other, chromatic=chromatic) for one, other in pairwise(pitches)]
    names, answer = " ".join(map(str, pitches)), " ".join(marks)
    task = Text(
        "Mark each step: T tone, D diatonic semitone (two letters), C chromatic semitone (one letter).",
        "逐步标出：T 全音，D 自然半音（两个音名），C 变化半音（同一音名）。",
    )
    if not chromatic:
        task = Text("Mark each step: T tone or S semitone.", "逐步标出：T 全音，S 半音。")
    words: Words = {"task": task, "first": marks[0], "names": names, "answer": answer}
    swapped = " ".join({"T": "S", "S": "T", "D": "C", "C": "D"}[mark] for mark in marks)
    wrong = [Wrong(swapped, "D5"), Wrong(" ".join("T" for _ in marks), "D5")]
    labels = SEMITONES if chromatic else STEP_NAMES
    part = Part((answer,), "words", Text("steps", "各步"), wrong, len(marks), labels=labels)
    given = shown_notes(names, pitches, "treble", sharps=key.signature)
    return draft_of(work, given, part, words)


def _steps(work: Work, key: Key, *, chromatic: bool) -> list[Pitch]:
    """Notes each a tone or a semitone from the one before."""
    step = 28 + int(work.rng.integers(2, 8))
    pitches = [_scale_note(key, step)]
    while len(pitches) < STEPS:
        move = int(work.pick((1, 1, -1, 0) if chromatic else (1, 1, -1)))
        sign = int(work.pick(work.params["signs"]))
        natural = _scale_note(key, pitches[-1].step + move)
        pitch = Pitch(natural.step, natural.semitone + sign)
        distance = abs(pitch.semitone - pitches[-1].semitone)
        if distance in (1, 2) and abs(pitch.alteration) <= 2 and not (move == 0 and distance == 2):
            pitches.append(pitch)
    return pitches


def _mark(one: Pitch, other: Pitch, *, chromatic: bool) -> str:
    if abs(other.semitone - one.semitone) == 2:
        return "T"
    if not chromatic:
        return "S"
    return "C" if one.step == other.step else "D"
