"""Non-chord tones: small contexts, each told apart by how the tone is reached, left and accented.

Kinds and their marks are those of theory_kb/facts/non_chord_tones.toml (KP 11-12). A context in
which two kinds of the level fit is thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Item, Text
from musegen.exercises.kinds import DiscardError, Work, kind
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown
from musegen.exercises.metres import metre_of
from musegen.exercises.names import key_text
from musegen.io.examples import Example, ExampleStaff, Sign
from theory_kb.catalogue import entry
from theory_kb.chords import chord, spell
from theory_kb.pitch import Key, Pitch, ScaleDegree

__all__ = ["Context", "kinds_of", "name_tone", "prove_tone"]

NAMES: Mapping[str, Text] = {
    "nct-passing": Text("passing tone", "经过音"),
    "nct-neighbor": Text("neighbour tone", "辅助音"),
    "nct-suspension": Text("suspension", "延留音"),
    "nct-retardation": Text("retardation", "上行延留音"),
    "nct-appoggiatura": Text("appoggiatura", "倚音"),
    "nct-escape": Text("escape tone", "换音"),
    "nct-anticipation": Text("anticipation", "先现音"),
    "nct-pedal": Text("pedal", "持续音"),
    "nct-incomplete-neighbor": Text("incomplete neighbour", "不完全辅助音"),
    "nct-chromatic-passing": Text("chromatic passing tone", "半音经过音"),
}
WAYS = {
    "step": Text("step", "级进"),
    "leap": Text("leap", "跳进"),
    "same": Text("the same note", "同音"),
    "chromatic": Text("semitone", "半音"),
}
ACCENTS = {True: Text("on the beat", "拍上"), False: Text("off the beat", "拍后")}


@dataclass(frozen=True, slots=True)
class Context:
    """A tone with its neighbours."""

    before: Pitch
    note: Pitch
    after: Pitch
    accented: bool
    held: bool  # tied to the note before
    bass: bool = False  # in the lowest voice, while chords change above

    @property
    def approach(self) -> str:
        """How it is reached."""
        return _way(self.before, self.note)

    @property
    def departure(self) -> str:
        """How it is left."""
        return _way(self.note, self.after)


def _way(one: Pitch, other: Pitch) -> str:
    if one == other:
        return "same"
    if one.step == other.step:
        return "chromatic"
    return "step" if abs(one.step - other.step) == 1 else "leap"


def _turn(context: Context) -> set[str]:
    """What may be said of the way that a tone goes on."""
    first = context.note.semitone - context.before.semitone
    second = context.after.semitone - context.note.semitone
    found = {"any"}
    if second == 0:
        found.add("held")
    if first * second > 0:
        found.add("same way")
    if first * second < 0:
        found.add("opposite way")
    if context.after == context.before:
        found.add("back")
    if second:
        found.add("up" if second > 0 else "down")
    return found


def _moves(said: str, way: str, context: Context) -> bool:
    """Whether a way is what the table says."""
    if said == "chromatic":
        return "chromatic" in (context.approach, context.departure) and way in ("chromatic", "step")
    if said == "held":
        return way == "same"
    return said in ("any", way)


ACCENTED = {"accented": (True,), "unaccented": (False,), "weak": (False,), "any": (True, False)}


def kinds_of(context: Context, among: tuple[str, ...]) -> list[str]:
    """The kinds that a tone can be, by the table of the knowledge base."""
    found = []
    for name in among:
        fact = entry("non-chord-tone", name)
        fits = (
            _moves(str(fact["approach"]), context.approach, context)
            and _moves(str(fact["departure"]), context.departure, context)
            and fact["turns"] in _turn(context)
            and context.accented in ACCENTED[str(fact["accent"])]
            and (name == "nct-pedal") == context.bass
            and (
                name != "nct-chromatic-passing"
                or "chromatic" in (context.approach, context.departure)
            )
        )
        if fits:
            found.append(name)
    return found


# --- contexts -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Two chords and a line over them in steps above the tonic, the tone marked by its place.

    Notes are (step, quarter notes); a chord lasts two quarter notes, the last one the rest.
    """

    kind: str
    chords: tuple[str, ...]  # of major, as numerals; of minor the like
    notes: tuple[tuple[int, Fraction], ...]
    place: int
    held: bool = False
    bass: bool = False
    sharp: bool = False  # the tone raised by a semitone from the note before


H, Q, E = Fraction(2), Fraction(1), Fraction(1, 2)


def _within(kind: str, steps: tuple[int, int, int], chord_name: str = "I") -> _Pattern:
    notes = ((steps[0], E), (steps[1], E), (steps[2], Q), (steps[2], H))
    return _Pattern(kind, (chord_name, chord_name), notes, 1)


PATTERNS: tuple[_Pattern, ...] = (
    *(_within("nct-passing", each) for each in ((7, 8, 9), (9, 8, 7), (9, 10, 11), (11, 10, 9))),
    *(_within("nct-passing", each, "IV") for each in ((7, 6, 5), (10, 11, 12), (12, 11, 10))),
    *(_within("nct-passing", each, "V") for each in ((8, 7, 6), (11, 12, 13), (13, 12, 11))),
    *(_within("nct-neighbor", each) for each in ((7, 8, 7), (9, 10, 9), (11, 12, 11), (9, 8, 9))),
    *(_within("nct-neighbor", each, "IV") for each in ((7, 8, 7), (10, 11, 10), (12, 11, 12))),
    *(_within("nct-neighbor", each, "V") for each in ((8, 9, 8), (11, 12, 11), (8, 7, 8))),
    *(
        _Pattern("nct-suspension", chords, ((step, H), (step, Q), (step - 1, Q)), 1, held=True)
        for chords, step in (
            (("IV", "V"), 7),
            (("I", "V"), 7),
            (("V", "I"), 8),
            (("IV", "I"), 10),
            (("IV", "I"), 12),
            (("I", "V"), 9),
        )
    ),
    *(
        _Pattern("nct-retardation", chords, ((step, H), (step, Q), (step + 1, Q)), 1, held=True)
        for chords, step in ((("V", "I"), 6), (("V", "I"), 8), (("I", "IV"), 9))
    ),
    *(
        _Pattern("nct-appoggiatura", chords, ((start, H), (step, Q), (step - 1, Q)), 1)
        for chords, start, step in (
            (("I", "IV"), 7, 11),
            (("V", "I"), 8, 12),
            (("I", "V"), 7, 9),
            (("V", "I"), 6, 10),
            (("I", "IV"), 9, 13),
        )
    ),
    *(
        _Pattern("nct-escape", chords, ((start, Q + E), (step, E), (goal, H)), 1)
        for chords, start, step, goal in (
            (("V", "I"), 8, 9, 7),
            (("I", "V"), 9, 10, 8),
            (("IV", "V"), 12, 13, 11),
            (("V", "I"), 11, 12, 9),
        )
    ),
    *(
        _Pattern("nct-anticipation", chords, ((start, Q + E), (goal, E), (goal, H)), 1)
        for chords, start, goal in (
            (("V", "I"), 8, 7),
            (("V", "I"), 6, 7),
            (("IV", "V"), 7, 6),
            (("I", "V"), 9, 8),
            (("V", "I"), 8, 9),
        )
    ),
    *(
        _Pattern("nct-incomplete-neighbor", chords, ((start, Q + E), (step, E), (goal, H)), 1)
        for chords, start, step, goal in (
            (("I", "I"), 7, 10, 11),
            (("I", "IV"), 7, 11, 12),
            (("I", "I"), 11, 8, 7),
            (("V", "I"), 11, 8 + 2, 9),
        )
    ),
    *(
        _Pattern("nct-chromatic-passing", chords, ((start, Q + E), (start, E), (start + 1, H)), 1,
                 sharp=True)
        for chords, start in ((("I", "V"), 7), (("IV", "V"), 7), (("IV", "V"), 10), (("I", "IV"), 11))
    ),
    *(
        _Pattern("nct-pedal", chords, ((step, H), (step, H), (step, H)), 1, bass=True)
        for chords, step in (
            (("I", "V", "I"), -7),
            (("I", "V", "I"), 0),
            (("I", "IV", "I"), -3),
        )
    ),
)  # fmt: skip


def _pitch(key: Key, step: int) -> Pitch:
    """A step above the tonic of octave 4, in minor with the leading tone."""
    number = step % 7 + 1
    raised = key.mode == "minor" and number == 7
    note = key.leading_tone if raised else key.degree(ScaleDegree(number))
    octave = (key.tonic.letter + step) // 7 + 3
    return Pitch.of(note, octave)


MINOR = {"I": "i", "IV": "iv", "V": "V"}


def _context(key: Key, pattern: _Pattern) -> tuple[list[Pitch], Context]:
    line = [_pitch(key, step) for step, _ in pattern.notes]
    if pattern.sharp:
        note = line[pattern.place]
        line[pattern.place] = Pitch(note.step, note.semitone + 1)
    place = pattern.place
    onset = sum((length for _, length in pattern.notes[:place]), Fraction(0))
    context = Context(
        line[place - 1], line[place], line[place + 1], onset % 1 == 0, pattern.held, pattern.bass
    )
    return line, context


def name_tone(work: Work) -> Draft:
    """A line over two chords: the kind of its non-chord tone."""
    key = draw_key(work, most=4)
    allowed = tuple(work.params["kinds"])
    wanted = work.pick(allowed)
    pattern = work.pick([each for each in PATTERNS if each.kind == wanted])
    line, context = _context(key, pattern)
    if max(abs(pitch.alteration) for pitch in line) > 1 or not _foreign(key, pattern, line):
        raise DiscardError("a tone that belongs to the chord")
    if kinds_of(context, tuple(NAMES)) != [wanted]:
        raise DiscardError("a tone of two kinds")
    words: Words = {
        "key": key_text(key),
        "note": context.note.name,
        "line": _said(key, pattern, line),
        "approach": WAYS[context.approach],
        "departure": WAYS[context.departure],
        "accent": ACCENTS[context.accented],
        "name": NAMES[wanted],
    }
    wrong = [Wrong(other, "D13") for other in NAMES if other != wanted]
    wrong.sort(key=lambda each: each.value not in allowed)
    wrong = [wrong[0], *(Wrong(each.value, "D12", ONE_OFF) for each in wrong[1:])]
    labels = NAMES
    given = shown(f"{key}: {_said(key, pattern, line)}", _example(key, pattern, line))
    part = Part((wanted,), "choice", Text("kind", "种类"), wrong, labels=labels)
    facts = {"context": f"{context.before} {context.note} {context.after}",
             "accented": str(int(context.accented)), "held": str(int(context.held)),
             "bass": str(int(context.bass))}  # fmt: skip
    return draft_of(
        work, given, part, words, key=key, kg=(f"non-chord-tone:{wanted}",), facts=facts
    )


ONE_OFF = Text(
    "one of approach, departure and accent does not fit", "进入、离开、强弱位置中有一项不符"
)


def prove_tone(item: Item) -> list[str]:
    """Whether the table calls the tone what the key calls it, and nothing else."""
    before, note, after = map(Pitch.parse, item.facts["context"].split())
    flags = [item.facts[name] == "1" for name in ("accented", "held", "bass")]
    context = Context(before, note, after, *flags)
    level = kind(item.id).levels[item.level - 1]
    found = kinds_of(context, tuple(NAMES))
    right = item.solutions.model["answer"]
    assert right in level.params["kinds"]
    return [] if found == [right] else ["a tone of another kind, or of two"]


def _chords(key: Key, pattern: _Pattern) -> list[list[Pitch]]:
    rows = []
    for symbol in pattern.chords:
        name = symbol if key.mode == "major" else MINOR[symbol]
        tones = spell(chord(key.mode, name), key)
        root = Pitch.of(tones[0], 3)
        row = [root]
        for tone in tones[1:]:
            above = Pitch.of(tone, row[-1].octave)
            row.append(above if above.step > row[-1].step else Pitch.of(tone, above.octave + 1))
        rows.append(row)
    return rows


def _foreign(key: Key, pattern: _Pattern, line: list[Pitch]) -> bool:
    """Whether the tone is none of its chord's, and its neighbours are of theirs."""
    chords = [{pitch.pitch_class for pitch in row} for row in _chords(key, pattern)]
    time, found = Fraction(0), []
    for pitch, (_, length) in zip(line, pattern.notes, strict=True):
        found.append(pitch.pitch_class in chords[_at(pattern, time)])
        time += length
    return not found[pattern.place] and found[pattern.place - 1] and found[pattern.place + 1]


def _at(pattern: _Pattern, time: Fraction) -> int:
    """Which chord sounds at a time."""
    return min(int(time // H), len(pattern.chords) - 1)


def _said(key: Key, pattern: _Pattern, line: list[Pitch]) -> str:
    """The line with its chords in brackets."""
    rows = _chords(key, pattern)
    words: list[str] = []
    time, last = Fraction(0), -1
    for place, (pitch, (_, length)) in enumerate(zip(line, pattern.notes, strict=True)):
        now = _at(pattern, time)
        if last < 0 or (now != last and pattern.chords[now] != pattern.chords[last]):
            words.append(f"[{' '.join(each.pitch_class.name for each in rows[now])}]")
        last = now
        tie = "(held) " if pattern.held and place == pattern.place else ""
        words.append(f"{tie}{pitch}")
        time += length
    return " ".join(words) + (" in the bass" if pattern.bass else "")


def _example(key: Key, pattern: _Pattern, line: list[Pitch]) -> Example:
    metre = metre_of("4/4")
    signs = [
        Sign((pitch,), length, tied=pattern.held and place == pattern.place - 1)
        for place, (pitch, (_, length)) in enumerate(zip(line, pattern.notes, strict=True))
    ]
    bars: list[list[Sign]] = [[]]
    time = Fraction(0)
    for sign in signs:
        if time and time % metre.bar == 0:
            bars.append([])
        bars[-1].append(sign)
        time += sign.length
    rows = _chords(key, pattern)
    halves = [Sign(tuple(rows[_at(pattern, H * place)]), H) for place in range(int(time / H))]
    under = tuple(tuple(halves[place : place + 2]) for place in range(0, len(halves), 2))
    melody = ExampleStaff("bass" if pattern.bass else "treble", tuple(tuple(bar) for bar in bars))
    block = ExampleStaff("treble" if pattern.bass else "bass", under)
    staves = (block, melody) if pattern.bass else (melody, block)
    return Example(staves, key.signature, metre)
