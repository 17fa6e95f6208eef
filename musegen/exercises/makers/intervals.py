"""Exercises on intervals: named, written, inverted, judged, resolved."""

from __future__ import annotations

from musegen.exercises.distractors import Wrong, wrong_intervals, wrong_numbers, wrong_pitches
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown_chords, shown_notes
from musegen.exercises.names import key_text
from theory_kb.catalogue import entry
from theory_kb.pitch import LETTERS, Interval, Key, Pitch, PitchClass, inverted_number

__all__ = [
    "invert_interval",
    "judge_consonance",
    "name_interval",
    "resolve_interval",
    "write_interval",
]

MOST_SIGNS = 2  # accidentals before a note
INTERVAL = Text("interval", "音程")
LOWEST_TREBLE = Pitch.parse("A3").step


def _drawn(work: Work) -> tuple[Pitch, Interval, Pitch]:
    """A lower note, an interval, the upper note, within the level and the staff."""
    places = work.params["lower"]
    lower = Pitch.of(PitchClass(int(work.pick(places))), int(work.pick((3, 4, 4))))
    interval = Interval.parse(work.pick(work.params["intervals"]))
    upper = lower + interval
    if max(abs(lower.alteration), abs(upper.alteration)) > MOST_SIGNS:
        raise DiscardError("more than two accidentals before a note")
    return lower, interval, upper


def name_interval(work: Work) -> Draft:
    """Two notes: number and quality of the interval between them."""
    lower, interval, upper = _drawn(work)
    falling = bool(work.params.get("falling")) and bool(work.rng.integers(2))
    first, second = (upper, lower) if falling else (lower, upper)
    clef = "treble" if lower.step >= LOWEST_TREBLE else "bass"
    natural = Interval.parse(_plain_name(interval.steps))
    words: Words = {
        "task": ASKED[bool(work.params.get("number_only"))],
        "lower": lower.name,
        "natural": (lower + natural).name,
        "number": str(interval.number),
        "semitones": str(interval.semitones),
        "first": first.name,
        "second": second.name,
        "name": interval.name,
    }
    given = shown_notes(f"{first} {second}", (first, second), clef)
    part = Part((interval.name,), "interval", INTERVAL, wrong_intervals(interval))
    if work.params.get("number_only"):
        number = interval.number
        part = Part((str(number),), "number", Text("number", "度数"), wrong_numbers(number))
    return draft_of(work, given, part, words, kg=(f"interval:{_simple(interval).name}",))


ASKED = {
    True: Text("Give the number of the interval, such as 3 or 8.", "写出音程的度数，如 3、8。"),
    False: Text(
        "Name the interval: quality and number, such as m3 or A4.",
        "写出音程的性质与度数，如 m3、A4 或小三度。",
    ),
}


def _plain_name(steps: int) -> str:
    """The perfect or major interval of so many steps."""
    return f"{'P' if steps % 7 in (0, 3, 4) else 'M'}{steps + 1}"


def _simple(interval: Interval) -> Interval:
    """A compound interval within the octave."""
    octaves = max(0, (interval.steps - 1) // 7)
    return Interval(interval.steps - 7 * octaves, interval.semitones - 12 * octaves)


def write_interval(work: Work) -> Draft:
    """A note and an interval above or below it: the other note."""
    lower, interval, upper = _drawn(work)
    falling = bool(work.params.get("falling")) and bool(work.rng.integers(2))
    note, answer = (upper, lower) if falling else (lower, upper)
    other = Interval(-interval.steps, -interval.semitones) if not falling else interval
    words: Words = {
        "interval": interval.name,
        "way": Text("below", "下方") if falling else Text("above", "上方"),
        "note": note.name,
        "number": str(interval.number),
        "semitones": str(interval.semitones),
        "letter": LETTERS[answer.step % 7],
        "answer": answer.name,
    }
    clef = "treble" if note.step >= LOWEST_TREBLE else "bass"
    reversed_ = note + other
    wrong = [*wrong_pitches(answer, clef, octave=True)]
    if abs(reversed_.alteration) <= MOST_SIGNS:
        wrong.insert(0, Wrong(reversed_.name, "D3"))
    wrong += [
        Wrong(Pitch(answer.step, answer.semitone + change).name, "D1")
        for change in (1, -1)
        if abs(answer.alteration + change) <= MOST_SIGNS
    ]
    given = shown_notes(note.name, (note,), clef)
    part = Part((answer.name,), "pitch", Text("note", "音"), wrong)
    return draft_of(work, given, part, words, kg=(f"interval:{_simple(interval).name}",))


def invert_interval(work: Work) -> Draft:
    """An interval turned over at the octave, or a row of them at another interval."""
    at = int(work.pick(work.params["at"]))
    count = int(work.params.get("row", 1))
    names = list(work.params["intervals"])
    chosen = [names[place] for place in sorted(work.rng.permutation(len(names))[:count])]
    if not at:
        answers = [_simple(Interval.parse(name)).name for name in chosen]
        task = Text(f"Reduce {chosen[0]} to a simple interval.", f"把 {chosen[0]} 化为单音程。")
    elif count == 1:
        answers = [_inverted(Interval.parse(chosen[0])).name]
        task = Text(f"Invert {chosen[0]} at the octave.", f"把 {chosen[0]} 作八度转位。")
    else:
        numbers = [Interval.parse(name).number for name in chosen]
        answers = [str(inverted_number(number, at=at)) for number in numbers]
        task = Text(
            f"The voices are inverted at the {ORDINALS[at].en}. Give the number that each of the "
            f"intervals {' '.join(map(str, numbers))} becomes.",
            f"两声部作{ORDINALS[at].zh}转位，写出 {' '.join(map(str, numbers))} 各变成几度。",
        )
        chosen = [str(number) for number in numbers]
    shown, answer = " ".join(chosen), " ".join(answers)
    words: dict[str, str | Text] = {"task": task, "shown": shown, "answer": answer}
    words["number"] = answers[0].lstrip("PMmAd-")
    if count > 1:
        wrong = [Wrong(" ".join(str(at - int(each)) for each in chosen), "D8")]
        part = Part((answer,), "numbers", Text("numbers", "度数"), wrong, count, form="text")
    else:
        interval = Interval.parse(answers[0])
        slip = Wrong(Interval(max(interval.steps - 1, 0), interval.semitones).name, "D8")
        wrong = [slip, *wrong_intervals(interval), Wrong(shown, "D3")]
        part = Part((answer,), "interval", INTERVAL, [each for each in wrong if _named(each.value)])
    return draft_of(work, Given(shown), part, words)


ORDINALS = {8: Text("octave", "八度"), 10: Text("tenth", "十度"), 12: Text("twelfth", "十二度")}


def _named(name: str) -> bool:
    return any(letter in name for letter in "PMmAd")


def _inverted(interval: Interval) -> Interval:
    """At the octave; a unison becomes the octave."""
    return Interval(7 - interval.steps, 12 - interval.semitones)


KINDS = {
    "perfect": Text("a perfect consonance", "完全协和音程"),
    "imperfect": Text("an imperfect consonance", "不完全协和音程"),
    "dissonant": Text("a dissonance", "不协和音程"),
}


def judge_consonance(work: Work) -> Draft:
    """An interval: perfect or imperfect consonance, or dissonance; fourths by their place."""
    lower = Pitch.of(PitchClass(int(work.rng.integers(-3, 5))), 4)
    interval = Interval.parse(work.pick(work.params["intervals"]))
    upper = lower + interval
    if max(abs(lower.alteration), abs(upper.alteration)) > MOST_SIGNS:
        raise DiscardError("more than two accidentals before a note")
    kind = str(entry("interval", _simple(interval).name)["consonance"])
    name, setting, reason = f"{lower}-{upper}", Text("", ""), Text("", "")
    notes: list[Pitch] = [lower, upper]
    if work.params.get("voices"):
        bass = lower + Interval.parse(work.pick(("-m3", "-M3", "-m6", "-M6", "-P5")))
        covered = bool(work.rng.integers(2))
        if abs(bass.alteration) > 1:
            raise DiscardError("a bass with two accidentals")
        notes = [bass, lower, upper] if covered else notes
        if interval.name == "P4" and covered:
            kind = "perfect"
            reason = Text(
                " A third voice below makes the fourth consonant.", "下方有声部，四度协和。"
            )
        setting = Text(
            f"Judge {lower}-{upper} among the voices that sound.",
            f"判断所响各声部中的 {lower}-{upper}。",
        )
    if interval.name in ("P4", "P11") and kind == "dissonant":
        reason = Text(" A fourth above the bass wants to resolve.", "低音上方的四度需要解决。")
    words: Words = {
        "setting": setting,
        "name": interval.name,
        "kind": KINDS[kind],
        "reason": reason,
    }
    given = shown_chords(f"{' '.join(map(str, notes))}: {name}", _passage(work, notes))
    wrong = [Wrong(other, "D4") for other in KINDS if other != kind]
    part = Part((kind,), "choice", Text("kind", "类别"), wrong, options=tuple(KINDS), labels=KINDS)
    return draft_of(work, given, part, words, kg=(f"interval:{_simple(interval).name}",))


def _passage(work: Work, notes: list[Pitch]) -> list[list[Pitch]]:
    """The notes alone, or the last of a short passage that moves into them by step."""
    count = int(work.params.get("places", 1))
    rows = [notes]
    for _ in range(count - 1):
        step = Interval.parse(work.pick(("M2", "-M2")))
        moved = [pitch + step for pitch in rows[0]]
        if any(abs(pitch.alteration) > 1 for pitch in moved):
            raise DiscardError("a passage out of hand")
        rows.insert(0, moved)
    return rows


# --- resolution -----------------------------------------------------------------------------

GOALS = {  # degrees that tendency tones go to, both modes; alternatives after the first
    "7": ("1",),
    "4": ("3",),
    "b6": ("5",),
    "#4": ("5",),
    "5": ("5", "1"),
}
HELD = "5"  # of a dominant seventh: it stays, or leaps to the tonic in the bass


def resolve_interval(work: Work) -> Draft:
    """Two tendency tones of a key: where each goes."""
    key = draw_key(work, most=4)
    low_name, high_name = work.pick(work.params["pairs"])
    lower = _near(_degree(key, low_name), 4, None)
    upper = _near(_degree(key, high_name), 4, lower)
    low_goals = [_to(key, lower, goal) for goal in GOALS[low_name]]
    high_goals = [_to(key, upper, goal) for goal in GOALS[high_name][:1]]
    ways = [f"{low} {high}" for low in low_goals for high in high_goals]
    interval = upper - lower
    tendency = lower if low_name != HELD else upper
    words: Words = {
        "key": key_text(key),
        "interval": interval.name,
        "lower": lower.name,
        "upper": upper.name,
        "tendency": tendency.name,
        "first": low_goals[0].name,
        "second": high_goals[0].name,
    }
    given = shown_chords(f"{key}: {lower} {upper}", [[lower, upper]], sharps=key.signature)
    shifted = lower + (high_goals[0] - upper)
    within = abs(shifted.alteration) <= MOST_SIGNS
    wrong = [Wrong(f"{shifted} {high_goals[0]}", "D12", PARALLEL)] if within else []
    part = Part(tuple(ways), "pitches", Text("two notes", "两个音"), wrong, 2)
    degrees = (f"degree:{low_name}", f"degree:{high_name}")
    return draft_of(work, given, part, words, key=key, kg=degrees)


PARALLEL = Text(
    "the notes move in parallel; they must part or meet", "两音平行进行了，应相向或反向"
)


def _degree(key: Key, name: str) -> PitchClass:
    """A degree of the major scale on the tonic, altered; `3` follows the mode."""
    if name == "3" and key.mode == "minor":
        name = "b3"
    return key.tonic.transposed(int(entry("degree", name)["fifths"]))


def _near(note: PitchClass, octave: int, above: Pitch | None) -> Pitch:
    """A note in an octave, or the next one above another."""
    found = Pitch.of(note, octave)
    while above is not None and found.step <= above.step:
        found = Pitch.of(note, found.octave + 1)
    return found


def _to(key: Key, pitch: Pitch, degree: str) -> Pitch:
    """The note of a degree that lies nearest."""
    note = _degree(key, degree)
    ways = [Pitch.of(note, octave) for octave in range(pitch.octave - 1, pitch.octave + 2)]
    return min(ways, key=lambda each: (abs(each.step - pitch.step), each.step))
