"""Windows of pieces in two to five voices, with rests: only what is asked changes, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musegen.errors import InfeasibleError, OptionError, ScoreError
from musegen.io.musicxml import write_musicxml
from musegen.io.musicxml_reading import read_musicxml
from musegen.io.musicxml_text import parse_text
from musegen.plan.ensemble import CHOIR, players_of
from musegen.plan.window import VOICES, voice_names
from musegen.rewritten import Rewritten
from musegen.score import Note, Part, Score
from musegen.tasks.infill import infill
from musegen.tasks.locks import bar_span, parse_locks
from musegen.tasks.realise import realise
from musegen.tasks.vary import vary
from musegen.tasks.writing import Options, new_errors
from theory_kb.pitch import Pitch

QUICK = Options(models=(), temperature=0.0)
CHORDS = "C major: I V6 I IV | V I vi ii6 | V I IV6 V | I ii6 V7 I"


@cache
def quartet() -> Score:
    """Four bars in four voices."""
    (made,) = realise(CHORDS, QUICK)
    return replace(made.score, chords=(), cadences=())


def scored(voices: tuple[int, ...], rests: frozenset[tuple[int, int]] = frozenset()) -> Score:
    """Some voices of the quartet, one of them perhaps twice, without some of their notes."""
    parts = tuple(
        Part(
            f"Voice {'abcdef'[place]}",
            tuple(
                note
                for number, note in enumerate(quartet().parts[voice].notes)
                if (place, number) not in rests
            ),
        )
        for place, voice in enumerate(voices)
    )
    return quartet().with_parts(parts)


def stored(score: Score, folder: Path) -> tuple[Path, Score]:
    """A score as a file has it."""
    path = folder / "piece.musicxml"
    path.write_bytes(write_musicxml(score))
    return path, read_musicxml(path)


def sounds(part: Part) -> set[tuple[Fraction, Fraction, Pitch]]:
    """Notes by onset, length and pitch."""
    return {(note.onset, note.duration, note.pitch) for note in part.notes}


# --- any number of voices -------------------------------------------------------------------

windows = st.integers(1, 4).flatmap(lambda first: st.tuples(st.just(first), st.integers(first, 4)))
sizes = st.sampled_from(
    [(0, 3), (0, 1), (2, 3), (0, 1, 3), (1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 2, 3)]
)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    voices=sizes,
    rests=st.frozensets(st.tuples(st.integers(0, 4), st.integers(0, 14)), max_size=6),
    bars=windows,
    chosen=st.sets(st.integers(0, 4), min_size=1),
)
def test_every_byte_outside_the_window_stays(
    voices: tuple[int, ...],
    rests: frozenset[tuple[int, int]],
    bars: tuple[int, int],
    chosen: set[int],
    tmp_path: Path,
) -> None:
    """Other voices and other bars keep notes and bytes, and no new error comes in."""
    path, before = stored(scored(voices, rests), tmp_path)
    names = voice_names(before)
    free = {number % len(names) for number in chosen}
    try:
        (made,) = infill(before, QUICK, bars=bars, voices=[names[voice] for voice in sorted(free)])
    except (InfeasibleError, ScoreError):
        return
    start, end = bar_span(before, bars)
    for voice, (old, new) in enumerate(zip(before.parts, made.score.parts, strict=True)):
        for onset, length, _ in sounds(old) ^ sounds(new):
            assert voice in free
            assert start <= onset
            assert onset + length <= end
    assert not new_errors(made.plan, made.report)
    name, data, why = Rewritten(made, before, path).notation
    assert not why
    (tmp_path / name).write_bytes(data)
    again = read_musicxml(tmp_path / name)
    assert [part.notes for part in again.parts] == [part.notes for part in made.score.parts]
    assert outside(path.read_bytes(), bars) == outside(data, bars)


def outside(data: bytes, bars: tuple[int, int]) -> list[bytes]:
    """The text before the first measure, and every measure of every part that is not in the bars."""
    text = parse_text(data, "piece")
    head = data[: text.measures[0][0].children[0].start]
    return [
        head,
        *(
            data[measure.children[0].start : measure.children[-1].end]
            for part in text.measures
            for number, measure in enumerate(part, 1)
            if not bars[0] <= number <= bars[1]
        ),
    ]


@pytest.mark.parametrize("voices", [(0, 3), (0, 1, 3), (0, 1, 2, 2, 3)])
def test_an_inner_or_lower_voice_is_rewritten_among_any_number(voices: tuple[int, ...]) -> None:
    """The second voice of a duo, a trio and a quintet gets other notes, and no new error."""
    before = scored(voices)
    (made,) = infill(before, QUICK, bars=(2, 3), voices=["voice-b"])
    assert len(made.score.parts) == len(voices)
    assert made.score.parts[1] != before.parts[1]
    assert not new_errors(made.plan, made.report)


def test_alternatives_to_a_trio() -> None:
    """vary keeps the voices that it is told to, by the names of the parts."""
    before = scored((0, 1, 3))
    found = vary(before, QUICK, keep=["voice-a", "voice-c"], bars=(2, 3), count=2)
    assert {each.draft.score.parts[1] for each in found}.isdisjoint({before.parts[1]})
    for each in found:
        assert each.draft.score.parts[0] == before.parts[0]
        assert each.draft.score.parts[2] == before.parts[2]


def test_models_are_shown_any_number_of_voices() -> None:
    """All three models propose a voice of a duo and of a quintet."""
    for voices in ((0, 3), (0, 1, 2, 2, 3)):
        (made,) = infill(scored(voices), Options(temperature=0.0), bars=(2, 2), voices=["voice-b"])
        assert set(made.log_scores) == {"hmm", "rbm", "lstm"}
        assert Rewritten(made, scored(voices), Path("piece.mid")).explanation["notes"]


# --- rests ----------------------------------------------------------------------------------


def test_a_voice_that_rests_stays_silent() -> None:
    """An alto that rests through bar 2 rests there still; the tenor is written under the soprano."""
    inside = bar_span(quartet(), (2, 2))
    resting = frozenset(
        (1, number)
        for number, note in enumerate(quartet().parts[1].notes)
        if inside[0] <= note.onset < inside[1]
    )
    before = scored((0, 1, 2, 3), resting)
    (made,) = infill(before, QUICK, bars=(2, 2), voices=["alto", "tenor"])
    assert made.score.parts[1] == before.parts[1]
    assert made.score.parts[2] != before.parts[2]
    assert not new_errors(made.plan, made.report)


def test_where_the_bass_rests_the_lowest_voice_has_the_bass_of_the_chord() -> None:
    """Tenor notes over no bass are the roots, thirds or fifths that their numerals say."""
    inside = bar_span(quartet(), (2, 2))
    resting = frozenset(
        (3, number)
        for number, note in enumerate(quartet().parts[3].notes)
        if inside[0] <= note.onset < inside[1]
    )
    (made,) = infill(scored((0, 1, 2, 3), resting), QUICK, bars=(2, 2), voices=["tenor"])
    rows = zip(made.plan.slots, made.skeleton, strict=True)
    written = [moment for slot, moment in rows if 2 in slot.free and 3 in slot.silent]
    assert written
    assert all(moment["member"][2] == moment["inversion"] for moment in written)


def test_a_voice_that_rests_all_the_time_of_a_window_is_not_open() -> None:
    """Nothing is written into a rest: the refusal says so."""
    resting = frozenset((1, number) for number in range(len(quartet().parts[1].notes) - 1))
    with pytest.raises(ScoreError, match="nothing of the alto is left to rewrite"):
        infill(scored((0, 1, 2, 3), resting), QUICK, bars=(2, 2), voices=["alto"])


# --- names, ranges, refusals ----------------------------------------------------------------


def test_voices_are_named_by_their_parts() -> None:
    """Four are a choir; else names as in the file, or numbers where names do not tell them apart."""
    assert voice_names(scored((0, 1, 2, 3))) == VOICES
    trio = scored((0, 1, 3))
    assert voice_names(trio) == ("voice-a", "voice-b", "voice-c")
    alike = trio.with_parts(tuple(replace(part, name="Violin I") for part in trio.parts))
    assert voice_names(alike) == ("voice-1", "voice-2", "voice-3")
    with pytest.raises(OptionError, match="one of voice-a, voice-b, voice-c"):
        infill(trio, QUICK, voices=["alto"])
    locks = parse_locks(["voice-b:2", "voice-c"], voice_names(trio))
    assert [lock.voice for lock in locks.items] == [1, 2]


@pytest.mark.parametrize("count", [1, 6])
def test_other_numbers_of_voices_are_refused(count: int) -> None:
    """One line cannot be rewritten among others, six are too many."""
    with pytest.raises(ScoreError, match="2 to 5 can be rewritten"):
        infill(scored((0,) * count), QUICK, voices=["soprano"])


def test_a_voice_without_a_note_is_refused() -> None:
    """By its name."""
    silent = scored((0, 1, 3), frozenset((1, number) for number in range(99)))
    with pytest.raises(ScoreError, match="the voice-b has no note"):
        infill(silent, QUICK, voices=["voice-a"])


def test_players_reach_what_is_there() -> None:
    """A voice may go where the nearest of a choir goes, and where it goes already."""
    low = quartet().parts[3]
    deep = replace(low, notes=tuple(_octave_lower(note) for note in low.notes))
    players = players_of(quartet().with_parts((quartet().parts[0], deep)))
    heights = [note.pitch.semitone for note in deep.notes]
    assert players.compass[0] in CHOIR.compass
    assert players.compass[1].core_low.semitone == min(heights)
    assert players.compass[1].core_high == CHOIR.compass[3].core_high
    assert players_of(quartet()) is CHOIR
    apart = max(
        upper.pitch.semitone - lower.pitch.semitone
        for upper in quartet().parts[0].notes
        for lower in deep.notes
        if lower.onset <= upper.onset < lower.end
    )
    assert players.gaps[0][1] >= apart


def _octave_lower(note: Note) -> Note:
    pitch = note.pitch
    return replace(note, pitch=Pitch(pitch.step - 7, pitch.semitone - 12))
