"""A plan of a few bars of a given piece: some voices are written anew, everything else stands.

The window's slots are its beats. Before and after them stand a few more, bound in all voices, so
that the rules which cross the window's edges hold and the models know what came before. A note
stays whole: one that sounds across an edge, or that is locked, keeps its voice bound in every beat
that it touches, and so does whatever else that voice sounds in such a beat.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial

from musegen.errors import ScoreError
from musegen.plan.closing import Kinds, every_kind, finals_of, formulas, last_note
from musegen.plan.ensemble import players_of
from musegen.plan.plan import ANY, COMMON, Frame, Given, Harmony, Phrase, Plan, Slot, Stood
from musegen.score import ChordLabel, Note, Score
from musegen.slices import beat_spans, sounding, ticks
from theory_kb.check import Style
from theory_kb.chords import chord, read_chord, spell, vocabulary
from theory_kb.metre import beat_strength
from theory_kb.pitch import Key

__all__ = [
    "MOST_BEATS",
    "VOICES",
    "Window",
    "heard",
    "holds",
    "open_window",
    "plan_window",
    "sounded",
    "voice_names",
]

VOICES = ("soprano", "alto", "tenor", "bass")
MOST_BEATS = 512  # of a window
BEFORE, AFTER = 16, 2  # beats around the window that the search sees
CLOSING = 2  # last beats of a phrase that cadences are made of
EVERYDAY = ("common", "occasional")  # use of the chords that are tried first
LAST_CADENCE = "cadence-final"  # rule on how a piece ends

NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")

Span = tuple[Fraction, Fraction]


def voice_names(score: Score) -> tuple[str, ...]:
    """What the voices of a piece are called: those of a choir, or else as their parts are."""
    if len(score.parts) == len(VOICES):
        return VOICES
    names = tuple(NOT_IN_NAMES.sub("-", part.name.lower()).strip("-") for part in score.parts)
    if len({*names, ""}) > len(names):
        return names
    return tuple(f"voice-{number}" for number in range(1, len(names) + 1))


@dataclass(frozen=True, slots=True)
class Window:
    """Which notes of a piece are written anew."""

    score: Score  # with its chords named
    spans: tuple[Span, ...]  # beats that the plan sees, context included; quarter notes
    free: tuple[frozenset[int], ...]  # for each of them, the voices that are free there

    @property
    def size(self) -> int:
        """How many notes of the piece are written anew, one a beat and voice counted."""
        return sum(map(len, self.free))

    def kept(self, voice: int) -> tuple[Note, ...]:
        """The notes of a voice that stay."""
        gone = [span for span, free in zip(self.spans, self.free, strict=True) if voice in free]
        return tuple(
            note
            for note in self.score.parts[voice].notes
            if not any(start <= note.onset < end for start, end in gone)
        )


# --- what is open ---------------------------------------------------------------------------


def open_window(
    score: Score,
    span: Span,
    voices: Collection[int],
    stays: Callable[[int, Note], bool],
) -> Window:
    """The beats and voices of a piece that may be written anew.

    Args:
        score: parts high to low, chords named.
        span: start and end of the window in quarter notes.
        voices: those that are written anew, 0 soprano to 3 bass.
        stays: whether a note of a voice is locked.

    Raises:
        ScoreError: too long, or nothing is open.
    """
    beats = _beats(score)
    inside = [beat for beat in beats if span[0] <= beat[0] and beat[1] <= span[1]]
    if len(inside) > MOST_BEATS:
        raise ScoreError(score.title, f"{len(inside)} beats to rewrite, allowed are {MOST_BEATS}")
    open_beats = {
        voice: _open_beats(score.parts[voice].notes, inside, partial(stays, voice))
        for voice in voices
    }
    written = [beat for beat in inside if any(beat in each for each in open_beats.values())]
    if not written:
        names = voice_names(score)
        asked = " and ".join(names[voice] for voice in sorted(voices))
        raise ScoreError(
            _where(score, span[0]),
            f"nothing of the {asked} is left to rewrite: every note there is locked, rests, or "
            "sounds across an edge of the window",
        )
    shown = _with_context(score, beats, written)
    free = tuple(
        frozenset(voice for voice, each in open_beats.items() if beat in each) for beat in shown
    )
    return Window(score, shown, free)


def _beats(score: Score) -> list[Span]:
    """The beats of a piece; the last chord of a phrase, where nothing moves, is one."""
    onsets = sorted({note.onset for part in score.parts for note in part.notes})
    beats = [beat for beat in beat_spans(score) if onsets[0] < beat[1] and beat[0] < beat[1]]
    joined: list[Span] = []
    for end in sorted({*score.phrase_ends, score.duration}):
        begun = joined[-1][1] if joined else Fraction(0)
        inside = [beat for beat in beats if begun <= beat[0] < end]
        if not inside:
            continue
        struck = onsets[bisect_left(onsets, end) - 1]  # the last attack of the phrase
        last = next((beat for beat in inside if beat[0] <= struck < beat[1]), inside[-1])
        joined += [beat for beat in inside if beat[0] < last[0]]
        joined.append((last[0], _release(score, last[0], end)))
    return joined


def _release(score: Score, onset: Fraction, end: Fraction) -> Fraction:
    """When the chord that begins, or goes on, at an onset is left, at the end of its phrase."""
    notes = [sounding(part.notes, onset) for part in score.parts]
    return min(end, max((note.end for note in notes if note is not None), default=end))


def _open_beats(
    line: Sequence[Note], beats: Sequence[Span], stays: Callable[[Note], bool]
) -> frozenset[Span]:
    """Beats of a line filled by notes that all lie within such beats, none of them locked."""
    found = {beat for beat in beats if _sounds_throughout(line, beat)}
    while True:
        bound = [note for note in line if stays(note) or not _covered(note, found)]
        hit = {beat for beat in found if any(_meets(note, beat) for note in bound)}
        if not hit:
            return frozenset(found)
        found -= hit


def _sounds_throughout(line: Sequence[Note], beat: Span) -> bool:
    return sounded(line, beat) == beat[1] - beat[0]


def sounded(line: Sequence[Note], beat: Span) -> Fraction:
    """Quarter notes of a beat in which a line sounds."""
    inside = (min(note.end, beat[1]) - max(note.onset, beat[0]) for note in line)
    return sum((length for length in inside if length > 0), Fraction(0))


def _meets(note: Note, beat: Span) -> bool:
    return note.onset < beat[1] and beat[0] < note.end


def _covered(note: Note, beats: Collection[Span]) -> bool:
    inside = (min(note.end, end) - max(note.onset, start) for start, end in beats)
    return sum(length for length in inside if length > 0) == note.duration


def _with_context(score: Score, beats: Sequence[Span], written: Sequence[Span]) -> tuple[Span, ...]:
    """The beats from the first to the last that are written, with those around that can be seen.

    Beats at whose onset all voices rest are left out.
    """
    first, last = beats.index(written[0]), beats.index(written[-1])
    begin, end = first, last + 1
    while begin > max(0, first - BEFORE) and _sounds(score, beats[begin - 1]):
        begin -= 1
    while end < min(len(beats), last + 1 + AFTER) and _sounds(score, beats[end]):
        end += 1
    return tuple(beat for beat in beats[begin:end] if _sounds(score, beat))


def _sounds(score: Score, beat: Span) -> bool:
    """Whether any voice sounds at the onset of a beat."""
    return any(sounding(part.notes, beat[0]) is not None for part in score.parts)


def _where(score: Score, onset: Fraction) -> str:
    bar, beat = score.bar_and_beat(onset)
    return f"{score.title}, bar {bar}, beat {float(beat):g}"


# --- the plan -------------------------------------------------------------------------------


def plan_window(
    window: Window,
    known: Collection[tuple[str, int, tuple[int, ...]]],
    *,
    name: str,
    style: Style | None = None,
    least_grade: int = COMMON,
    keep_harmony: bool = False,
) -> Plan:
    """The plan of a window.

    Args:
        window: what is open.
        known: errors that the piece has already: rule, onset in ticks, voices.
        name: of the task.
        style: whose last cadences count where the window reaches the end, unless the piece had none
            of them; None leaves all open.
        least_grade: of the progressions that may stand. At `ANY` rare chords are offered beside the
            everyday ones, and phrases may close with any chord of their key.
        keep_harmony: whether each chord stays what it is.
    """
    score = window.score
    ends = sorted({*score.phrase_ends, score.duration})
    bare = _slots(window, ends)
    phrases = _phrases(window, bare, ends)
    closes = window.spans[-1][1] >= score.duration
    judged = closes and not keep_harmony and all(rule != LAST_CADENCE for rule, _, _ in known)
    finals = finals_of(style, phrases[-1].key) if judged else None
    if closes:
        bare[-1] = last_note(bare[-1], finals)
    slots = tuple(
        _with_harmony(
            slot,
            window,
            phrases[slot.phrase],
            finals if phrases[slot.phrase] is phrases[-1] else None,
            keep_harmony=keep_harmony,
            free=least_grade == ANY,
        )
        for slot in bare
    )
    voices = frozenset().union(*window.free)
    return Plan(
        name,
        score.key,
        (score.metre.beats, score.metre.unit),
        score.upbeat,
        score.tempo,
        slots,
        phrases,
        {voice: window.kept(voice) for voice in range(len(score.parts))},
        least_grade=ANY if keep_harmony else least_grade,
        chords_given=keep_harmony,
        ensemble=players_of(score),
        open_voices=voices,
        finals=finals,
        ends=closes,
        frame=Frame(score, frozenset(known)),
    )


def _slots(window: Window, ends: Sequence[Fraction]) -> list[Slot]:
    """Places in bars and phrases, and what is bound there; chords are still open."""
    score = window.score
    beats = _beats(score)
    numbers = {beat: number for number, beat in enumerate(beats)}
    phrase_of = {beat: sum(end <= beat[0] for end in ends) for beat in beats}
    count = dict.fromkeys(phrase_of.values(), 0)
    place: dict[Span, int] = {}
    for beat in beats:
        place[beat] = count[phrase_of[beat]]
        count[phrase_of[beat]] += 1
    first = phrase_of[window.spans[0]]
    assert all(beat in numbers for beat in window.spans), "a window is made of the piece's beats"
    return [
        _slot(
            score,
            beat,
            free,
            (phrase_of[beat] - first, count[phrase_of[beat]] - 1 - place[beat], place[beat]),
        )
        for beat, free in zip(window.spans, window.free, strict=True)
    ]


def _slot(score: Score, beat: Span, free: frozenset[int], places: tuple[int, int, int]) -> Slot:
    onset, end = beat
    bar, number = score.bar_and_beat(onset)
    metre = score.metre_at(onset)
    position = ticks((number - 1) * Fraction(4, metre.unit))
    phrase, to_end, from_start = places
    stood = tuple(Given.heard(part.notes, onset, end) for part in score.parts)
    return Slot(
        onset,
        end - onset,
        bar,
        position,
        beat_strength(metre.beats, metre.unit, position),
        phrase,
        to_end,
        from_start,
        (),
        given=tuple(None if voice in free else each for voice, each in enumerate(stood)),
        stood=Stood(_harmony(label_at(score, onset)), stood),
        silent=frozenset(voice for voice, each in enumerate(stood) if each is None),
    )


def heard(line: Sequence[Note], onset: Fraction, end: Fraction) -> Given:
    """What a line sounds in a beat, every note of it."""
    found = Given.heard(line, onset, end)
    assert found is not None, "asked only where a line sounds at the onset"
    return found


def _phrases(window: Window, slots: Sequence[Slot], ends: Sequence[Fraction]) -> tuple[Phrase, ...]:
    """The phrases that a window touches, as far as it does, in the keys that they have."""
    score, found = window.score, []
    before = sum(end <= window.spans[0][0] for end in ends)
    for number in range(slots[-1].phrase + 1):
        places = [place for place, slot in enumerate(slots) if slot.phrase == number]
        start = ends[before + number - 1] if before + number else Fraction(0)
        labels = [each for each in score.chords if start <= each.onset < ends[before + number]] or [
            label_at(score, slots[places[0]].onset)
        ]
        held = score.parts[0].notes and any(
            note.fermata and note.end == ends[before + number]
            for part in score.parts
            for note in part.notes
        )
        name = f"phrase {before + number + 1}"
        keys = labels[0].key, labels[-1].key
        found.append(Phrase(name, places[0], places[-1], *keys, fermata=bool(held)))
    return tuple(found)


# --- chords ---------------------------------------------------------------------------------


def label_at(score: Score, onset: Fraction) -> ChordLabel:
    """The chord that a piece has at a time; in a gap the one before, else the first."""
    begun = [label for label in score.chords if label.onset <= onset]
    return begun[-1] if begun else score.chords[0]


def _harmony(label: ChordLabel) -> Harmony:
    return Harmony(label.key, read_chord(label.key.mode, label.numeral))


def _with_harmony(
    slot: Slot,
    window: Window,
    phrase: Phrase,
    finals: Kinds | None,
    *,
    keep_harmony: bool,
    free: bool,
) -> Slot:
    """The chords that may stand at a slot: its own, and others where voices are free to change."""
    assert slot.stood is not None, "a window has something that stood"
    own = slot.stood.harmony
    if keep_harmony or slot.stands:
        return replace(slot, harmonies=(own,))
    keys = dict.fromkeys((own.key, *_keys_near(window, slot), phrase.key))
    kinds = every_kind() if finals is None else finals
    fitting: list[Harmony] = []
    for offer in _offers(slot, keys, phrase, kinds, free=free):
        fitting = [each for each in offer if holds(each, slot)]
        if fitting:
            break
    return replace(slot, harmonies=tuple(dict.fromkeys((own, *fitting))))


def _offers(
    slot: Slot, keys: Iterable[Key], phrase: Phrase, kinds: Kinds, *, free: bool
) -> Iterator[list[Harmony]]:
    """Chords in the order in which they are tried; the first that hold what is given are taken."""
    if free:
        yield [each for key in keys for each in _chords(key, everyday=False)]
        return
    for everyday in (True, False):
        yield [
            each for key in keys for each in _choices(slot, key, phrase, kinds, everyday=everyday)
        ]


def _keys_near(window: Window, slot: Slot) -> tuple[Key, ...]:
    """Keys that the piece is in a beat before and after."""
    times = (slot.onset - slot.duration, slot.onset + slot.duration)
    return tuple(label_at(window.score, time).key for time in times)


def _choices(
    slot: Slot, key: Key, phrase: Phrase, kinds: Kinds, *, everyday: bool
) -> tuple[Harmony, ...]:
    """Chords of a key, at the end of a phrase those of the cadences of its key."""
    if slot.to_end < CLOSING:
        return _closing(key, slot.to_end, kinds) if key == phrase.key else ()
    return _chords(key, everyday=everyday)


@cache
def _chords(key: Key, *, everyday: bool) -> tuple[Harmony, ...]:
    return tuple(
        Harmony(key, each)
        for each in vocabulary()
        if each.mode == key.mode and (not everyday or each.use in EVERYDAY)
    )


@cache
def _closing(key: Key, to_end: int, kinds: Kinds) -> tuple[Harmony, ...]:
    """Chords of the cadences of some kinds in a key, so many places before the end."""
    symbols = dict.fromkeys(
        formula.chords[-1 - to_end]
        for formula in formulas(key)
        if formula.kind in kinds and len(formula.chords) > to_end
    )
    return tuple(Harmony(key, chord(key.mode, symbol)) for symbol in symbols)


def holds(harmony: Harmony, slot: Slot) -> bool:
    """Whether a chord holds, for every voice that stands, one of its pitches."""
    tones = spell(harmony.chord, harmony.key)
    last = max(voice for voice in range(len(slot.given)) if voice not in slot.silent)
    return all(
        each is None
        or any(
            pitch.pitch_class in ((tones[harmony.chord.inversion],) if voice == last else tones)
            for pitch in each.pitches
        )
        for voice, each in enumerate(slot.given)
    )
