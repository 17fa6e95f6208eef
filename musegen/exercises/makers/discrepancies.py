"""What is printed and what is played: find where they differ.

The places are not those that were meant to be changed but those where the two scores differ; a draw
in which they are not the same is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Item, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.hearing import heard, line_example, line_given
from musegen.exercises.makers.keys import POOLS
from musegen.exercises.makers.music import Phrase, draw_phrase
from musegen.exercises.makers.tunes import draw_tune
from musegen.exercises.names import key_text
from musegen.exercises.playing import Sound, sounds
from musegen.io.blank_sheet import hide_tempo
from musegen.io.examples import write_example
from musegen.io.musicxml import write_musicxml
from musegen.score import Note
from theory_kb.imitation import moved_in_key
from theory_kb.pitch import Key

__all__ = ["hear_errors", "prove_errors"]

BARS, CHORDS = Text("bars", "小节"), Text("chords", "和弦")
AMONG = {
    "melody": Text("the melody", "旋律"),
    "outer": Text("soprano and bass", "高音与低音"),
    "inner": Text("the inner voices", "内声部"),
}
Line = tuple[Note, ...]
MOVES = (1, -1, 2, -2)  # staff steps by which a played note lies off
LATE = Fraction(1, 2)  # share of a note by which a played rhythm lags


def hear_errors(work: Work) -> Draft:
    """A score and a performance of it with some wrong notes: where they are.

    Parameters: `faults`, `among` (melody, outer, inner), `rhythm` (whether lengths differ too), and
    those of a tune or of a phrase.
    """
    among = work.params["among"]
    return work.settle(lambda: MAKERS[among](work, draw_key(work, most=3)))


# --- melodies -------------------------------------------------------------------------------


def _in_melody(work: Work, key: Key) -> Draft:
    """Wrong notes in a melody, one a bar at most: the bars."""
    frame, tune = draw_tune(work, key)
    bar, count = frame.metre.bar, int(work.params["faults"])
    bars = int(-(-tune[-1].end // bar))
    chosen = sorted(int(each) + 1 for each in work.rng.permutation(bars)[:count])
    played = list(tune)
    for number in chosen:
        inside = [at for at, note in enumerate(tune) if number == note.onset // bar + 1]
        changes = [_moved, _lagging] if work.params.get("rhythm") else [_moved]
        work.pick(changes)(work, key, played, inside)
    text = " ".join(str(note.pitch) for note in tune)
    given = line_given(f"{key}: {text}", tune, frame.metre, key.signature)
    music = write_example(line_example(played, frame.metre, key.signature))
    printed = sounds(given.musicxml)
    found = _differing(printed, sounds(music), bar)
    if found != chosen:
        raise DiscardError("a change that is not where it was meant")
    shown = replace(given, heard=heard(work, music))
    part = _part(found, BARS, bars)
    words = {"key": key_text(key), **_words(work, found, BARS)}
    return draft_of(work, shown, part, words, key=key, facts={"unit": str(bar)})


def _moved(work: Work, key: Key, line: list[Note], places: Sequence[int]) -> None:
    """One of some notes on another step."""
    at = work.pick([each for each in places if each] or list(places))
    line[at] = replace(line[at], pitch=moved_in_key(line[at].pitch, key, work.pick(MOVES)))


def _lagging(work: Work, key: Key, line: list[Note], places: Sequence[int]) -> None:
    """Two notes of one length as long and short."""
    pairs = [at for at in places if at + 1 in places and line[at].duration == line[at + 1].duration]
    if not pairs:
        raise DiscardError("no two notes of one length")
    at = work.pick(pairs)
    shift = line[at].duration * LATE
    first, second = line[at], line[at + 1]
    line[at] = replace(first, duration=first.duration + shift)
    line[at + 1] = Note(second.onset + shift, second.duration - shift, second.pitch)


# --- phrases --------------------------------------------------------------------------------

VOICES: Mapping[str, tuple[int, ...]] = {"outer": (0, 3), "inner": (1, 2)}


def _in_phrase(work: Work, key: Key) -> Draft:
    """Wrong notes in voices of a phrase, one a chord at most: the numbers of the chords."""
    phrase = draw_phrase(key, POOLS[key.mode], int(work.params["chords"]), work.rng)
    count = int(work.params["faults"])
    onsets = sorted({note.onset for note in phrase.score.parts[0].notes})
    chosen = sorted(int(each) + 1 for each in work.rng.permutation(len(onsets))[:count])
    parts = [list(part.notes) for part in phrase.score.parts]
    for number in chosen:
        line = parts[work.pick(VOICES[work.params["among"]])]
        at = next(place for place, n in enumerate(line) if n.onset == onsets[number - 1])
        _moved(work, key, line, [at])
    given = phrase.given(f"{key}: {phrase.notes_text()}")
    music = hide_tempo(_written(phrase, parts))
    found = _differing(sounds(given.musicxml), sounds(music), Fraction(1))
    if found != chosen:
        raise DiscardError("a change that is not where it was meant")
    shown = replace(given, musicxml=hide_tempo(given.musicxml), heard=heard(work, music))
    part = _part(found, CHORDS, len(onsets))
    words = {"key": key_text(key), **_words(work, found, CHORDS)}
    return draft_of(work, shown, part, words, key=key, facts={"unit": "1"})


def _written(phrase: Phrase, lines: Sequence[Sequence[Note]]) -> str:
    parts = tuple(
        replace(part, notes=tuple(line))
        for part, line in zip(phrase.score.parts, lines, strict=True)
    )
    bare = replace(
        phrase.score, parts=parts, chords=(), figures=(), cadences=(), title="", subtitle=""
    )
    return write_musicxml(bare).decode()


# --- what differs ---------------------------------------------------------------------------


def _differing(printed: Sequence[Sound], played: Sequence[Sound], unit: Fraction) -> list[int]:
    """Numbers of the units in which some sound is in one and not in the other."""
    apart = set(printed) ^ set(played)
    return sorted({int(onset // float(unit)) + 1 for _, onset, _ in apart})


def _part(places: Sequence[int], label: Text, count: int) -> Part:
    answer = " ".join(map(str, places))
    others = [number for number in range(1, count + 1) if number not in places]
    wrong = [Wrong(" ".join(map(str, sorted([*places[1:], other]))), "D13") for other in others[:3]]
    return Part((answer,), "number-set", label, wrong, len(places), form="text")


def _words(work: Work, places: Sequence[int], label: Text) -> Words:
    first, count = places[0], len(places)
    return {
        "count": str(count),
        "among": AMONG[work.params["among"]],
        "unit": label if count > 1 else Text(label.en.removesuffix("s"), label.zh),
        "half": Text("in the first half", "前半") if first <= 2 else Text("later on", "后面"),
        "first": str(first),
        "answer": ", ".join(map(str, places)),
    }


def prove_errors(item: Item) -> list[str]:
    """Whether what is played differs from what is printed exactly where the key says."""
    heard_music = item.given.heard
    assert heard_music is not None, "the maker has set it"
    unit = Fraction(item.facts["unit"])
    found = _differing(sounds(item.given.musicxml), sounds(heard_music.musicxml), unit)
    right = [int(each) for each in item.solutions.model["answer"].split()]
    return [] if found == right else ["a difference that the key does not name, or none"]


MAKERS: Mapping[str, Callable[[Work, Key], Draft]] = {
    "melody": _in_melody,
    "outer": _in_phrase,
    "inner": _in_phrase,
}
