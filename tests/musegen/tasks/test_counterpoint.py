"""The counterpoint task: every species and position, its options, and what it refuses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from musegen.errors import (
    DeadEndError,
    InfeasibleError,
    MusegenError,
    OptionError,
    ScoreError,
    UnknownNameError,
)
from musegen.io.musicxml import write_musicxml
from musegen.report import CheckReport
from musegen.score import Metre, Note, Part, Score
from musegen.search.beam import BeamResult
from musegen.search.lattice import Lattice
from musegen.species.result import Counterpoint
from musegen.tasks import counterpoint as task
from musegen.tasks.check import CheckOptions, check_one
from musegen.tasks.counterpoint import CounterpointOptions, counterpoint
from theory_kb.pitch import Key, Pitch

SHORT = "D4 F4 E4 G4 F4 E4 D4"
MODES = ("dorian", "phrygian", "mixolydian")
QUICK = {(1, "above"), (4, "around")}
TWO = [(species, position) for species in range(1, 6) for position in ("above", "below")]
THREE = [
    pytest.param(species, position, marks=() if (species, position) in QUICK else pytest.mark.slow)
    for species in range(1, 6)
    for position in ("above", "below", "around")
]


def score(names: str, *, duration: Fraction = Fraction(4), parts: int = 1) -> Score:
    """A score of one line, or of several that are alike."""
    line = tuple(
        Note(place * duration, duration, Pitch.parse(name))
        for place, name in enumerate(names.split())
    )
    voices = tuple(Part(f"voice {number}", line) for number in range(parts))
    return Score("tune", Key.parse("C"), voices, (Metre(4, 4),))


# --- restarts -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_draw_that_leads_nowhere_is_drawn_anew() -> None:
    """Seed 93 went back a thousand times from the last bar and was refused; a new draw is solved."""
    options = CounterpointOptions(seed=93, temperature=0.3)
    (made,) = counterpoint("fux-mixolydian", options, species=5, position="below")
    assert made.report.count("E") == 0


def test_draws_share_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has twice that of the one before, from another stream; the refusal says how many."""
    asked: list[tuple[int, float]] = []

    def hopeless(_: Lattice, *, patience: int, temperature: float, **__: object) -> BeamResult:
        asked.append((patience, temperature))
        raise DeadEndError(1, "nothing is left")

    monkeypatch.setattr(task, "beam_search", hopeless)
    words = (
        "bar 2, beat 1: rules on whole lines left no way on in 3 draws, which went back 200 times"
    )
    with pytest.raises(DeadEndError, match=words):
        counterpoint(SHORT, CounterpointOptions(patience=200))
    assert asked == [(50, 0.0), (100, task.DRAWN), (50, task.DRAWN)]


# --- what is written ------------------------------------------------------------------------


@pytest.mark.parametrize(("species", "position"), TWO)
@pytest.mark.parametrize(
    "cantus",
    [SHORT, *(pytest.param(f"fux-{mode}", marks=pytest.mark.slow) for mode in MODES)],
)
def test_two_voices_have_no_error(cantus: str, species: int, position: str) -> None:
    """Each species lies where it was asked for, keeps the cantus and breaks no hard rule."""
    (made,) = counterpoint(cantus, species=species, position=position)
    assert made.report.count("E") == 0
    place = made.exercise.place
    assert place == (1 if position == "above" else 0)
    assert tuple(note.pitch for note in made.score.parts[place].notes) == made.exercise.cantus
    means = [
        sum(note.pitch.semitone * note.duration for note in part.notes) / made.score.duration
        for part in made.score.parts
    ]
    assert means[0] > means[1]


@pytest.mark.parametrize(("species", "position"), THREE)
def test_three_voices_have_no_error(species: int, position: str) -> None:
    """The cantus may lie at the bottom, in the middle or on top."""
    (made,) = counterpoint("D4 F4 E4 F4 E4 D4", species=species, voices=3, position=position)
    assert made.report.count("E") == 0
    assert sorted(made.exercise.species) == sorted((0, 1, species))


def test_species_may_be_mixed() -> None:
    """Two counterpoints of shorter notes are declared as a combination."""
    (made,) = counterpoint("D4 F4 E4 D4", species=(2, 4), voices=3)
    assert made.exercise.species == (2, 4, 0)
    assert made.report.count("E") == 0


def test_the_leading_tone_is_raised_but_in_phrygian() -> None:
    """C sharp leads into D in dorian; D stays D before E in phrygian; minor is written as a key."""
    for cantus, before in (("fux-dorian", "C#"), ("fux-phrygian", "D"), ("fux-aeolian", "G#")):
        (made,) = counterpoint(cantus)
        assert made.score.parts[0].notes[-2].pitch.pitch_class.name == before
    (made,) = counterpoint("D4 F4 E4 D4", mode="minor")
    assert (made.score.key.name, made.exercise.mode_name) == ("D minor", "D minor")


def test_a_score_gives_what_its_text_gives() -> None:
    """A cantus in quarter notes is read as the same notes, each a bar."""
    (read,) = counterpoint(score(SHORT, duration=Fraction(1)))
    (typed,) = counterpoint(SHORT)
    assert write_musicxml(read.score) == write_musicxml(typed.score)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """And another one, drawn, gives others."""
    drawn = [
        write_musicxml(made.score)
        for seed in (3, 3, 4)
        for made in counterpoint(
            "D4 F4 E4 D4", CounterpointOptions(seed=seed, temperature=1.0), species=5
        )
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_several_solutions_differ_and_come_best_first() -> None:
    """What is alike is kept once; the scores fall."""
    found = counterpoint("D4 F4 E4 F4 E4 D4", species=2, count=3)
    assert 2 <= len(found) <= 3
    assert len({made.surface.tobytes() for made in found}) == len(found)
    scores = [made.beam.scores[0] for made in found]
    assert scores == sorted(scores, reverse=True)


def test_the_written_file_passes_the_check(tmp_path: Path) -> None:
    """Read again and told what the task was told, the checker finds no error."""
    (made,) = counterpoint("F4 G4 A4 G4 F4", species=5, position="below")
    piece = Counterpoint(made)
    files = piece.files(audio=False)
    path = tmp_path / "score.musicxml"
    path.write_bytes(files["score.musicxml"])
    options = CheckOptions(
        "fux2", cantus="Cantus firmus", species={"Counterpoint": 5}, mode="lydian"
    )
    (report,) = check_one(path, options)
    assert isinstance(report, CheckReport)
    own = [(each.rule, each.bar) for each in made.report.findings if each.voices != (0,)]
    read = [each for each in report.findings if each.voices != ("Cantus firmus",)]
    assert [(each.rule, each.place.bar) for each in read] == own
    assert report.count("E") == 0
    assert b"suspension" in files["explanation.json"]
    assert len(files["score.png"]) > 500
    assert piece.explanation["notes"][-1]["role"] in {"consonance", "cantus firmus"}


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cantus", "options", "kind", "said"),
    [
        ("", {}, ScoreError, "0 notes"),
        ("waltz", {}, UnknownNameError, "fux-dorian"),
        ("D4 E4", {}, ScoreError, "2 notes"),
        ("D4 F4 H4 E4 D4", {}, ScoreError, "H4"),
        ("fux-doria", {}, UnknownNameError, "fux-dorian"),
        ("D4 F4 G#4 A4 E4 D4", {}, ScoreError, "bar 3"),
        ("D4 C#5 D4 E4 D4", {}, ScoreError, "bar 2"),
        ("D4 F#4 G4 Eb4 D4", {}, ScoreError, "no church mode"),
        ("D4 F4 E4 D4", {"mode": "locrian"}, OptionError, "dorian"),
        ("D4 F#4 E4 D4", {"mode": "dorian"}, ScoreError, "bar 2: F#4"),
        ("B3 D4 C4 F#4 G4 F4 E4 F#4 C4 B3", {}, ScoreError, "bar 4"),
        ("D7 E7 F7 E7 D7", {}, ScoreError, "out of the range"),
        (" ".join(["D4", "E4"] * 101), {}, ScoreError, "202 notes"),
        ("D4 F4 E4 D4", {"species": 6}, OptionError, "from 1 to 5"),
        ("D4 F4 E4 D4", {"species": (1, 2)}, OptionError, "one number"),
        ("D4 F4 E4 D4", {"voices": 4}, OptionError, "2 or 3"),
        ("D4 F4 E4 D4", {"position": "around"}, OptionError, "above or below"),
        ("D4 F4 E4 D4", {"count": 0}, OptionError, "number of solutions"),
        ("G5 A5 G5 A5 G5 F5 G5", {"voices": 3}, InfeasibleError, "bar"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    cantus: str, options: dict[str, object], kind: type[MusegenError], said: str
) -> None:
    """The refusal says what came, where, and what is allowed."""
    with pytest.raises(kind) as refused:
        counterpoint(cantus, **options)  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_scores_that_are_no_cantus_are_refused() -> None:
    """Several voices, rests, notes of different lengths, no notes: each named with its place."""
    two = score(SHORT, parts=2)
    with pytest.raises(ScoreError, match="one voice without chords"):
        counterpoint(two)
    line = score(SHORT).parts[0].notes
    gap = two.with_parts((Part("a", (*line[:2], *line[3:])),))
    with pytest.raises(ScoreError, match="bar 4, beat 1: a cantus firmus has no rests"):
        counterpoint(gap)
    longer = Note(line[0].onset, Fraction(8), line[0].pitch)
    moved = [Note(n.onset + 4, n.duration, n.pitch) for n in line[1:]]
    with pytest.raises(ScoreError, match="bar 3, beat 1: the notes of a cantus firmus are of one"):
        counterpoint(two.with_parts((Part("a", (longer, *moved)),)))
    with pytest.raises(ScoreError, match="has no notes"):
        counterpoint(two.with_parts((Part("a", ()),)))
