"""Wrong answers with a reason: fourteen operators, each with what one who falls for it believes.

An operator takes the right value and gives values that look like it. Whether they are wrong is not
decided here: the grader refuses those that any accepted reading makes right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from musegen.exercises.clefs import BOTTOM_LINES, CLEF_NAMES
from musegen.exercises.item import Text
from theory_kb.pitch import Interval, Key, Pitch, PitchClass

__all__ = [
    "OPERATORS",
    "Wrong",
    "wrong_degrees",
    "wrong_intervals",
    "wrong_keys",
    "wrong_numbers",
    "wrong_pitch_classes",
    "wrong_pitches",
    "wrong_spellings",
]

OPERATORS: Mapping[str, Text] = {
    "D1": Text("the number is right, the quality is one off", "度数正确，性质差一级"),
    "D2": Text("one step off: count the letters again", "差一级：请重新数音名"),
    "D3": Text("this is the inversion, or the other direction", "这是转位，或方向相反"),
    "D4": Text("it sounds the same but is spelled otherwise", "音响相同，记法不同"),
    "D5": Text("a sign of the key or before the note was passed over", "忽略了调号或临时记号"),
    "D6": Text("read in another clef", "按另一种谱号读谱"),
    "D7": Text("a related key was taken for the right one", "误认为近关系调"),
    "D8": Text("the first one was counted, or left out, by mistake", "起点多数或少数了一个"),
    "D9": Text("right letters, wrong accidental", "音名正确，变音记号不对"),
    "D10": Text("the bass was taken for the root: stack the notes in thirds",
                "把低音当作根音：请按三度叠置"),
    "D11": Text("a chord of the same function was named", "写成了同功能的另一个和弦"),
    "D12": Text("one rule is broken here", "此处违反一条规则"),
    "D13": Text("it sounds alike: listen to the size and the bass", "听感相近：注意大小与低音"),
    "D14": Text("simple and compound metre were confused", "混淆了单拍子与复拍子"),
}  # fmt: skip
LETTERS = 7


@dataclass(frozen=True, slots=True)
class Wrong:
    """A candidate for a distractor."""

    value: str
    op: str  # a key of OPERATORS
    said: Text | None = None  # more exact than the operator's own words

    @property
    def told(self) -> Text:
        """What is said to who gives it."""
        return self.said or OPERATORS[self.op]


# --- notes ----------------------------------------------------------------------------------


def wrong_pitches(pitch: Pitch, clef: str, *, octave: bool) -> Iterator[Wrong]:
    """A note read in another clef, a step off, without its sign."""
    position = pitch.step - BOTTOM_LINES[clef]
    for other, bottom in BOTTOM_LINES.items():
        if other != clef:
            step = bottom + position
            said = Text(f"you read it in the {other} clef", f"你按{CLEF_NAMES[other].zh}读了")
            yield Wrong(_shown(_beside(pitch, step), octave=octave), "D6", said)
    for change in (1, -1):
        yield Wrong(_shown(_beside(pitch, pitch.step + change), octave=octave), "D2")
    if pitch.alteration:
        yield Wrong(
            _shown(Pitch(pitch.step, pitch.semitone - pitch.alteration), octave=octave), "D5"
        )
    else:
        sharp = pitch.pitch_class.transposed(7)
        yield Wrong(_shown(Pitch.of(sharp, pitch.octave), octave=octave), "D9")


def _beside(pitch: Pitch, step: int) -> Pitch:
    """The note on another staff place, with the same sign before it."""
    plain = Pitch.parse(f"{'CDEFGAB'[step % LETTERS]}{step // LETTERS}")
    return Pitch(step, plain.semitone + pitch.alteration)


def _shown(pitch: Pitch, *, octave: bool) -> str:
    return pitch.name if octave else pitch.pitch_class.name


def wrong_spellings(note: PitchClass) -> Iterator[PitchClass]:
    """The other spellings of a sound with at most two signs."""
    for shift in (-24, -12, 12, 24):
        other = note.transposed(shift)
        if abs(other.alteration) <= 2:
            yield other


def wrong_pitch_classes(note: PitchClass) -> Iterator[Wrong]:
    """A note name with another sign, another spelling, a letter off."""
    yield from (Wrong(other.name, "D4") for other in wrong_spellings(note))
    for shift in (7, -7):
        if abs(note.transposed(shift).alteration) <= 2:
            yield Wrong(note.transposed(shift).name, "D9")
    for shift in (2, -2):
        yield Wrong(note.transposed(shift).name, "D2")


# --- intervals ------------------------------------------------------------------------------


def wrong_intervals(interval: Interval) -> Iterator[Wrong]:
    """Quality one off, number one off, inversion, another spelling."""
    for change in (1, -1):
        beside = Interval(interval.steps, interval.semitones + change)
        if len(beside.quality) <= 2 and _exists(beside):
            yield Wrong(beside.name, "D1")
    for steps in (1, -1):
        beside = Interval(interval.steps + steps, interval.semitones)
        if beside.steps >= 0 and 0 < len(beside.quality) <= 2 and _exists(beside):
            yield Wrong(beside.name, "D4")
        moved = Interval(interval.steps + steps, interval.semitones + 2 * steps)
        if moved.steps >= 0 and 0 < len(moved.quality) <= 2 and _exists(moved):
            yield Wrong(moved.name, "D2")
    if 0 < interval.steps < LETTERS:
        inverted = Interval(LETTERS - interval.steps, 12 - interval.semitones)
        yield Wrong(inverted.name, "D3")
    if interval.steps > LETTERS:
        simple = Interval(interval.steps - LETTERS, interval.semitones - 12)
        yield Wrong(simple.name, "D8")


def _exists(interval: Interval) -> bool:
    return bool(interval.quality) and interval.semitones >= 0


# --- keys, numbers, degrees -----------------------------------------------------------------


def wrong_keys(key: Key) -> Iterator[Wrong]:
    """The relative and the parallel key, and those a fifth away."""
    near = (
        (key.relative, "D7"),
        (key.parallel, "D7"),
        (Key(key.tonic.transposed(1), key.mode), "D5"),
        (Key(key.tonic.transposed(-1), key.mode), "D5"),
        (Key(key.tonic.transposed(7), key.mode), "D9"),
        (Key(key.tonic.transposed(-7), key.mode), "D9"),
    )
    return (Wrong(other.name, op) for other, op in near if abs(other.signature) <= LETTERS)


def wrong_numbers(number: int, others: Sequence[int] = ()) -> Iterator[Wrong]:
    """One more, one less, and other numbers that a slip gives."""
    yield from (Wrong(str(each), "D2") for each in others)
    yield Wrong(str(number + 1), "D8")
    if number > 1:
        yield Wrong(str(number - 1), "D8")
    yield Wrong(str(2 * number), "D14")


def wrong_degrees(number: int) -> Iterator[Wrong]:
    """Neighbours of a scale degree, and the degree that the relative key gives it."""
    yield Wrong(str(number % LETTERS + 1), "D2")
    yield Wrong(str((number - 2) % LETTERS + 1), "D2")
    yield Wrong(str((number + 1) % LETTERS + 1), "D7")
    yield Wrong(str(LETTERS + 2 - number), "D3") if number > 1 else Wrong("5", "D3")
