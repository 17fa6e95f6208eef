"""Exercises on scales, degrees and modes."""

from __future__ import annotations

from collections.abc import Sequence

from musegen.exercises.distractors import Wrong, wrong_degrees
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown_notes
from musegen.exercises.names import DEGREE_NAMES, SCALE_NAMES, key_text
from theory_kb.catalogue import entry
from theory_kb.pitch import Key, Pitch, PitchClass, ScaleDegree
from theory_kb.scales import scale_degrees, spell_scale

__all__ = ["climb", "name_degree", "name_scale", "transpose_mode", "write_scale"]

MOST_SIGNS = 2
DIATONIC = ("major", "harmonic-minor", "melodic-minor", "natural-minor")
NOTES = Text("notes", "各音")
WAYS = {
    "up": Text("ascending", "上行"),
    "down": Text("descending", "下行"),
    "both": Text("ascending, then descending from the upper tonic", "先上行，再从高音主音下行"),
}


def climb(notes: Sequence[PitchClass], start: int = 4) -> list[Pitch]:
    """Note names as a line that goes from each to the next nearest one, up at first."""
    line = [Pitch.of(notes[0], start)]
    for note in notes[1:]:
        ways = [
            Pitch.of(note, octave) for octave in range(line[-1].octave - 1, line[-1].octave + 2)
        ]
        line.append(min(ways, key=lambda each: abs(each.step - line[-1].step)))
    return line


def _row(tonic: PitchClass, scale: str, way: str) -> list[PitchClass]:
    up, down = spell_scale(tonic, scale), spell_scale(tonic, scale, falling=True)
    return list({"up": up, "down": down, "both": (*up, *down[1:])}[way])


def _joined(notes: Sequence[PitchClass]) -> str:
    return " ".join(note.name for note in notes)


def write_scale(work: Work) -> Draft:
    """A tonic and a scale: its notes."""
    scale = work.pick(work.params["scales"])
    minor = scale.endswith("minor") and not scale.startswith("hungarian")
    tonic = PitchClass(int(work.pick(work.params["tonics"])))
    signature = tonic.fifths - (3 if minor else 0)
    limit = min(7, work.setting.key_range)
    if scale in DIATONIC and abs(signature) > limit:
        tonic = PitchClass(int(work.rng.integers(-limit, limit + 1)) + (3 if minor else 0))
    way = work.pick(work.params["ways"])
    notes = _row(tonic, scale, way)
    if max(abs(note.alteration) for note in notes) > MOST_SIGNS:
        raise DiscardError("triple accidentals")
    answer = _joined(notes)
    words: Words = {
        "scale": SCALE_NAMES[scale],
        "tonic": tonic.name,
        "way": WAYS[way],
        "key": _near_key(tonic, minor=minor),
        "degrees": " ".join(scale_degrees(scale, falling=way == "down")),
        "first": _joined(notes[:3]),
        "answer": answer,
    }
    part = Part((answer,), "pitch-classes", NOTES, _misspelled(tonic, scale, way), len(notes))
    return draft_of(work, Given(f"{tonic} {scale}, {way}"), part, words)


def _near_key(tonic: PitchClass, *, minor: bool) -> Text:
    return key_text(Key(tonic, "minor" if minor else "major"))


def _misspelled(tonic: PitchClass, scale: str, way: str) -> list[Wrong]:
    """The natural scale, the relative and parallel one, melodic minor not restored."""
    notes = _row(tonic, scale, way)
    rows = [("D5", [PitchClass.parse(note.name[0]) for note in notes])]
    if scale == "melodic-minor" and way == "both":
        up = spell_scale(tonic, scale)
        rows.append(("D12", [*up, *up[-2::-1]]))
    if scale in ("harmonic-minor", "melodic-minor"):
        rows.append(("D9", _row(tonic, "natural-minor", way)))
        rows.append(("D7", _row(tonic, "major", way)))
    respelled = [note.transposed(-12) if note.alteration > 0 else note for note in notes]
    rows.append(("D4", respelled))
    kept = [row for row in rows if max(abs(note.alteration) for note in row[1]) <= MOST_SIGNS]
    return [Wrong(_joined(row), op) for op, row in kept if _joined(row) != _joined(notes)]


def name_scale(work: Work) -> Draft:
    """Notes of a scale: which it is."""
    scales = work.params["scales"]
    scale = work.pick(scales)
    tonic = PitchClass(int(work.pick(work.params["tonics"])))
    notes = spell_scale(tonic, scale)
    if max(abs(note.alteration) for note in notes) > MOST_SIGNS:
        raise DiscardError("triple accidentals")
    degrees = scale_degrees(scale)
    words: Words = {
        "notes": _joined(notes),
        "degrees": " ".join(degrees),
        "third": next((each for each in degrees if each.lstrip("#b") == "3"), "-"),
        "scale": SCALE_NAMES[scale],
    }
    ops = {"major": "D7", "natural-minor": "D7"}
    wrong = [Wrong(other, ops.get(other, "D9")) for other in scales if other != scale]
    wrong += [Wrong("major", "D7"), Wrong("natural-minor", "D7")] if len(wrong) < 3 else []
    labels = {each: SCALE_NAMES[each] for each in {*scales, "major", "natural-minor"}}
    labels = dict(sorted(labels.items()))
    part = Part((scale,), "choice", Text("scale", "音阶"), wrong, labels=labels)
    given = shown_notes(_joined(notes), climb(notes), "treble")
    return draft_of(work, given, part, words)


# --- degrees --------------------------------------------------------------------------------


def _scale_of(key: Key) -> list[PitchClass]:
    """Notes of a key, in minor with the leading tone."""
    notes = [key.degree(ScaleDegree(number)) for number in range(1, 8)]
    return [*notes[:6], key.leading_tone]


def name_degree(work: Work) -> Draft:
    """A note of a key: its degree by number, name or syllable."""
    key = draw_key(work)
    number = int(work.pick(work.params["degrees"]))
    note = _scale_of(key)[number - 1]
    ask = work.params["ask"]
    words: dict[str, str | Text] = {
        "tonic": key.tonic.name,
        "scale": _joined(_scale_of(key)),
        "steps": str(number - 1),
        "key": key_text(key),
        "note": note.name,
        "number": str(number),
        "name": DEGREE_NAMES[number],
    }
    label = Text("degree", "音级")
    if ask == "number":
        part = Part((str(number),), "number", label, wrong_degrees(number))
        task = Text(f"Which degree of {key} is {note}?", f"{note} 是{key_text(key).zh}的第几级？")
    elif ask == "name":
        names = {str(each): text for each, text in DEGREE_NAMES.items()}
        part = Part((str(number),), "choice", label, wrong_degrees(number), labels=names)
        task = Text(f"What is {note} called in {key}?", f"{note} 在{key_text(key).zh}中叫什么音？")
    else:
        return _solfa(work, key, words)
    words["task"] = task
    given = shown_notes(f"{key}: {note}", climb([note]), "treble", sharps=key.signature)
    return draft_of(work, given, part, words, key=key)


ALTERED = ("#1", "b2", "#2", "b3", "#4", "#5", "b6", "b7")


def _solfa(work: Work, key: Key, words: dict[str, str | Text]) -> Draft:
    """A note of a key, altered: its syllable in movable do."""
    degree = str(work.pick((*ALTERED, "2", "4", "6", "7")))
    fact = entry("degree", degree)
    note = key.tonic.transposed(int(fact["fifths"]))
    if abs(note.alteration) > MOST_SIGNS:
        raise DiscardError("triple accidentals")
    syllable = str(fact["solfege"])
    words |= {
        "note": note.name,
        "number": degree,
        "steps": str(int(degree.lstrip("#b")) - 1),
        "name": syllable,
        "task": Text(
            f"Which syllable has {note} in {key} (movable do: do di re ri mi fa fi sol si la li ti; "
            "lowered ra me se le te)?",
            f"在{key_text(key).zh}中 {note} 的首调唱名是什么？",
        ),
    }
    plain = degree.lstrip("#b")
    opposite = f"b{plain}" if degree.startswith("#") else f"#{plain}"
    near = [plain, opposite, str(int(plain) % 7 + 1), f"b{int(plain) % 7 + 1}"]
    known = [each for each in near if each in SYLLABLES and each != degree]
    wrong = [Wrong(SYLLABLES[each], "D9" if each == plain else "D2") for each in known]
    given = shown_notes(f"{key}: {note}", climb([note]), "treble", sharps=key.signature)
    part = Part((syllable,), "choice", Text("syllable", "唱名"), wrong)
    return draft_of(work, given, part, words, key=key)


SYLLABLES = {
    "1": "do", "#1": "di", "b2": "ra", "2": "re", "#2": "ri", "b3": "me", "3": "mi", "4": "fa",
    "#4": "fi", "b5": "se", "5": "sol", "#5": "si", "b6": "le", "6": "la", "#6": "li", "b7": "te",
    "7": "ti",
}  # fmt: skip


# --- modes ----------------------------------------------------------------------------------

MODE_FIFTHS = {  # of the final above the tonic of the major key with the same notes
    "lydian": -1,
    "ionian": 0,
    "mixolydian": 1,
    "dorian": 2,
    "aeolian": 3,
    "phrygian": 4,
    "locrian": 5,
}


def transpose_mode(work: Work) -> Draft:
    """A mode on a final: its notes, or its signature."""
    mode = work.pick(work.params["modes"])
    most = 0 if work.params.get("white") else min(work.params["most"], work.setting.key_range)
    sharps = int(work.rng.integers(-most, most + 1))
    final = PitchClass(sharps + MODE_FIFTHS[mode])
    notes = spell_scale(final, mode)
    name = SCALE_NAMES[mode]
    asks_signature = bool(work.params.get("signature"))
    signs = _signature_text(sharps)
    words: Words = {
        "task": Text(
            f"How many sharps or flats has {name.en} on {final} (such as 3#, 2b or 0)?"
            if asks_signature
            else f"Write the {name.en} mode on {final}, ascending.",
            f"{final} {name.zh}调式有几个升降号（如 3#、2b、0）？"
            if asks_signature
            else f"写出以 {final} 为结音的{name.zh}调式，上行。",
        ),
        "distance": DISTANCES[mode],
        "final": final.name,
        "first": signs if asks_signature else _joined(notes[:3]),
        "mode": name,
        "degrees": " ".join(scale_degrees(mode)),
        "answer": signs if asks_signature else _joined(notes),
    }
    if asks_signature:
        wrong = [Wrong(_signature_text(sharps + change), "D7") for change in (1, -1, 3, -3)]
        part = Part((signs,), "choice", Text("signature", "调号"), wrong, form="text")
    else:
        kind = "major" if "3" in scale_degrees(mode) else "natural-minor"
        wrong = [Wrong(_joined(spell_scale(final, kind)), "D7")]
        part = Part((_joined(notes),), "pitch-classes", NOTES, wrong, len(notes))
    return draft_of(work, Given(f"{final} {mode}"), part, words)


DISTANCES = {
    "lydian": Text("a fifth above", "上方纯五度"),
    "ionian": Text("on", "本身"),
    "mixolydian": Text("a fourth above", "上方纯四度"),
    "dorian": Text("a tone below", "下方大二度"),
    "aeolian": Text("a third above", "上方小三度"),
    "phrygian": Text("a major third below", "下方大三度"),
    "locrian": Text("a semitone above", "上方半音"),
}


def _signature_text(sharps: int) -> str:
    return f"{abs(sharps)}{'#' if sharps > 0 else 'b' if sharps else ''}"
