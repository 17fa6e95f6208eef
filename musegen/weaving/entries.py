"""Entries of a subject: who has it, in which key, and what goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from musegen.errors import InfeasibleError
from musegen.plan.plan import Harmony
from musegen.score import Note
from musegen.textures.working import moved_harmony
from musegen.weaving.beam import RETURNS, Weave, Woven, weave
from musegen.weaving.course import chords_of
from musegen.weaving.design import Loom
from musegen.weaving.fabric import Copy, Fabric, Pattern, Silent, Stated, Timbre, stated_line
from musegen.weaving.lines import notes_of
from musegen.weaving.material import led_to, octaved, octaves_to, placed, shifted
from musegen.weaving.rhythms import liking
from theory_kb.imitation import fugue_answer
from theory_kb.moment import REST
from theory_kb.pitch import Key

__all__ = ["Subject", "answer_of", "both_keys", "countered", "enter", "imitable"]

OCTAVE = 7  # staff steps
SINGABLE = (0, 1, 2, 3, 4, 5, 7)  # staff steps from line to line
HARSH = (6, 10, 11)  # semitones
SLACK = 5  # staff steps beyond its compass that a voice may go while a countersubject is sought
APART = 11  # staff steps by which a countersubject goes down to the other side of its subject


@dataclass(frozen=True, slots=True)
class Subject:
    """What a piece imitates: a subject, its answer, where its countersubject was first heard."""

    notes: tuple[Note, ...]
    answer: tuple[Note, ...]
    kind: str  # of the answer: real or tonal
    home: Key
    beats: int
    beside_answer: tuple[Note, ...] = ()  # the countersubject as it goes with the answer
    beside_subject: tuple[Note, ...] = ()
    under_answer: tuple[Harmony, ...] = ()  # a chord a beat, for both together
    under_subject: tuple[Harmony, ...] = ()

    @property
    def dominant(self) -> Key:
        """The key of the answer."""
        return Key(self.home.tonic.transposed(1), self.home.mode)


def imitable(
    loom: Loom,
    notes: Sequence[Note],
    beats: int,
    voices: tuple[Timbre, Timbre],
    *,
    returns: int = RETURNS,
) -> Subject:
    """A subject with its answer and its countersubject.

    Args:
        loom: whose rules and metre hold.
        notes: the subject.
        beats: that it lasts.
        voices: the higher and the lower of two voices.
        returns: times that the search of a countersubject goes back.

    Raises:
        InfeasibleError: no countersubject was found.
    """
    bare = answer_of(notes, loom.home, beats)
    return _with_counterpoint(loom, bare, voices, Weave(width=40, returns=returns))


def answer_of(notes: Sequence[Note], home: Key, beats: int) -> Subject:
    """A subject with its answer."""
    found = fugue_answer([note.pitch for note in notes], home)
    answer = tuple(
        replace(note, pitch=pitch) for note, pitch in zip(notes, found.pitches, strict=True)
    )
    return Subject(tuple(notes), answer, found.kind, home, beats)


def enter(
    loom: Loom,
    subject: Subject,
    voice: int,
    beat: int,
    *,
    key: Key | None = None,
    kind: str = "subject",
) -> None:
    """State subject or answer in a voice.

    Args:
        loom: where.
        subject: what.
        voice: who.
        beat: when.
        key: of the statement as if it were the home key; None: the home key.
        kind: subject or answer.
    """
    notes = subject.answer if kind == "answer" else subject.notes
    if key is not None and key != subject.home:
        notes = led_to(notes, subject.home, key)
    octaves = _joining(loom, voice, beat, notes, octaves_to(notes, loom.voices[voice]))
    loom.state(voice, beat, octaved(notes, octaves), subject.beats)
    where = "" if key is None or key == subject.home else f" in {key}"
    words = f"answer, {subject.kind}" if kind == "answer" else "subject"
    loom.mark(kind, voice, beat, subject.beats, words + where)


def _with_counterpoint(
    loom: Loom, subject: Subject, voices: tuple[Timbre, Timbre], how: Weave
) -> Subject:
    """A subject with its countersubject, found above the answer and at once below the subject.

    It is a small canon of its own: what stands over the answer returns, lower, under the subject, so
    that it serves on both sides.

    Args:
        loom: whose rules and metre hold.
        subject: with its answer.
        voices: the higher and the lower of two voices.
        how: the search is done.

    Raises:
        InfeasibleError: none was found.
    """
    steps = loom.home.tonic.letter - subject.dominant.tonic.letter
    moves = sorted((steps + OCTAVE * each for each in range(-4, 3)), key=lambda s: abs(s + APART))
    for move in moves[:2]:
        fabric = _both_sides(loom, subject, voices, move)
        try:
            woven = weave(fabric, loom.style, rng=loom.rng, how=how)
        except InfeasibleError as error:
            refused = error
        else:
            return _found(woven, subject, voices)
    raise refused


def _both_sides(loom: Loom, subject: Subject, voices: tuple[Timbre, Timbre], move: int) -> Fabric:
    """Subject, then answer under a free line, then the subject over what that line was."""
    high, low = voices
    unit, home = subject.beats, subject.home
    rest = [Silent()] * unit
    theme = stated_line(placed(subject.notes, high), unit)
    chords = [chords_of(key) for key in (home, subject.dominant, home) for _ in range(unit)]
    return Fabric(
        loom.layout.metre,
        (high, high, Timbre(low.name, low.low - SLACK, low.high + SLACK)),
        (
            (*rest, *rest, *theme),
            (*theme, *map(liking, _complement(subject.answer, unit)), *rest),
            (
                *rest,
                *stated_line(placed(subject.answer, low), unit),
                *[Copy(1, unit, move, None, begins=place == 0) for place in range(unit)],
            ),
        ),
        tuple(chords),
        bass=False,
    )


def _found(woven: Woven, subject: Subject, voices: tuple[Timbre, Timbre]) -> Subject:
    """A subject with what was found, in the octave of subject and answer as they are."""
    high, low = voices
    unit = subject.beats
    above = [note for note in notes_of(woven, 1) if unit <= note.onset < 2 * unit]
    below = [note for note in notes_of(woven, 2) if note.onset >= 2 * unit]
    octaves = octaves_to(subject.notes, high), octaves_to(subject.answer, low)
    return replace(
        subject,
        beside_answer=octaved(_cut(shifted(above, -unit), unit), -octaves[0]),
        beside_subject=octaved(_cut(shifted(below, -2 * unit), unit), -octaves[1]),
        under_answer=woven.harmonies[unit : 2 * unit],
        under_subject=woven.harmonies[2 * unit :],
    )


def _cut(notes: Sequence[Note], length: int) -> tuple[Note, ...]:
    return tuple(
        replace(note, duration=min(note.end, Fraction(length)) - note.onset) for note in notes
    )


def _complement(notes: Sequence[Note], beats: int) -> list[Pattern]:
    """What a countersubject strikes: it moves where the other rests, and rests where it moves."""
    begins = [int(note.onset) for note in notes]
    counts = [begins.count(beat) for beat in range(beats)]
    return [(0,) if count > 1 else (0, 2) for count in counts]


def countered(
    loom: Loom,
    subject: Subject,
    voice: int,
    beat: int,
    *,
    key: Key | None = None,
    kind: str = "subject",
) -> None:
    """Give a voice the countersubject; arguments as of `enter`, whose companion it is."""
    notes, before = (
        (subject.beside_answer, subject.notes)
        if kind == "answer"
        else (subject.beside_subject, subject.answer)
    )
    if key is not None and key != subject.home:
        notes, before = (led_to(each, subject.home, key) for each in (notes, before))
    wanted = octaves_to(before, loom.voices[voice])  # it goes on where the voice had its theme
    octaves = _joining(loom, voice, beat, notes, wanted)
    loom.state(voice, beat, octaved(notes, octaves), subject.beats)
    chords = subject.under_answer if kind == "answer" else subject.under_subject
    for place, each in enumerate(chords):
        if beat + place not in loom.course.cadences:
            loom.course.harmonies[beat + place] = _alike(each, subject.home, key or subject.home)
    loom.mark("countersubject", voice, beat, subject.beats, "countersubject")


def _joining(loom: Loom, voice: int, beat: int, notes: Sequence[Note], wanted: int) -> int:
    """The octave next to the wanted one in which a line can be sung after what stands before it."""
    before = loom.tasks[voice][beat - 1] if beat else Silent()
    if not isinstance(before, Stated) or before.semitones[-1] == REST:
        return wanted
    for octaves in sorted(range(wanted - 1, wanted + 2), key=lambda each: abs(each - wanted)):
        first = octaved(notes[:1], octaves)[0].pitch
        semitones = abs(first.semitone - before.semitones[-1])
        if abs(first.step - before.steps[-1]) in SINGABLE and semitones not in HARSH:
            return octaves
    return wanted


def _alike(harmony: Harmony, home: Key, key: Key) -> tuple[Harmony, ...]:
    """A chord in any position, as it is in another key."""
    moved = Key(harmony.key.tonic.transposed(key.tonic.fifths - home.tonic.fifths), key.mode)
    found = moved_harmony(harmony, harmony.key, moved) if moved != harmony.key else harmony
    if found is None:
        return chords_of(moved)
    members = found.chord.members[:3]
    alike = (each for each in chords_of(moved) if each.chord.members[:3] == members)
    return tuple(dict.fromkeys((*alike, found)))


def both_keys(loom: Loom, beats: range, *keys: Key) -> None:
    """Let a stretch use the chords of some keys."""
    chords = tuple(dict.fromkeys(each for key in keys for each in chords_of(key)))
    for beat in beats:
        if beat not in loom.course.cadences:
            loom.course.harmonies[beat] = chords
