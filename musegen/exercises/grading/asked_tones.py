"""What may be asked of a surface: that given notes stay, tones of a kind, that figures are played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from musegen.errors import ScoreError
from musegen.exercises.grading.seen import FULL, Outcome, Seen
from musegen.exercises.grading.voice_text import read_voices
from musegen.exercises.item import Text
from musegen.score import Note
from musegen.slices import sounding
from theory_kb.moment import TICKS
from theory_kb.pitch import PitchClass
from theory_kb.rules.dissonance import SUSPENSIONS, NonChordTone, non_chord_tones
from theory_kb.thoroughbass import Figures, completed, tones

__all__ = ["figured", "kept", "wanted", "wanted_words"]


# --- what was given stays -------------------------------------------------------------------


def _plain(seen: Seen) -> list[tuple[Note, ...]]:
    """The voices that were to be decorated, by voice; a note a slot."""
    task = seen.observed.task
    parts = {each.name: each.notes for each in task.parts(read_voices(seen.fact("plain"), "facts"))}
    return [parts.get(name, ()) for name in task.voices]


def kept(seen: Seen) -> Outcome:
    """Whether each given note sounds in its voice, if need be after an accented tone that delays it."""
    wrong, count = [], 0
    delayed = {
        (each.voice, Fraction(_onset(seen, each), TICKS)) for each in _tones(seen) if each.accented
    }
    for voice, plain in enumerate(_plain(seen)):
        for note in plain:
            count += 1
            if not _stays(seen.lines[voice], note, late=(voice, note.onset) in delayed):
                wrong.append(note)
    if not wrong:
        return FULL
    first = min(wrong, key=lambda note: note.onset)
    said = Text(
        f"{len(wrong)} given notes are gone, the first is {first.pitch} in bar {seen.bar_of(first.onset)}",
        f"缺少 {len(wrong)} 个给定音，首个为第 {seen.bar_of(first.onset)} 小节的 {first.pitch}",
    )
    return 1 - Fraction(len(wrong), count), said


def _stays(line: Sequence[Note], note: Note, *, late: bool) -> bool:
    here = sounding(line, note.onset)
    if here is not None and here.pitch == note.pitch:
        return True
    inside = [each for each in line if note.onset < each.onset < note.end]
    return late and any(each.pitch == note.pitch for each in inside)


# --- tones of a kind ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A kind of decoration that may be asked for."""

    name: Text
    plural: Text
    count: Callable[[Seen], int]


def _tones(seen: Seen) -> tuple[NonChordTone, ...]:
    return non_chord_tones(seen.observed.piece)


def _onset(seen: Seen, tone: NonChordTone) -> int:
    return int(seen.observed.piece.surface["onset"][tone.moment])


def _of_kind(*kinds: str) -> Callable[[Seen], int]:
    return lambda seen: sum(each.kind in kinds for each in _own_tones(seen))


def _own_tones(seen: Seen) -> list[NonChordTone]:
    """The non-chord tones of voices that were to be written."""
    written = seen.observed.task.written_voices
    return [each for each in _tones(seen) if each.voice in written]


def _chained(seen: Seen) -> int:
    """Suspensions of the longest chain: in one voice, each prepared by the resolution of the one before."""
    found = [each for each in _own_tones(seen) if each.kind in SUSPENSIONS]
    longest = run = 1 if found else 0
    for one, other in pairwise(found):
        joined = one.voice == other.voice and one.resolution == other.tone.start
        run = run + 1 if joined else 1
        longest = max(longest, run)
    return longest


PASSING = ("nct-passing", "nct-accented-passing", "nct-chromatic-passing")
KINDS: Mapping[str, _Wanted] = {
    "passing": _Wanted(
        Text("passing tone", "经过音"), Text("passing tones", "经过音"), _of_kind(*PASSING)
    ),
    "neighbour": _Wanted(
        Text("neighbour tone", "辅助音"),
        Text("neighbour tones", "辅助音"),
        _of_kind("nct-neighbor", "nct-double-neighbor"),
    ),
    "suspension": _Wanted(
        Text("suspension", "延留音"), Text("suspensions", "延留音"), _of_kind(*SUSPENSIONS)
    ),
    "chain": _Wanted(
        Text("suspension in a chain", "连锁延留音"),
        Text("suspensions in a chain in one voice", "同一声部的连锁延留音"),
        _chained,
    ),
}


def _asked_kinds(text: str) -> dict[str, int]:
    """Kinds and how many of each, from `passing=2 suspension=1`; raises ScoreError."""
    found = {}
    for word in text.split():
        name, _, count = word.partition("=")
        if name not in KINDS or not count.isdecimal():
            allowed = ", ".join(KINDS)
            raise ScoreError(
                "facts, wanted", f"must be such as passing=2, of {allowed}; got {word!r}"
            )
        found[name] = int(count)
    return found


def wanted_words(text: str) -> Text:
    """What `passing=2 suspension=1` asks for, in words; raises ScoreError."""
    words = [
        (KINDS[name].name if count == 1 else KINDS[name].plural, count)
        for name, count in _asked_kinds(text).items()
    ]
    *first, last = (f"{count} {name.en}" for name, count in words)
    listed = f"{', '.join(first)} and {last}" if first else last
    return Text(listed, "、".join(f"{count} 个{name.zh}" for name, count in words))


def wanted(seen: Seen) -> Outcome:
    """The share of the tones asked for that are there."""
    asked = _asked_kinds(seen.fact("wanted"))
    came = {name: min(count, KINDS[name].count(seen)) for name, count in asked.items()}
    missing = " ".join(
        f"{name}={asked[name] - came[name]}" for name in asked if came[name] < asked[name]
    )
    share = Fraction(sum(came.values()), sum(asked.values()))
    words = wanted_words(missing) if missing else Text("", "")
    return share, Text(f"still to be added: {words.en}", f"尚缺：{words.zh}")


# --- figures --------------------------------------------------------------------------------


def figured(seen: Seen) -> Outcome:
    """The share of the figures whose notes, and no others, sound above the bass at their time."""
    signature = seen.observed.task.key.signature
    *upper, bass = seen.lines
    wrong: list[tuple[Fraction, str]] = []
    rows = [word.partition("=") for word in seen.fact("figures").split()]
    for time, _, text in rows:
        onset = Fraction(time)
        low = sounding(bass, onset)
        sounds = {note.pitch.pitch_class for line in upper if (note := sounding(line, onset))}
        if low is None or not _realised(text, low.pitch.pitch_class, signature, sounds):
            wrong.append((onset, text))
    if not wrong:
        return FULL
    onset, text = wrong[0]
    said = Text(
        f"{len(wrong)} figures are not played as written, the first is {text} in bar {seen.bar_of(onset)}",
        f"{len(wrong)} 处数字未按谱奏出，首处为第 {seen.bar_of(onset)} 小节的 {text}",
    )
    return 1 - Fraction(len(wrong), len(rows)), said


def _realised(text: str, bass: PitchClass, signature: int, sounds: set[PitchClass]) -> bool:
    written = Figures.parse(text).written
    asked = tones(completed(written), bass, signature)
    named = {asked[number] for number in written}
    return bool(sounds) and named <= sounds <= {*asked.values()}
