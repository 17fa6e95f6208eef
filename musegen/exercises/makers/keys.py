"""Exercises on keys: signatures, the key of a passage, related keys."""

from __future__ import annotations

from collections.abc import Mapping

from musegen.exercises.clefs import place_text
from musegen.exercises.distractors import Wrong, wrong_keys
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.music import Phrase, draw_phrase
from musegen.exercises.makers.showing import shown
from musegen.exercises.names import key_text
from musegen.io.examples import Example, ExampleStaff, Sign
from theory_kb.key_relations import pivots
from theory_kb.pitch import Key, Pitch

__all__ = ["APPLIED", "POOLS", "identify_key", "near_keys", "relate_keys", "signature"]

SHARPS = "FCGDAEB"
TREBLE_SHARPS = ["F5", "C5", "G5", "D5", "A4", "E5", "B4"]  # as they stand in the treble clef
TREBLE_FLATS = ["B4", "E5", "A4", "D5", "G4", "C5", "F4"]
CLEF_SHIFT = {"treble": 0, "bass": -14, "alto": -7, "tenor": -7}  # steps from the treble's notes
TENOR_SHARPS = ["F3", "C4", "G3", "D4", "A3", "E4", "B3"]  # the tenor clef begins its sharps low


def _signs(sharps: int) -> list[str]:
    """Notes that a signature alters, in their order."""
    if sharps >= 0:
        return [f"{letter}#" for letter in SHARPS[:sharps]]
    return [f"{letter}b" for letter in SHARPS[::-1][:-sharps]]


def _drawn_key(work: Work) -> Key:
    """A key of the level with at least so many accidentals."""
    least = int(work.params["least"])
    for _ in range(20):
        key = draw_key(work)
        if abs(key.signature) >= least:
            return key
    raise DiscardError("no key with accidentals within the range")


def signature(work: Work) -> Draft:
    """A key: the accidentals of its signature in order, or their places in a clef."""
    key = _drawn_key(work)
    names = _signs(key.signature)
    name = key_text(key)
    clefs = work.params.get("clefs")
    words: dict[str, str | Text] = {
        "relative": key_text(key.relative if key.mode == "minor" else key),
        "count": str(len(names)),
        "key": name,
    }
    if clefs:
        return _placed_signature(work, key, work.pick(clefs), words)
    answer = " ".join(names)
    words["task"] = Text(
        f"Write the key signature of {key}: its sharps or flats in order.",
        f"写出{name.zh}的调号：按次序写升号或降号。",
    )
    words["answer"] = answer
    near = (key.signature + change for change in (1, -1, 3, -3))
    wrong = [Wrong(" ".join(_signs(each)), "D7") for each in near if 0 < abs(each) <= 7]
    wrong.append(Wrong(" ".join(names[::-1]), "D12", ORDER))
    wrong.append(Wrong(" ".join(_signs(-key.signature)), "D3"))
    part = Part((answer,), "pitch-classes", Text("signature", "调号"), wrong, len(names))
    return draft_of(work, Given(f"{key}"), part, words)


ORDER = Text("the right ones in the wrong order", "升降号正确，次序不对")


def _placed_signature(work: Work, key: Key, clef: str, words: dict[str, str | Text]) -> Draft:
    """Where the signs of a signature stand in a C clef."""
    count = abs(key.signature)
    standing = _standing(key.signature, clef)[:count]
    answer = " ".join(place_text(pitch, clef) for pitch in standing)
    words["task"] = Text(
        f"Write the key signature of {key} in the {clef} clef: give line or space of each sign in "
        "order, counted from below, such as #l5 #s3.",
        f"在{'中音' if clef == 'alto' else '次中音'}谱号上写出{key_text(key).zh}的调号：按次序写各号的线或间，如 #l5 #s3。",
    )
    words["answer"] = answer
    treble = _standing(key.signature, "treble")[:count]
    wrong = [Wrong(" ".join(place_text(pitch, "treble") for pitch in treble), "D6")]
    part = Part((answer,), "places", Text("places", "位置"), wrong, count, form="text")
    return draft_of(work, Given(f"{key}, {clef} clef"), part, words, facts={"clef": clef})


def _standing(sharps: int, clef: str) -> list[Pitch]:
    """The notes on which the signs of a signature stand in a clef."""
    names = TREBLE_SHARPS if sharps > 0 else TREBLE_FLATS
    if sharps > 0 and clef == "tenor":
        return [_signed(Pitch.parse(name), 1) for name in TENOR_SHARPS]
    found = []
    for name in names:
        pitch = Pitch.parse(name)
        octaves = -(CLEF_SHIFT[clef] // 7)
        lower = Pitch(pitch.step - 7 * octaves, pitch.semitone - 12 * octaves)
        found.append(_signed(lower, 1 if sharps > 0 else -1))
    return found


def _signed(pitch: Pitch, sign: int) -> Pitch:
    return Pitch(pitch.step, pitch.semitone + sign)


# --- the key of a passage -------------------------------------------------------------------

POOLS: Mapping[str, tuple[str, ...]] = {
    "major": ("I", "I6", "ii6", "IV", "V", "V6", "vi", "V7", "ii65", "viio6", "cad64"),
    "minor": ("i", "i6", "iio6", "iv", "V", "V6", "VI", "V7", "iiø65", "viio6", "cad64", "iv6"),
}
APPLIED: Mapping[str, tuple[tuple[str, ...], ...]] = {  # applied chords with their resolutions
    "major": (("V65/ii", "ii"), ("V65/V", "V"), ("V7/V", "V"), ("V65/IV", "IV"), ("V65/vi", "vi")),
    "minor": (("V65/iv", "iv"), ("V65/V", "V"), ("V7/V", "V"), ("V65/VI", "VI")),
}


def identify_key(work: Work) -> Draft:
    """A passage that closes in a key: the key."""
    key = draw_key(work)
    phrase = work.settle(lambda: _phrase(work, key))
    shown_signature = key.signature if work.params["signature"] else 0
    if work.params.get("modulates"):
        shown_signature = work.pick((key.signature + 1, key.signature - 1))
        if abs(shown_signature) > 7:
            raise DiscardError("a signature beyond seven")
    if key.leading_tone.fifths not in _sounding(phrase):
        raise DiscardError("a passage without its leading tone")
    bass = phrase.score.parts[-1].notes[-1].pitch
    words: Words = {
        "tell": Text(f"The leading tone is {key.leading_tone}. ", f"导音是 {key.leading_tone}。"),
        "bass": bass.name,
        "close": " ".join(phrase.symbols[-2:]),
        "key": key_text(key),
    }
    given = _passage(phrase, shown_signature, melody=work.params["texture"] == "melody")
    wrong = [*wrong_keys(key), Wrong(Key(key.tonic.transposed(1), "major").name, "D2")]
    part = Part((key.name,), "key", Text("key", "调"), wrong)
    return draft_of(work, given, part, words, key=key)


def _phrase(work: Work, key: Key) -> Phrase:
    """A phrase that closes in a key, with an applied chord where the level has one."""
    through = work.pick(APPLIED[key.mode]) if work.params.get("chromatic") else ()
    return draw_phrase(key, POOLS[key.mode], work.params["chords"], work.rng, through=through)


def _sounding(phrase: Phrase) -> set[int]:
    return {note.pitch.pitch_class.fifths for part in phrase.score.parts for note in part.notes}


def _passage(phrase: Phrase, sharps: int, *, melody: bool) -> Given:
    """A phrase under a signature that need not be its own; or its outer voices alone."""
    parts = phrase.score.parts
    chosen = (parts[0], parts[-1]) if melody else (parts[0], parts[1], parts[2], parts[3])
    upper = tuple(part for part in chosen if part in parts[: 1 if melody else 2])
    lower = tuple(part for part in chosen if part not in upper)
    metre = phrase.score.metre
    staves = []
    for clef, voices in (("treble", upper), ("bass", lower)):
        bars: dict[int, list[Sign]] = {}
        for row in zip(*(part.notes for part in voices), strict=True):
            onset, length = row[0].onset, row[0].duration
            low_first = tuple(sorted(note.pitch for note in row))
            bars.setdefault(int(onset // metre.bar), []).append(Sign(low_first, length))
        staves.append(ExampleStaff(clef, tuple(tuple(bar) for bar in bars.values())))
    text = " | ".join(" ".join(n.pitch.name for n in part.notes) for part in chosen)
    return shown(text, Example(tuple(staves), sharps, metre))


# --- related keys ---------------------------------------------------------------------------


def relate_keys(work: Work) -> Draft:
    """A key, or two: what is near it."""
    key = draw_key(work)
    maker = RELATIONS[work.params["ask"]]
    return maker(work, key)


def _one(work: Work, key: Key, answer: Key, what: Text, reason: Text) -> Draft:
    if abs(answer.signature) > 7:
        raise DiscardError("a key beyond seven accidentals")
    words: Words = {
        "task": Text(f"Which is the {what.en} of {key}?", f"{key_text(key).zh}的{what.zh}是什么？"),
        "first": Text(answer.tonic.name, answer.tonic.name),
        "reason": reason,
        "answer": key_text(answer),
    }
    wrong = [*wrong_keys(answer), *wrong_keys(key)]
    part = Part((answer.name,), "key", Text("key", "调"), wrong)
    return draft_of(work, Given(str(key)), part, words, key=key)


def _relative(work: Work, key: Key) -> Draft:
    reason = Text("Relative keys share the signature.", "关系大小调调号相同。")
    return _one(work, key, key.relative, Text("relative key", "关系大小调"), reason)


def _parallel(work: Work, key: Key) -> Draft:
    reason = Text("Parallel keys share the tonic.", "同主音大小调主音相同。")
    return _one(work, key, key.parallel, Text("parallel key", "同主音大小调"), reason)


def near_keys(key: Key) -> list[Key]:
    """The five keys whose signatures differ by one accidental at most."""
    major = key if key.mode == "major" else key.relative
    around = [Key(major.tonic.transposed(fifths), "major") for fifths in (0, 1, -1)]
    both = [each for one in around for each in (one, one.relative)]
    return [each for each in both if each != key]


def _near(work: Work, key: Key) -> Draft:
    found = near_keys(key)
    if any(abs(each.signature) > 7 for each in found):
        raise DiscardError("a key beyond seven accidentals")
    names = ", ".join(each.name for each in found)
    words: Words = {
        "task": Text(f"Name the five keys near {key}, with commas between.",
                     f"写出{key_text(key).zh}的五个近关系调，用逗号隔开。"),
        "first": key_text(found[0]),
        "reason": Text("Their signatures differ by one at most.", "调号至多相差一个。"),
        "answer": names,
    }  # fmt: skip
    wrong = [Wrong(", ".join(each.parallel.name for each in found), "D7")]
    part = Part((names,), "key-set", Text("keys", "各调"), wrong, len(found))
    return draft_of(work, Given(str(key)), part, words, key=key)


def _distance(work: Work, key: Key) -> Draft:
    other = draw_key(work)
    if other == key:
        raise DiscardError("one key twice")
    answer = abs(key.signature - other.signature)
    words: Words = {
        "task": Text(f"How many places do {key} and {other} lie apart on the circle of fifths?",
                     f"{key_text(key).zh}与{key_text(other).zh}在五度圈上相距几格？"),
        "first": Text("the difference of the signatures", "调号之差"),
        "reason": Text(f"{key.signature:+d} and {other.signature:+d} sharps.",
                       f"升号数 {key.signature:+d} 与 {other.signature:+d}。"),
        "answer": str(answer),
    }  # fmt: skip
    wrong = [Wrong(str(each), "D8") for each in (answer + 1, abs(answer - 1), answer + 3)]
    part = Part((str(answer),), "number", Text("places", "格数"), wrong)
    return draft_of(work, Given(f"{key}, {other}"), part, words, key=key)


def _pivots(work: Work, key: Key) -> Draft:
    other = work.pick(near_keys(key))
    shared = pivots(key, other)
    symbols = list(dict.fromkeys(pivot.before.numeral for pivot in shared))
    answer = " ".join(symbols)
    words: Words = {
        "task": Text(
            f"Which triads of {key} are triads of {other} too (minor with both forms of V and VII)? "
            f"Give their numerals in {key}.",
            f"{key_text(key).zh}中哪些三和弦也属于{key_text(other).zh}？写出在{key_text(key).zh}中的级数。",
        ),
        "first": symbols[0],
        "reason": Text(
            "Chords with the same notes in both keys can be pivots.",
            "两调音相同的和弦可作共同和弦。",
        ),
        "answer": answer,
    }
    wrong = [
        Wrong(" ".join(symbols[:-1]), "D8"),
        Wrong("I V" if key.mode == "major" else "i V", "D7"),
    ]
    part = Part((answer,), "label-set", Text("numerals", "级数"), wrong, len(symbols))
    return draft_of(work, Given(f"{key}, {other}"), part, words, key=key)


RELATIONS = {
    "relative": _relative,
    "parallel": _parallel,
    "near": _near,
    "distance": _distance,
    "pivots": _pivots,
}
