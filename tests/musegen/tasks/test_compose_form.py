"""Pieces by forms: bars, keys and closes as the template says, themes that return, textures, emotions."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from musegen.batch import piece_of
from musegen.emotion import emotion_names, mood_of
from musegen.errors import OptionError, UnknownNameError
from musegen.form_result import FormPiece
from musegen.io.musicxml import write_musicxml
from musegen.motive import read_theme
from musegen.plan.template import relative_key
from musegen.slices import piece
from musegen.tasks.compose_form import FormRequest, FormWork, form_work, in_mood, is_chorale
from musegen.textures.accompaniment import Sonority, left_hand, walking_bass
from musegen.textures.rhythm import (
    TuneRhythm,
    cells_of,
    draw_bar,
    draw_pattern,
    draw_plan,
    patterns,
)
from musegen.unfolding import unfolded
from theory_kb.check import check, load_style
from theory_kb.pitch import Pitch

FORMS = ("period-parallel", "small-ternary", "blues-12", "folk-song", "lullaby")


@cache
def made(form: str, seed: int = 1, key: str = "G major") -> FormWork:
    """A piece, composed once for all tests."""
    return form_work(FormRequest(form=form, seed=seed, key=key))


@pytest.mark.parametrize("form", FORMS)
def test_a_piece_keeps_to_its_template(form: str) -> None:
    """Bars, keys and cadences are the template's, and no rule that must hold is broken."""
    work = made(form)
    layout = work.drawn.layout
    assert work.score.duration == layout.template.bars * layout.bar
    for phrase in layout.phrases:
        unit = phrase.units[-1]
        assert unit.end in {relative_key(layout.home, each) for each in unit.section.keys["major"]}
        assert phrase.kind in unit.section.close or phrase.close is not None
    assert [each for each in FormPiece(work).findings if each.severity == "E"] == []


def test_the_score_closes_where_its_phrases_do() -> None:
    """Each phrase ends with its cadence on the downbeat of its last bar."""
    work = made("small-ternary")
    ends = {cadence.onset: cadence for cadence in work.score.cadences}
    for phrase in work.drawn.layout.phrases:
        last = (phrase.first_bar + phrase.bars - 1) * work.drawn.layout.bar
        assert ends[last].kind == phrase.kind
        assert ends[last].key == phrase.units[-1].end


def test_a_theme_returns_as_it_was() -> None:
    """The third part of a ternary form has the notes of the first."""
    work = made("small-ternary")
    bar = work.drawn.layout.bar
    first, again = (
        [
            (note.onset - start * bar, note.pitch)
            for note in work.score.parts[0].notes
            if start * bar <= note.onset < (start + 4) * bar
        ]
        for start in (0, 16)
    )
    assert first == again
    assert work.drawn.resemblance["a-return.1"] == 1


def test_the_same_request_gives_the_same_bytes() -> None:
    """Another seed gives another piece."""
    one = write_musicxml(form_work(FormRequest(form="hybrid-1", seed=3, key="F")).score)
    two = write_musicxml(form_work(FormRequest(form="hybrid-1", seed=3, key="F")).score)
    other = write_musicxml(form_work(FormRequest(form="hybrid-1", seed=4, key="F")).score)
    assert one == two != other


def test_a_given_theme_is_the_beginning() -> None:
    """The notes of a theme stand as they were given; one that is too long is refused."""
    theme = read_theme("G4:q B4:q D5:q E5:h.")
    work = form_work(FormRequest(form="small-ternary", seed=2, key="G major", theme=theme))
    assert work.score.parts[0].notes[:4] == theme
    long = read_theme(" ".join(["G4:w"] * 9))
    with pytest.raises(OptionError, match="at most 12, its first unit"):
        form_work(FormRequest(form="small-ternary", seed=2, key="G major", theme=long))


def test_lines_never_overlap_and_repeats_are_whole_bars() -> None:
    """Every part is a line; what is played twice begins and ends with bars."""
    work = form_work(FormRequest(form="small-binary", seed=2, key="D major"))
    for part in work.score.parts:
        assert all(before.end <= after.onset for before, after in pairwise(part.notes))
    bars = [int(time / 4) for span in work.score.repeats for time in span]
    assert bars == [0, 8, 8, 16]
    text = write_musicxml(work.score).decode()
    assert text.count('<repeat direction="backward"') == 2


def test_a_song_has_chord_symbols_and_sections_their_names() -> None:
    """A blues names I, IV and V, and its phrases."""
    score = made("blues-12").score
    assert {symbol.root.name for symbol in score.symbols} == {"G", "C", "D"}
    assert "Tonic phrase" in [each.text for each in score.directions if each.kind == "section"]
    assert "<root-step>" in write_musicxml(score).decode()


def test_endings_are_written_played_and_judged_as_heard(two_endings: Path) -> None:
    """Six bars and the first ending, the six again and the second: 8 + 8 bars are heard of ten."""
    for seed in range(2):
        score = form_work(FormRequest(form=str(two_endings), key="D", seed=seed)).score
        assert [(int(start), int(end)) for start, end in score.repeats] == [(0, 24)]
        assert [(each.number, int(each.start), int(each.end)) for each in score.endings] == [
            (1, 18, 24),
            (2, 24, 30),
        ]
        heard = unfolded(score)
        assert heard.duration == 16 * 3
        found = check(piece(heard), load_style("pop")).findings
        assert not [each for each in found if each.severity == "E"]
    text = write_musicxml(score).decode()
    for sign in ('number="1" type="start"', 'number="1" type="stop"', 'number="2" type="start"'):
        assert f"<ending {sign}" in text


@pytest.mark.parametrize("form", ["chorale", "hymn"])
def test_four_voices_are_another_task(form: str) -> None:
    """What is written for a choir is refused here, and told apart beforehand."""
    request = FormRequest(form=form)
    assert is_chorale(request)
    with pytest.raises(OptionError, match="four voices are another task"):
        form_work(request)


def test_a_form_of_one_mode_is_refused_in_the_other() -> None:
    """A chaconne is in minor."""
    with pytest.raises(OptionError, match="a minor key"):
        piece_of(FormRequest(form="chaconne", key="C major"))


# --- accompaniments -------------------------------------------------------------------------

CHORD = Sonority(Fraction(0), Fraction(4), Pitch.parse("E4"), Pitch.parse("G3"), Pitch.parse("C2"))


def test_an_alberti_bass_is_low_high_middle_high() -> None:
    """C E G E … of a triad in close position, in eighths, one line."""
    *above, low = left_hand([CHORD], "alberti", (4, 4))
    assert above == [(), ()]
    assert [str(note.pitch) for note in low[:4]] == ["C3", "G3", "E3", "G3"]
    assert {note.duration for note in low} == {Fraction(1, 2)}


def test_a_waltz_strikes_its_bass_first() -> None:
    """Bass, chord, chord; what a hand does not reach at once is not struck at once."""
    alto, tenor, bass = left_hand([CHORD], "waltz", (3, 4))
    assert [note.onset for note in bass][:1] == [0]
    assert [note.onset for note in alto][:2] == [note.onset for note in tenor][:2] == [1, 2]


def test_a_block_chord_lies_within_a_hand() -> None:
    """What spans more than a ninth comes nearer: the bass if that is enough, else the highest note."""
    alto, tenor, bass = left_hand([replace(CHORD, alto=Pitch.parse("C4"))], "block", (4, 4))
    assert [str(each[0].pitch) for each in (alto, tenor, bass)] == ["C4", "G3", "C3"]
    wide = replace(CHORD, bass=Pitch.parse("C3"))
    assert [str(each[0].pitch) for each in left_hand([wide], "block", (4, 4))] == ["G3", "E3", "C3"]


def test_a_close_figure_lies_where_the_hand_moves_least() -> None:
    """C to G to C in the bass: G is taken below the first C, not an octave and a fifth away."""
    chords = [
        Sonority(Fraction(4 * place), Fraction(4), Pitch.parse(a), Pitch.parse(t), Pitch.parse(b))
        for place, (a, t, b) in enumerate([("E4", "G3", "C3"), ("D4", "B3", "G2"), ("E4", "G3", "C2")])
    ]  # fmt: skip
    *_, low = left_hand(chords, "alberti", (4, 4))
    lowest = [str(note.pitch) for note in low if note.onset % 4 == 0]
    assert lowest == ["C3", "G2", "C3"]
    tops = [note.pitch.semitone for note in low]
    assert max(tops) <= Pitch.parse("E4").semitone


def test_a_phrase_comes_to_rest_in_the_left_hand() -> None:
    """A waltz leaves its last beat out, an Alberti bass breaks the chord once over a held bass."""
    resting = replace(CHORD, duration=Fraction(3), rests=True)
    alto, _, bass = left_hand([resting], "waltz", (3, 4))
    assert [int(note.onset) for note in bass] == [0]
    assert [int(note.onset) for note in alto] == [1]
    alto, tenor, bass = left_hand([resting], "alberti", (3, 4))
    assert [int(note.duration) for note in bass] == [3]
    assert [(note.onset, note.duration) for note in (*alto, *tenor)] == [
        (Fraction(1, 2), Fraction(1, 2)),
        (Fraction(1), Fraction(1)),
    ]
    (walked,) = walking_bass([resting], (3, 4))
    assert walked.duration == resting.duration


def test_a_chord_of_one_beat_sounds_whole() -> None:
    """Where a figure has time for its bass alone, the chord is struck at once."""
    short = replace(CHORD, duration=Fraction(1), bass=Pitch.parse("C3"))
    assert [len(lane) for lane in left_hand([short], "waltz", (3, 4))] == [1, 1, 1]


def test_a_held_bass_sounds_under_repeated_chords() -> None:
    """The bass lasts as long as its chord; the others are struck on the beats after it."""
    alto, tenor, bass = left_hand([CHORD], "repeated", (4, 4))
    assert [(int(note.onset), int(note.duration)) for note in bass] == [(0, 4)]
    assert [note.onset for note in tenor] == [note.onset for note in alto] == [1, 2, 3]


def test_a_bass_walks_to_the_next_chord_by_step() -> None:
    """A note a beat, the last a step from its goal."""
    scale = tuple(Pitch.parse(f"{letter}{octave}") for octave in (2, 3) for letter in "CDEFGAB")
    chords = [
        Sonority(Fraction(0), Fraction(4), Pitch.parse("E4"), Pitch.parse("G3"), Pitch.parse("C3"), scale),
        Sonority(Fraction(4), Fraction(4), Pitch.parse("F4"), Pitch.parse("C4"), Pitch.parse("F2"), scale, ends=True),
    ]  # fmt: skip
    line = walking_bass(chords, (4, 4))
    assert [note.onset for note in line] == [0, 1, 2, 3, 4]
    assert abs(line[3].pitch.step - line[4].pitch.step) == 1


# --- rhythm and emotion ---------------------------------------------------------------------


def test_patterns_fill_their_bars() -> None:
    """What was counted is whole bars, and a metre that was not counted has its beats."""
    for metre in ("2/4", "3/4", "4/4", "6/8", "2/2"):
        beats, unit = map(int, metre.split("/"))
        assert len(patterns(metre)) > 10
        assert {sum(pattern) for pattern, _ in patterns(metre)} == {Fraction(4 * beats, unit)}
    assert patterns("7/8") == (((Fraction(1, 2),) * 7, 1),)


def test_bars_of_one_letter_share_a_pattern_and_dances_have_their_cells() -> None:
    """Plans as they were counted; a minuet's running bar comes more often where it is asked for."""
    rng = np.random.default_rng(1)
    plans = [draw_plan("3/4", 4, rng=rng) for _ in range(200)]
    assert {plan[0] for plan in plans} == {"a"}
    assert len(set(plans)) > 8
    assert draw_plan("7/8", 6, rng=rng) == "abacab"
    (cell,) = cells_of(("minuet-running", "gigue"), "3/4")
    plain = TuneRhythm("3/4", 1.5, Fraction(1, 2))
    dance = replace(plain, cells=(cell,))
    counts = [
        sum(draw_bar(how, rng=np.random.default_rng(seed)) == cell for seed in range(200))
        for how in (plain, dance)
    ]
    assert counts[1] > 2 * counts[0] > 0
    assert draw_bar(dance, rng=rng, other_than=(cell,)) != cell


def test_a_denser_tune_has_more_notes() -> None:
    """Density moves the number of notes a bar."""
    counts = [
        sum(
            len(draw_pattern("4/4", rng=np.random.default_rng(seed), density=density))
            for seed in range(60)
        )
        for density in (0.6, 1.1, 2.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


def test_choices_move_one_way_with_arousal_and_valence() -> None:
    """Faster, denser, wider, with cheaper leaps as arousal grows; major where valence is pleasant."""
    moods = [mood_of(valence=0.2, arousal=level / 4) for level in range(-4, 5)]
    for before, after in pairwise(moods):
        assert before.tempo < after.tempo
        assert before.character.density < after.character.density
        assert before.character.leaps > after.character.leaps
        assert before.character.high <= after.character.high
    assert mood_of(valence=-0.5).mode == "minor"
    assert mood_of(valence=0.5).character.colour > mood_of(valence=-0.5).character.colour


@pytest.mark.parametrize("name", emotion_names())
def test_every_emotion_has_a_mood_with_its_facts(name: str) -> None:
    """Each choice names what speaks for it; the tempo is that of the emotion's node."""
    mood = mood_of(name)
    assert mood.mode in ("major", "minor")
    assert any(each.startswith("tempo") or "arousal" in each for each in mood.facts)


def test_tender_and_angry_differ_in_the_score() -> None:
    """A tender waltz is slower and softer than an angry one, and in major."""
    tender, angry = (
        form_work(FormRequest(form="hybrid-1", seed=5, **in_mood(name)))
        for name in ("tender", "angry")
    )
    assert tender.score.tempo < angry.score.tempo
    assert (tender.score.key.mode, angry.score.key.mode) == ("major", "minor")
    marks = [
        next(d.text for d in w.score.directions if d.kind == "dynamics") for w in (tender, angry)
    ]
    assert marks == ["mp", "f"]
    assert "tender" in tender.choices[0]


def test_wrong_emotions_are_refused() -> None:
    """A name that is in no table, numbers out of range, both or neither."""
    with pytest.raises(UnknownNameError, match="tender"):
        mood_of("tendre")
    for wrong in ({"valence": 2.0}, {}, {"emotion": "sad", "arousal": 0.1}):
        with pytest.raises(OptionError):
            mood_of(**wrong)
