"""Melodies transposed, and rewritten for transposing instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.keys import POOLS
from musegen.exercises.makers.music import draw_phrase
from musegen.exercises.makers.showing import shown_notes
from musegen.exercises.names import key_text
from theory_kb.pitch import Interval, Key, Pitch

__all__ = ["transpose_melody", "write_for_instrument"]

NOTES = Text("notes", "各音")
MOST_SIGNS = 2


def _melody(work: Work, key: Key) -> list[Pitch]:
    """The soprano of a phrase that the task of four-part writing sets."""
    phrase = draw_phrase(key, POOLS[key.mode], work.params["chords"], work.rng)
    return [note.pitch for note in phrase.score.parts[0].notes]


def _moved(pitches: Sequence[Pitch], interval: Interval) -> list[Pitch]:
    found = [pitch + interval for pitch in pitches]
    if max(abs(pitch.alteration) for pitch in found) > MOST_SIGNS:
        raise DiscardError("triple accidentals")
    return found


def _row(pitches: Sequence[Pitch]) -> str:
    return " ".join(map(str, pitches))


def _key_moved(key: Key, interval: Interval) -> Key:
    tonic = (Pitch.of(key.tonic, 4) + interval).pitch_class
    moved = Key(tonic, key.mode)
    if abs(moved.signature) > 7:
        raise DiscardError("a key beyond seven accidentals")
    return moved


def _wrong(pitches: Sequence[Pitch], interval: Interval, key: Key) -> list[Wrong]:
    """The other direction, the steps of the old key, the octave."""
    found = []
    back = [pitch + -interval for pitch in pitches]
    if max(abs(pitch.alteration) for pitch in back) <= MOST_SIGNS:
        found.append(Wrong(_row(back), "D3", OTHER_WAY))
    diatonic = [_in_key(key, pitch, interval) for pitch in pitches]
    found.append(Wrong(_row(diatonic), "D5", DIATONIC))
    return found


OTHER_WAY = Text("moved the other way", "方向相反")
DIATONIC = Text(
    "moved within the old key: the new key has its own signature", "仍用原调号：移调后须用新调号"
)


def _in_key(key: Key, pitch: Pitch, interval: Interval) -> Pitch:
    """A note moved by steps, with the signs of the old key."""
    step = pitch.step + interval.steps
    natural = Pitch.parse(f"{'CDEFGAB'[step % 7]}{step // 7}")
    signature = key.signature
    order = "FCGDAEB" if signature > 0 else "BEADGCF"
    altered = "CDEFGAB"[step % 7] in order[: abs(signature)]
    sign = (1 if signature > 0 else -1) if altered else 0
    return Pitch(step, natural.semitone + sign)


def transpose_melody(work: Work) -> Draft:
    """A melody and an interval or a key: the melody there."""
    key = draw_key(work)
    melody = _melody(work, key)
    interval = Interval.parse(work.pick(work.params["intervals"]))
    target = _key_moved(key, interval)
    answer = _moved(melody, interval)
    way = Text("up", "向上") if interval.steps > 0 else Text("down", "向下")
    plain = interval.name.lstrip("-")
    task = Text(f"{way.en} by {plain}", f"{way.zh}移 {plain}")
    if work.params.get("by_key"):
        task = Text(f"from {key} {way.en} to {target}",
                    f"由{key_text(key).zh}{way.zh}移到{key_text(target).zh}")  # fmt: skip
    words: Words = {
        "task": task,
        "key": key_text(target),
        "first": answer[0].name,
        "interval": interval.name,
        "answer": _row(answer),
    }
    given = shown_notes(f"{key}: {_row(melody)}", melody, "treble", sharps=key.signature)
    part = Part((_row(answer),), "pitches", NOTES, _wrong(melody, interval, key), len(answer))
    return draft_of(work, given, part, words, key=key)


# --- instruments ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Instrument:
    """An instrument: the interval from the written note to the one that sounds."""

    name: Text
    sounds: str


INSTRUMENTS: Mapping[str, _Instrument] = {
    "piccolo": _Instrument(Text("piccolo", "短笛"), "P8"),
    "double-bass": _Instrument(Text("double bass", "低音提琴"), "-P8"),
    "guitar": _Instrument(Text("guitar", "吉他"), "-P8"),
    "clarinet-bb": _Instrument(Text("clarinet in B flat", "降B单簧管"), "-M2"),
    "trumpet-bb": _Instrument(Text("trumpet in B flat", "降B小号"), "-M2"),
    "tenor-sax": _Instrument(Text("tenor saxophone", "次中音萨克斯"), "-M9"),
    "alto-sax": _Instrument(Text("alto saxophone", "中音萨克斯"), "-M6"),
    "horn-f": _Instrument(Text("horn in F", "F调圆号"), "-P5"),
    "cor-anglais": _Instrument(Text("cor anglais", "英国管"), "-P5"),
    "clarinet-a": _Instrument(Text("clarinet in A", "A调单簧管"), "-m3"),
}


def write_for_instrument(work: Work) -> Draft:
    """A melody at concert pitch or as written: the other; or from one instrument to another."""
    key = draw_key(work)
    melody = _melody(work, key)
    names = work.params["instruments"]
    if work.params.get("pair"):
        places = work.rng.permutation(len(names))[:2]
        one, other = (INSTRUMENTS[names[place]] for place in places)
        move = Interval.parse(one.sounds) + -Interval.parse(other.sounds)
        task = Text(f"Rewrite this part of the {one.name.en} for the {other.name.en}, at the same pitch.",
                    f"把这段{one.name.zh}分谱改写给{other.name.zh}，音高不变。")  # fmt: skip
        instrument = other
    else:
        instrument = INSTRUMENTS[work.pick(names)]
        sounds = Interval.parse(instrument.sounds)
        writes = bool(work.rng.integers(2))
        move = -sounds if writes else sounds
        task = (Text(f"Write this concert melody for the {instrument.name.en}.",
                     f"为{instrument.name.zh}记写这段实际音高的旋律。") if writes else
                Text(f"The {instrument.name.en} plays this. Write what sounds.",
                     f"{instrument.name.zh}演奏此谱，写出实际音高。"))  # fmt: skip
    if move == Interval(0, 0):
        raise DiscardError("instruments that are written alike")
    answer = _moved(melody, move)
    _key_moved(key, move)
    way = Text("up", "上") if move.steps > 0 else Text("down", "下")
    plain = move.name.lstrip("-")
    words: Words = {
        "task": Text(f"{task.en} Give each note with its octave.", f"{task.zh}写出各音及八度。"),
        "name": instrument.name,
        "sounds": (Pitch.parse("C5") + Interval.parse(instrument.sounds)).name,
        "direction": Text(f"every note goes {way.en} by {plain}", f"每个音向{way.zh}移 {plain}"),
        "first": answer[0].name,
        "answer": _row(answer),
    }
    given = shown_notes(f"{key}: {_row(melody)}", melody, "treble", sharps=key.signature)
    part = Part((_row(answer),), "pitches", NOTES, _wrong(melody, move, key), len(answer))
    return draft_of(work, given, part, words, key=key)
