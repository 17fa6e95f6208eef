"""Exercises of jazz harmony: guide tones, chord scales, substitutions.

Source: Levine, The Jazz Theory Book (1995), chs. 3, 13 and 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.chords import names_of, writable
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.names import SCALE_NAMES, key_text
from theory_kb.chord_symbols import ChordSymbol
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.scales import spell_scale

__all__ = ["chord_scale", "guide_tones", "reharmonise"]

LOW, HIGH = Pitch.parse("C3"), Pitch.parse("A4")
THIRDS, SEVENTHS = (4, -3), (-2, 5, -9)  # fifths above the root


def _symbol(tonic: PitchClass, text: str) -> ChordSymbol:
    fifths, quality = text.split()
    return ChordSymbol(tonic.transposed(int(fifths)), quality)


# --- guide tones ----------------------------------------------------------------------------


def guide_tones(work: Work) -> Draft:
    """Changes: a line of thirds and sevenths that moves by step; all such lines are stored."""
    tonic = PitchClass(int(work.pick(work.params["keys"])))
    symbols = [_symbol(tonic, text) for text in work.pick(work.params["patterns"])]
    lines = _lines(symbols)
    if not lines or not all(writable(symbol.tones) for symbol in symbols):
        raise DiscardError("no line by step")
    rows = [" ".join(map(str, line)) for line in lines]
    changes = " ".join(map(str, symbols))
    words: Words = {"changes": changes, "first": str(lines[0][0]), "answer": rows[0]}
    roots = " ".join(_nearest(symbol.root, LOW).name for symbol in symbols)
    thirds = " ".join(_nearest(_guides(symbol)[0], LOW).name for symbol in symbols)
    wrong = [Wrong(roots, "D10"), Wrong(thirds, "D12", LEAPS)]
    part = Part(tuple(rows), "pitches", Text("line", "旋律线"), wrong, len(symbols))
    return draft_of(work, Given(changes), part, words)


LEAPS = Text(
    "thirds alone leap; change between third and seventh", "只取三音会跳进，应三音、七音交替"
)


def _guides(symbol: ChordSymbol) -> list[PitchClass]:
    """Third and seventh of a chord."""
    steps = [tone.fifths - symbol.root.fifths for tone in symbol.tones]
    return [
        tone
        for kinds in (THIRDS, SEVENTHS)
        for tone, step in zip(symbol.tones, steps, strict=True)
        if step in kinds
    ]


def _lines(symbols: Sequence[ChordSymbol]) -> list[list[Pitch]]:
    """Every line of third and seventh that goes by step or stays, within the compass."""
    lines = [[pitch] for tone in _guides(symbols[0]) for pitch in _within(tone)]
    for symbol in symbols[1:]:
        ways = [pitch for tone in _guides(symbol) for pitch in _within(tone)]
        lines = [
            [*line, pitch]
            for line, pitch in product(lines, ways)
            if abs(pitch.semitone - line[-1].semitone) <= 2
        ]
    return lines


def _within(tone: PitchClass) -> list[Pitch]:
    return [
        pitch
        for octave in (2, 3, 4, 5)
        if LOW.semitone <= (pitch := Pitch.of(tone, octave)).semitone <= HIGH.semitone
    ]


def _nearest(tone: PitchClass, low: Pitch) -> Pitch:
    pitch = Pitch.of(tone, low.octave)
    return pitch if pitch.semitone >= low.semitone else Pitch.of(tone, low.octave + 1)


# --- chord scales ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """A chord in a key and what is played over it."""

    mode: str
    root: int  # fifths above the tonic
    quality: str
    scales: tuple[str, ...]  # the usual one first
    avoid: int | None  # fifths above the root of the note to pass over
    context: Text
    reason: Text


HERE = Text("", "")


def _diatonic(root: int, quality: str, scale: str, avoid: int | None, *others: str) -> _Case:
    reason = Text("The notes of the key from the root up.", "从根音起的调内音。")
    return _Case("major", root, quality, (scale, *others), avoid, HERE, reason)


CASES: Mapping[str, _Case] = {
    "I": _diatonic(0, "maj7", "ionian", -1, "lydian"),
    "ii": _diatonic(2, "min7", "dorian", None),
    "iii": _diatonic(4, "min7", "phrygian", -5),
    "IV": _diatonic(-1, "maj7", "lydian", None),
    "V": _diatonic(1, "7", "mixolydian", -1),
    "vi": _diatonic(3, "min7", "aeolian", -4, "dorian"),
    "vii": _diatonic(5, "m7b5", "locrian", -5),
    "iiø-minor": _Case("minor", 2, "m7b5", ("locrian",), -5, HERE,
        Text("The notes of the minor key from the root up.", "从根音起的小调音。")),
    "V-minor": _Case("minor", 1, "7", ("phrygian-dominant",), -1, HERE,
        Text("Harmonic minor from its fifth degree.", "和声小调从五级开始。")),
    "i-minor": _Case("minor", 0, "minmaj7", ("melodic-minor", "harmonic-minor"), None, HERE,
        Text("Minor with the leading tone that the chord holds.", "含导音的小调音阶。")),
    "V/ii": _Case("major", 3, "7", ("phrygian-dominant",), -1,
        Text(" before ii", "（在 ii 之前）"),
        Text("The target is minor: ninth and thirteenth are lowered.", "目标是小和弦：九、十三音降低。")),
    "V/vi": _Case("major", 4, "7", ("phrygian-dominant",), -1,
        Text(" before vi", "（在 vi 之前）"),
        Text("The target is minor: ninth and thirteenth are lowered.", "目标是小和弦：九、十三音降低。")),
    "V/V": _Case("major", 2, "7", ("mixolydian", "acoustic"), -1,
        Text(" before V", "（在 V 之前）"),
        Text("The target is major: the plain dominant scale.", "目标是大和弦：普通属音阶。")),
    "V/IV": _Case("major", 0, "7", ("mixolydian",), -1,
        Text(" before IV", "（在 IV 之前）"),
        Text("The target is major: the plain dominant scale.", "目标是大和弦：普通属音阶。")),
    "subV": _Case("major", -5, "7", ("acoustic",), None,
        Text(" before I", "（在 I 之前）"),
        Text("A dominant a semitone above its target has a raised eleventh.", "高半音的替代属和弦用升十一音。")),
    "bVII": _Case("major", -2, "7", ("acoustic", "mixolydian"), None,
        Text(" before I", "（在 I 之前）"),
        Text("The backdoor dominant takes the raised eleventh.", "后门属和弦用升十一音。")),
    "iv": _Case("major", -1, "minmaj7", ("melodic-minor",), None, HERE,
        Text("Borrowed from minor, with its major seventh.", "借自小调，带大七度。")),
    "#ivø": _Case("major", 6, "m7b5", ("locrian",), -5, HERE,
        Text("Half diminished: the Locrian scale.", "半减七：洛克里亚。")),
    "bII": _Case("major", -5, "maj7", ("lydian",), None, HERE,
        Text("A major seventh outside the key takes the raised eleventh.", "调外大七和弦用升十一音。")),
}  # fmt: skip
OFFERED = ("ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian",
           "acoustic", "phrygian-dominant", "melodic-minor", "whole-tone")  # fmt: skip


def chord_scale(work: Work) -> Draft:
    """A chord in a key: the scale that is played over it."""
    name = work.pick(work.params["cases"])
    case = CASES[name]
    key = draw_key(work, most=4, modes=(case.mode,))
    symbol = ChordSymbol(key.tonic.transposed(case.root), case.quality)
    notes = spell_scale(symbol.root, case.scales[0])
    if not writable(notes):
        raise DiscardError("triple accidentals")
    avoided = "" if case.avoid is None else symbol.root.transposed(case.avoid).name
    words: Words = {
        "key": key_text(key),
        "chord": str(symbol),
        "context": case.context,
        "degree": name.removesuffix("-minor"),
        "notes": names_of(notes),
        "reason": case.reason,
        "avoid": Text(f"Pass over {avoided}.", f"{avoided} 只作经过。")
        if avoided
        else Text("", ""),
    }
    wrong = [Wrong(other, "D9") for other in OFFERED if other not in case.scales]
    wrong = [wrong[place] for place in work.rng.permutation(len(wrong))]
    wrong += [Wrong("natural-minor" if case.mode == "minor" else "major", "D7")]
    labels = {
        each: SCALE_NAMES[each] for each in (*OFFERED, "major", "natural-minor", *case.scales)
    }
    given = Given(f"{key}: {symbol}{case.context.en}")
    part = Part(case.scales, "choice", Text("scale", "音阶"), wrong, labels=labels)
    return draft_of(work, given, part, words, key=key)


# --- substitution ---------------------------------------------------------------------------

Operator = Callable[[PitchClass], Sequence[tuple[ChordSymbol, ...]]]


def _tritone(tonic: PitchClass) -> Sequence[tuple[ChordSymbol, ...]]:
    root = tonic.transposed(-5)
    return [(ChordSymbol(root, quality),) for quality in ("7", "9", "13")]


def _backdoor(tonic: PitchClass) -> Sequence[tuple[ChordSymbol, ...]]:
    seventh = tonic.transposed(-2)
    alone = [(ChordSymbol(seventh, quality),) for quality in ("7", "9", "13")]
    before = ChordSymbol(tonic.transposed(-1), "min7")
    return [*alone, *((before, *each) for each in alone)]


def _two_five(tonic: PitchClass) -> Sequence[tuple[ChordSymbol, ...]]:
    two = tonic.transposed(2)
    five = ChordSymbol(tonic.transposed(1), "7")
    return [(ChordSymbol(two, quality), five) for quality in ("min7", "min9")]


def _tritone_two_five(tonic: PitchClass) -> Sequence[tuple[ChordSymbol, ...]]:
    two = tonic.transposed(-4)
    return [
        (ChordSymbol(two, quality), ChordSymbol(tonic.transposed(-5), end))
        for quality in ("min7", "min9")
        for end in ("7", "9", "13")
    ]


def _diminished(tonic: PitchClass) -> Sequence[tuple[ChordSymbol, ...]]:
    roots = (5, 2, -1, -4)  # every note of the chord can be its root
    return [(ChordSymbol(tonic.transposed(each), "dim7"),) for each in roots]


OPERATORS: Mapping[str, tuple[Operator, Text]] = {
    "tritone": (_tritone, Text("A dominant a tritone away has the same third and seventh.",
                               "相距三全音的属和弦三音、七音相同。")),
    "backdoor": (_backdoor, Text("The dominant on the lowered seventh degree comes in by the back.",
                                 "降七级上的属和弦从“后门”进入。")),
    "two-five": (_two_five, Text("The dominant is prepared by the minor seventh a fourth below.",
                                 "属和弦前加其下方四度的小七和弦。")),
    "tritone-two-five": (_tritone_two_five, Text(
        "The substitute brings its own minor seventh before it.", "替代属和弦带上自己的 ii 级。")),
    "diminished": (_diminished, Text("The diminished seventh on the leading tone stands for V7b9.",
                                     "导音上的减七和弦代替 V7b9。")),
}  # fmt: skip
TENSIONS = {
    "7": (2, 3, 6, -1),
    "9": (3, 6),
    "13": (2, 6),
    "min7": (2, -1),
    "min9": (-1,),
    "dim7": (),
}
MELODY = (1, 5, 2, -1, 3, 4)  # fifths above the tonic: tones, ninth and thirteenth of V7


def reharmonise(work: Work) -> Draft:
    """A dominant under a melody note: what may take its place; all of it is stored."""
    key = draw_key(work, most=4, modes=("major",))
    name = work.pick(work.params["operators"])
    operator, rule = OPERATORS[name]
    tonic = key.tonic
    melodies = [tonic.transposed(fifths) for fifths in MELODY]
    fitting = [(melody, _fit(operator(tonic), melody)) for melody in melodies]
    fitting = [(melody, ways) for melody, ways in fitting if ways]
    if not fitting:
        raise DiscardError("no melody note fits")
    melody, ways = work.pick(fitting)
    old = ChordSymbol(tonic.transposed(1), "7")
    changes = f"{ChordSymbol(tonic.transposed(2), 'min7')} {old} {ChordSymbol(tonic, 'maj7')}"
    rows = [" ".join(map(str, way)) for way in ways]
    words: Words = {
        "changes": changes,
        "key": key_text(key),
        "melody": melody.name,
        "chord": str(old),
        "task": TASKS[name],
        "rule": rule,
        "root": ways[0][-1].root.name,
        "answer": rows[0],
        "place": Text("a chord tone or an allowed tension", "和弦音或可用延伸音"),
    }
    wrong = [Wrong(" ".join(str(ChordSymbol(each.root, "maj7")) for each in ways[0]), "D1"),
             Wrong(" ".join(str(ChordSymbol(each.root.transposed(1), each.quality))
                            for each in ways[0]), "D2")]  # fmt: skip
    given = Given(f"{changes}; {melody} over {old}")
    part = Part(tuple(rows), "symbols", Text("chords", "和弦"), wrong, 2)
    return draft_of(work, given, part, words, key=key)


TASKS: Mapping[str, Text] = {
    "tritone": Text("Use the tritone substitute.", "用三全音替代。"),
    "backdoor": Text("Use the backdoor dominant.", "用后门属和弦。"),
    "two-five": Text("Split it into ii and V.", "拆成 ii–V。"),
    "tritone-two-five": Text("Use the ii-V of the tritone substitute.", "用三全音替代的 ii–V。"),
    "diminished": Text(
        "Use the diminished seventh that stands for V7b9.", "用代替 V7b9 的减七和弦。"
    ),
}


def _fit(
    ways: Sequence[tuple[ChordSymbol, ...]], melody: PitchClass
) -> list[tuple[ChordSymbol, ...]]:
    """Substitutes in which the melody is a chord tone or an allowed tension of every chord."""
    return [way for way in ways if all(_holds(symbol, melody) for symbol in way)]


def _holds(symbol: ChordSymbol, melody: PitchClass) -> bool:
    allowed = [*(tone.semitone for tone in symbol.tones)]
    tensions = TENSIONS.get(symbol.quality, ())
    allowed += [symbol.root.transposed(each).semitone for each in tensions]
    return melody.semitone in allowed
