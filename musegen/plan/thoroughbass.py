"""A plan of a figured bass: the figures are hard, the chords they mean are found.

Each figure, and each bass note, makes a slot. What a figure asks for is a chord, a suspension of
the chord that follows over the same bass (4-3, 7-6, 9-8 and their kin) or one that resolves as
the bass moves on, a bass that is itself suspended, or a chord over a pedal. Where chords can be
read in several keys or ways, the cheapest progression by the knowledge graph names them all
(Viterbi 1967).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from musegen.errors import ScoreError
from musegen.plan.ensemble import CHOIR, Ensemble
from musegen.plan.plan import ANY, Delay, Figured, Given, Harmony, Phrase, Plan, Slot
from musegen.plan.spans import MOST_SLOTS
from musegen.score import FigureMark, Note, Score
from musegen.transitions import GRADE_COST, PIVOT_COST, link
from theory_kb.chords import vocabulary
from theory_kb.key_relations import related_keys
from theory_kb.metre import beat_strength, beat_ticks
from theory_kb.moment import TICKS
from theory_kb.pitch import Key, Pitch, PitchClass
from theory_kb.thoroughbass import FigureError, Figures, completed, readings, tones

__all__ = ["UNFIGURED", "plan_of_figures"]

UNFIGURED = ("triad", "free")  # what stands over a bass note without figures
USE_COST = {"common": 0.0, "occasional": 0.5, "rare": 1.5}  # nats for a reading by its use
FAR_COST = 0.5  # nats for a chord that is read in another key than home
ASTRAY_COST = 10.0  # the same for the last chord of all
CHANGE_COST = 4.0  # nats for a change of key; a chord or two of another key are applied ones
FALLS = {9: 8, 7: 6, 6: 5, 4: 3}  # figures of suspensions, and where they fall over the same bass


@dataclass(frozen=True, slots=True)
class _Column:
    """What stands at one time over a bass note."""

    onset: Fraction
    end: Fraction
    note: Note
    figures: Figures | None  # None: nothing is written
    where: str  # bar and beat

    @property
    def struck(self) -> bool:
        """Whether the bass note begins here."""
        return self.onset == self.note.onset


@dataclass(frozen=True, slots=True)
class _Sense:
    """What a column means."""

    chords: tuple[Harmony, ...]  # readings; empty while a chord goes on
    bass: Pitch | None = None  # of the chord, where it is not what sounds
    delays: tuple[Delay, ...] = ()
    struck: tuple[PitchClass, ...] = ()
    free: bool = False  # nothing is asked for: any chord with this bass


def plan_of_figures(
    score: Score,
    *,
    home: Key | None = None,
    unfigured: str = "triad",
    ensemble: Ensemble = CHOIR,
    name: str = "Realisation",
) -> Plan:
    """The plan of a figured bass.

    Args:
        score: its lowest part is the bass, its `figures` those of that part.
        home: the key, if it is not the score's.
        unfigured: what stands over a note without figures: `triad`, or `free` for any chord.
        ensemble: for whom.
        name: of the task.

    Raises:
        ScoreError: no note, too many, figures over no note, or figures that ask for neither chord
            nor suspension; names bar and beat.
    """
    key = home or score.key
    notes = score.parts[-1].notes if score.parts else ()
    if not notes:
        raise ScoreError(score.title, "the bass has no notes")
    columns = list(_columns(score, notes))
    if len(columns) > MOST_SLOTS:
        problem = f"{len(columns)} notes and figures, allowed are {MOST_SLOTS}"
        raise ScoreError(score.title, problem)
    senses = _senses(columns, score, key, unfigured)
    slots = _slots(columns, senses, score, ensemble)
    return Plan(
        name,
        key,
        (score.metre.beats, score.metre.unit),
        score.upbeat,
        score.tempo,
        slots,
        _phrases(slots, columns),
        {ensemble.bass: tuple(notes)},
        least_grade=ANY,
        chords_given=True,
        ensemble=ensemble,
        figures=score.figures,
    )


# --- columns --------------------------------------------------------------------------------


def _columns(score: Score, notes: Sequence[Note]) -> Iterator[_Column]:
    """The bass cut where figures stand."""
    marks = list(score.figures)
    for note in notes:
        inside = [mark for mark in marks if note.onset <= mark.onset < note.end]
        marks = [mark for mark in marks if mark not in inside]
        starts = sorted({note.onset, *(mark.onset for mark in inside)})
        written = {mark.onset: mark for mark in inside}
        for start, end in zip(starts, [*starts[1:], note.end], strict=True):
            place = _where(score, start)
            yield _Column(start, end, note, _read(written.get(start), note, place, score), place)
    if marks:
        raise ScoreError(_where(score, marks[0].onset), f"figures {marks[0].text!r} over no note")


def _read(mark: FigureMark | None, note: Note, place: str, score: Score) -> Figures | None:
    """The figures of a mark; refused where they cannot be read, or over this bass do not exist."""
    if mark is None:
        return None
    try:
        figures = Figures.parse(mark.text)
        tones(completed(figures.written), note.pitch.pitch_class, score.key.signature)
    except FigureError as error:
        raise ScoreError(place, str(error)) from error
    return figures


def _where(score: Score, onset: Fraction) -> str:
    bar, beat = score.bar_and_beat(onset)
    return f"bar {bar}, beat {float(beat):g}"


# --- what they mean -------------------------------------------------------------------------


def _senses(
    columns: Sequence[_Column], score: Score, home: Key, unfigured: str
) -> tuple[_Sense, ...]:
    """The meaning of each column, its chord named."""
    reader = _Reader(tuple(columns), score, _keys(home), unfigured)
    senses = [reader.sense(place) for place in range(len(columns))]
    return _named(senses, home)


@cache
def _keys(home: Key) -> tuple[Key, ...]:
    return tuple(dict.fromkeys((home, *(each.key for each in related_keys(home)))))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the columns of one bass."""

    columns: tuple[_Column, ...]
    score: Score
    keys: tuple[Key, ...]
    unfigured: str

    def sense(self, place: int) -> _Sense:
        """What a column means.

        Raises:
            ScoreError: its figures ask for neither chord nor suspension.
        """
        column = self.columns[place]
        if self._goes_on(place):
            return _Sense(())
        if column.figures is None and self.unfigured == "free":
            return _Sense(_over(column.note.pitch.pitch_class, self.keys[0]), free=True)
        bass = column.note.pitch.pitch_class
        resolved, delays = self._suspension(place)
        if delays:
            return _Sense(self._chords(bass, resolved), delays=delays)
        if place and (arrived := self._suspension(place - 1)[1]):
            return _Sense((), struck=tuple(delay.tone for delay in arrived))
        notes = self._notes(place)
        chords = self._chords(bass, notes.values())
        if chords:
            return _Sense(chords)
        for moved in self._stood_for(place):
            delays = self._delays(place, moved)
            if delays and self._can_fall(place, delays):
                return _Sense(self._chords(bass, moved), delays=delays)
        return self._over_foreign_bass(place, notes)

    def _goes_on(self, place: int) -> bool:
        """Whether the chord before goes on: said so, or an unfigured note between beats."""
        column = self.columns[place]
        joins = place > 0 and self.columns[place - 1].end == column.onset
        if column.figures is not None and (column.figures.held or column.figures.tasto):
            if not joins:
                raise ScoreError(
                    column.where, f"{column.figures.text!r} holds on what is not there"
                )
            return True
        beat = Fraction(beat_ticks(self.score.metre.beats, self.score.metre.unit), TICKS)
        off = (column.onset - self.score.upbeat) % beat != 0
        return joins and column.figures is None and off and column.end - column.onset < beat

    def _notes(self, place: int) -> dict[int, PitchClass]:
        """The notes that a column asks for, by number; all of them, those left out too."""
        column = self.columns[place]
        written = {} if column.figures is None else column.figures.written
        return tones(completed(written), column.note.pitch.pitch_class, self.score.key.signature)

    def _written(self, place: int) -> dict[int, PitchClass]:
        """The notes that a column names, by number."""
        column = self.columns[place]
        written = {} if column.figures is None else column.figures.written
        found = tones(written, column.note.pitch.pitch_class, self.score.key.signature)
        return {number: note for number, note in found.items() if number > 1}

    def _chords(self, bass: PitchClass, notes: Iterable[PitchClass]) -> tuple[Harmony, ...]:
        return tuple(Harmony(*each) for each in readings(bass, notes, self.keys))

    # --- suspensions ---

    def _suspension(self, place: int) -> tuple[frozenset[PitchClass], tuple[Delay, ...]]:
        """The chord that the next column brings over the same bass note, and what delays it.

        Figures that stand for a chord of their own are one, not a suspension; but 7-6 is always
        a suspension, since the fifth that a seventh chord has does not go with the sixth.
        """
        nothing: tuple[frozenset[PitchClass], tuple[Delay, ...]] = frozenset(), ()
        column, following = self.columns[place], self.columns[place + 1 : place + 2]
        if column.figures is None or not following or following[0].note is not column.note:
            return nothing
        if following[0].figures is None or self._goes_on(place) or self._goes_on(place + 1):
            return nothing
        after = self._notes(place + 1)
        seventh = set(self._written(place)) <= {3, 7, 8} and set(after) <= {1, 3, 6, 8}
        chord = self._chords(column.note.pitch.pitch_class, self._notes(place).values())
        if chord and not (seventh and 7 in self._written(place)):
            return nothing
        resolved = frozenset(after.values())
        return resolved, self._delays(place, resolved)

    def _stood_for(self, place: int) -> Iterator[frozenset[PitchClass]]:
        """Notes of the chords that a suspension may delay, if it falls as the bass moves on."""
        column = self.columns[place]
        written = {} if column.figures is None else column.figures.written
        falling = [number for number in FALLS if number in written]
        for count in range(len(falling), 0, -1):
            kept = {
                number: sign for number, sign in written.items() if number not in falling[:count]
            }
            late = {FALLS[number]: "" for number in falling[:count] if FALLS[number] != 8}
            full = completed({**late, **kept})
            above = tones(full, column.note.pitch.pitch_class, self.score.key.signature)
            yield frozenset(above.values())

    def _can_fall(self, place: int, delays: Sequence[Delay]) -> bool:
        """Whether the next column has a note a step below each that is suspended."""
        following = place + 1
        if following == len(self.columns) or self._goes_on(following):
            return False
        if self.columns[following].figures is None and self.unfigured == "free":
            return True
        letters = {note.letter for note in self._notes(following).values()}
        return all(delay.tone.letter in letters for delay in delays)

    def _delays(self, place: int, resolved: frozenset[PitchClass]) -> tuple[Delay, ...]:
        """What a column has instead of the notes of a chord; none if it is no suspension of it."""
        if not self._chords(self.columns[place].note.pitch.pitch_class, resolved):
            return ()
        found = []
        for note in self._written(place).values():
            if note in resolved:
                continue
            tone = next((each for each in resolved if (note.letter - each.letter) % 7 == 1), None)
            if tone is None:
                return ()
            found.append(Delay(note, tone, self._prepared(place, note)))
        return tuple(found)

    def _prepared(self, place: int, note: PitchClass) -> bool:
        """Whether what sounds before a column has a note above the bass."""
        before = place - 1
        if before < 0 or self.columns[before].end != self.columns[place].onset:
            return False
        while self._goes_on(before):
            before -= 1
        if self.columns[before].figures is None and self.unfigured == "free":
            return True
        return note in self._notes(before).values()

    # --- chords over a bass that is not theirs ---

    def _over_foreign_bass(self, place: int, notes: Mapping[int, PitchClass]) -> _Sense:
        """A chord over a pedal, or over a bass that is suspended and falls into the chord."""
        column = self.columns[place]
        upper = {note for number, note in notes.items() if number > 1}
        for bass in self._fallen(place):
            chords = self._chords(bass.pitch_class, upper | {bass.pitch_class})
            if chords:
                return _Sense(chords, bass=bass)
        over_pedal = [
            each
            for root in sorted(upper)
            for each in self._chords(root, upper)
            if each.chord.inversion == 0
        ]
        if over_pedal:
            return _Sense(tuple(over_pedal))
        listed = ", ".join(str(note) for note in notes.values())
        text = column.figures.text if column.figures is not None else ""
        raise ScoreError(
            column.where,
            f"figures {text or '5/3'} over {column.note.pitch} ask for {listed}: no chord of "
            f"{self.keys[0]} or a near key, and no suspension that falls by step into one",
        )

    def _fallen(self, place: int) -> tuple[Pitch, ...]:
        """The next bass note, if it lies a step below."""
        here = self.columns[place].note.pitch
        after = next((each.note for each in self.columns[place + 1 :] if each.struck), None)
        return (after.pitch,) if after is not None and here.step - after.pitch.step == 1 else ()


@cache
def _over(bass: PitchClass, key: Key) -> tuple[Harmony, ...]:
    """The chords of a key that have a note in the bass."""
    return tuple(
        Harmony(key, each)
        for each in vocabulary()
        if each.mode == key.mode and key.tonic.transposed(each.bass) == bass
    )


# --- names ----------------------------------------------------------------------------------


def _named(senses: Sequence[_Sense], home: Key) -> tuple[_Sense, ...]:
    """Each chord with its readings in the key that the cheapest progression gives it.

    That of the progression comes first; the others stay, since a rule may forbid what it asks for.
    Where the bass is free to carry any chord, all of them stay.
    """
    places = [place for place, sense in enumerate(senses) if sense.chords]
    costs: list[dict[Harmony, float]] = []
    back: list[dict[Harmony, Harmony]] = []
    for place in places:
        here: dict[Harmony, float] = {}
        came: dict[Harmony, Harmony] = {}
        for each in senses[place].chords:
            far = ASTRAY_COST if place == places[-1] else FAR_COST
            own = USE_COST[each.chord.use] + (far if each.key != home else 0.0)
            ways = {
                one: cost + _step(one, each) for one, cost in (costs[-1] if costs else {}).items()
            }
            if ways:
                came[each] = min(ways, key=lambda one: ways[one])
            here[each] = own + (ways[came[each]] if ways else 0.0)
        costs.append(here)
        back.append(came)
    named = list(senses)
    chosen = min(costs[-1], key=lambda each: costs[-1][each]) if costs else None
    for place, came in zip(reversed(places), reversed(back), strict=True):
        assert chosen is not None, "there is a chord at each of these places"
        if not senses[place].free:
            same = [each for each in senses[place].chords if each.key == chosen.key]
            named[place] = replace(senses[place], chords=(*dict.fromkeys((chosen, *same)),))
        chosen = came.get(chosen)
    return tuple(named)


@cache
def _step(before: Harmony, after: Harmony) -> float:
    """Cost of one chord after another: by its grade, and for a change of key."""
    grade, pivot = link(before, after)
    change = CHANGE_COST if before.key != after.key else 0.0
    return GRADE_COST[grade] + change + (PIVOT_COST if pivot is not None else 0.0)


# --- slots ----------------------------------------------------------------------------------


def _slots(
    columns: Sequence[_Column], senses: Sequence[_Sense], score: Score, players: Ensemble
) -> tuple[Slot, ...]:
    ends = _phrase_ends(columns)
    firsts = [0, *(end + 1 for end in ends[:-1])]
    found: list[Slot] = []
    chord: tuple[Harmony, ...] = ()
    own = columns[0].note.pitch
    phrase = 0
    for place, (column, sense) in enumerate(zip(columns, senses, strict=True)):
        phrase += place > ends[phrase]
        if sense.chords:
            chord, own = sense.chords, sense.bass or column.note.pitch
        bar, beat = score.bar_and_beat(column.onset)
        position = int((beat - 1) * Fraction(4, score.metre.unit) * TICKS)
        found.append(
            Slot(
                column.onset,
                column.end - column.onset,
                bar,
                position,
                beat_strength(score.metre.beats, score.metre.unit, position),
                phrase,
                ends[phrase] - place,
                place - firsts[phrase],
                chord,
                given=_given(column, players),
                figured=_figured(sense, own),
            )
        )
    return tuple(found)


def _given(column: _Column, players: Ensemble) -> tuple[Given | None, ...]:
    pitch = column.note.pitch
    return (*(None,) * players.bass, Given(pitch, struck=column.struck))


def _figured(sense: _Sense, own: Pitch) -> Figured:
    return Figured(own, sense.delays, not sense.chords, sense.struck, sense.free)


def _phrase_ends(columns: Sequence[_Column]) -> list[int]:
    """Places of the last columns of phrases: at fermatas, and at the end."""
    last = len(columns) - 1
    ends = [
        place
        for place, column in enumerate(columns)
        if place < last and column.note.fermata and column.end == column.note.end
    ]
    return [*ends, last]


def _phrases(slots: Sequence[Slot], columns: Sequence[_Column]) -> tuple[Phrase, ...]:
    ends = _phrase_ends(columns)
    firsts = [0, *(end + 1 for end in ends[:-1])]
    return tuple(
        Phrase(
            f"phrase {number}",
            first,
            end,
            slots[first].harmonies[0].key,
            slots[end].harmonies[0].key,
            fermata=columns[end].note.fermata,
        )
        for number, (first, end) in enumerate(zip(firsts, ends, strict=True), 1)
    )
