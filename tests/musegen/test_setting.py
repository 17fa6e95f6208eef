"""Plans around given notes: what is heard in a slot, phrases, keys, closes."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import OptionError, ScoreError
from musegen.plan.home import fit, home_key
from musegen.plan.phrasing import phrase_ends
from musegen.plan.plan import Given, Plan, Slot
from musegen.plan.setting import plan_around
from musegen.score import Metre, Note, Part, Score
from musegen.tasks.harmonise import harmonise
from musegen.tasks.writing import Draft, Options
from theory_kb.check import final_cadences, load_style
from theory_kb.pitch import Key, Pitch

QUICK = Options(models=(), temperature=0.0, width=16)
SIXTEENTHS = "C5:1 D5:1/4 E5:1/4 F5:1/4 E5:1/4 D5:3/4 C5:1/4 B4:1 C5:2!"


def line(text: str) -> tuple[Note, ...]:
    """Notes of `C5:1/2` tokens, `r:1` a rest, a fermata where `!` stands."""
    notes, time = [], Fraction(0)
    for token in text.split():
        name, length = token.rstrip("!").split(":")
        if name != "r":
            notes.append(Note(time, Fraction(length), Pitch.parse(name), token.endswith("!")))
        time += Fraction(length)
    return tuple(notes)


def tune(text: str, key: str, *, upbeat: str = "0", metre: tuple[int, int] = (4, 4)) -> Score:
    """A score of one part."""
    return Score(
        "Tune", Key.parse(key), (Part("Soprano", line(text)),), (Metre(*metre),), Fraction(upbeat)
    )


def plan(score: Score, **options: object) -> Plan:
    """The plan around the one part of a score as soprano."""
    return plan_around(score, {0: score.parts[0].notes}, name="x", **options)  # type: ignore[arg-type]


# --- what is heard in a slot ----------------------------------------------------------------


def test_every_note_and_rest_of_a_beat_is_heard() -> None:
    """Sixteenths and rests inside a beat are kept with their times."""
    notes = line("C5:1/4 D5:1/4 r:1/4 E5:3/4")
    heard = Given.heard(notes, Fraction(0), Fraction(1))
    assert heard is not None
    names = [(time, pitch and pitch.name) for time, pitch in heard.later]
    assert names == [(Fraction(1, 4), "D5"), (Fraction(1, 2), None), (Fraction(3, 4), "E5")]
    held = Given.heard(notes, Fraction(1), Fraction(2))
    assert held is not None
    assert (held.struck, held.later) == (False, ((Fraction(1, 2), None),))
    assert Given.heard(notes, Fraction(3, 2), Fraction(2)) is None


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    rests=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_what_is_heard_is_what_sounds(lengths: list[int], rests: list[bool]) -> None:
    """At every sixteenth of every beat, `at` says the note that sounds there."""
    tokens = [
        f"{'r' if rest else f'C{3 + place % 3}'}:{length}/4"
        for place, (length, rest) in enumerate(zip(lengths, rests, strict=False))
    ]
    notes = line(" ".join(tokens))
    for beat in range(sum(lengths) // 4 + 1):
        heard = Given.heard(notes, Fraction(beat), Fraction(beat + 1))
        for quarter in range(4):
            time = Fraction(beat) + Fraction(quarter, 4)
            now = next((note for note in notes if note.onset <= time < note.end), None)
            if heard is None:
                assert quarter or now is None
            else:
                pitch, struck = heard.at(Fraction(quarter, 4))
                assert pitch == (now.pitch if now else None)
                assert struck == (now is not None and now.onset == time)


@pytest.mark.parametrize(("length", "middle"), [("1", "1/2"), ("3/2", "1"), ("2", "1"), ("3", "2")])
def test_beats_of_three_parts_are_divided_two_to_one(length: str, middle: str) -> None:
    """A dotted beat has its second note on its last third: no duplets in 6/8."""
    slot = Slot(Fraction(0), Fraction(length), 1, 0, 4, 0, 0, 0, ())
    assert slot.middle == Fraction(middle)


def test_fast_notes_stay_and_are_judged() -> None:
    """Sixteenths and a dotted figure inside beats: the tune stays, no hard rule is broken."""
    (made,) = harmonise(tune(SIXTEENTHS, "C major"), QUICK)
    assert made.score.parts[0].notes == line(SIXTEENTHS)
    assert not made.report.count("E")


def test_where_the_tune_rests_all_rest() -> None:
    """A rest inside a phrase is a rest of all voices; a note between rests has its chord."""
    text = "E5:1 D5:1/2 r:1/2 C5:1 r:1/2 D5:1/2 C5:1 B4:1 C5:2!"
    (made,) = harmonise(tune(text, "C major"), QUICK)
    assert made.score.parts[0].notes == line(text)
    for part in made.score.parts[1:]:
        for start, end in ((Fraction(3, 2), Fraction(2)), (Fraction(3), Fraction(7, 2))):
            assert not [note for note in part.notes if note.onset < end and note.end > start]
    assert not made.report.count("E")


def test_a_rest_in_the_middle_of_a_beat_is_no_fault_of_the_others() -> None:
    """The tune rests where the second half of the beat begins, and comes back before its end."""
    text = "E5:1 D5:1/2 r:1/4 D5:1/4 C5:1 B4:1 C5:1 D5:1/4 r:1/2 B4:1/4 C5:2!"
    (made,) = harmonise(tune(text, "C major"), QUICK)
    assert made.score.parts[0].notes == line(text)
    assert not made.report.count("E")


def test_chordal_sevenths_reached_by_a_figure_resolve() -> None:
    """A neighbour that is the seventh of its chord is held to the rule on sevenths.

    The tune of BWV 90.5: every surface of it was refused while figures were not asked what the
    checker asks of a chord as it is left.
    """
    text = (
        "A4:1 A4:1 F4:1 G4:1 A4:1 F4:1 E4:1 D4:2! "
        "A4:1 A4:1 G4:1 F4:1 E4:1/2 D4:1/2 E4:1 F4:2! F4:1 G4:1 A4:1 F4:1 E4:1 E4:1 D4:2!"
    )
    for seed in range(3):
        options = replace(QUICK, seed=seed)
        (made,) = harmonise(tune(text, "D minor", upbeat="1"), options)
        assert (made.redraws, made.report.count("E")) == (0, 0)


GOLDEN = (
    "E5 C5 C4 C3 I | D5 B4 F4 D3 viio6 | C5 G4 C4 E3 I6 | D5 G4 B3 G2 V | "
    "E5 G4 C4 E3 I6 | F5 F4 C4 D3 ii7 | D5 F4 B3 G3 V7 | C5 E4 C4 C3 I"
)


def as_text(made: Draft) -> str:
    """Chord by chord: the notes at its onset, high to low, and the numeral."""
    rows = []
    for label in made.score.chords:
        sounding = [
            next(note.pitch.name for note in part.notes if note.onset <= label.onset < note.end)
            for part in made.score.parts
        ]
        rows.append(" ".join((*sounding, label.numeral)))
    return " | ".join(rows)


def test_a_harmonisation_as_it_was_read_and_found_good() -> None:
    """The golden one: change it only with a reason, and read what comes instead."""
    options = replace(QUICK, figures=False, models=("hmm",))
    (made,) = harmonise(tune("E5:1 D5:1 C5:1 D5:1 E5:1 F5:1 D5:1 C5:2!", "C major"), options)
    assert as_text(made) == GOLDEN


def test_rare_chords_wait_until_no_other_holds_the_tune() -> None:
    """No minor tonic in C major over its own tonic note; a chromatic note may have what it needs."""
    slots = plan(tune("E5:1 C5:1 C#5:1 D5:1 B4:1 C5:2!", "C major")).slots
    uses = [{each.chord.use for each in slot.harmonies} for slot in slots]
    assert all("rare" not in each for each in uses[:2])
    assert all(slot.harmonies for slot in slots)


# --- phrases --------------------------------------------------------------------------------


def test_marked_phrases_are_taken_as_they_are() -> None:
    """Fermatas end phrases, and the last note does."""
    score = tune("C5:1 D5:1 E5:1! D5:1 C5:1 D5:1 C5:2", "C major")
    assert phrase_ends(score, score.parts[0].notes) == {Fraction(3), Fraction(8)}


def test_phrases_of_a_folk_tune_in_six_eight_are_found() -> None:
    """An upbeat of an eighth, four bars to a phrase, each ending on a long note."""
    phrase = "G4:1/2 " + "C5:1 C5:1/2 E5:1 C5:1/2 " * 3 + "D5:1 D5:1/2 G4:1 "
    last = "G4:1/2 " + "C5:1 C5:1/2 E5:1 C5:1/2 " * 3 + "C5:5/2"
    score = tune(phrase + last, "C major", upbeat="1/2", metre=(6, 8))
    notes = score.parts[0].notes
    assert phrase_ends(score, notes) == {Fraction(12), notes[-1].end}


def test_rests_end_phrases_wherever_they_stand() -> None:
    """A rest of a beat outweighs the place in the bar."""
    score = tune("C5:1 D5:1 E5:1 D5:1 E5:1 C5:1 r:2 " * 2 + "C5:1 D5:1 B4:1 C5:5", "C major")
    assert {Fraction(6), Fraction(14)} <= phrase_ends(score, score.parts[0].notes)


@pytest.mark.parametrize(
    ("upbeat", "bars", "ends"), [("0", (1, 3), (4, 12)), ("1", (1, 3), (4, 12)), ("1", (2,), (8,))]
)
def test_phrases_end_in_the_bars_that_are_asked_for(
    upbeat: str, bars: tuple[int, ...], ends: tuple[int, ...]
) -> None:
    """Before the upbeat of the next phrase, if the tune has one; fermatas do not count then."""
    score = tune("C5:1 D5:1 E5:1 D5:1! " * 4, "C major", upbeat=upbeat)
    notes = score.parts[0].notes
    assert phrase_ends(score, notes, bars=bars) == {*map(Fraction, ends), notes[-1].end}


def test_a_bar_that_is_not_there_ends_no_phrase() -> None:
    """The bar that came and those that there are."""
    score = tune("C5:1 D5:1 E5:1 D5:1 C5:4", "C major")
    with pytest.raises(OptionError, match="bars from 0 to 2, got 9"):
        phrase_ends(score, score.parts[0].notes, bars=(9,))


@given(st.lists(st.sampled_from(["1/4", "1/2", "1", "2", "4"]), min_size=1, max_size=40))
def test_phrases_that_are_found_end_with_notes_and_the_line(lengths: list[str]) -> None:
    """Whatever the line, each phrase ends as some note does, the last one with the line."""
    score = tune(" ".join(f"C5:{length}" for length in lengths), "C major")
    notes = score.parts[0].notes
    ends = phrase_ends(score, notes)
    assert ends <= {note.end for note in notes}
    assert notes[-1].end in ends


# --- keys and closes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stated", "home"),
    [
        ("G4:1 A4:1 B4:1 D5:1 C5:1 A4:1 F#4:1 G4:2!", "G major", "G major"),
        ("G4:1 A4:1 B4:1 D5:1 C5:1 A4:1 F#4:1 G4:2!", "C major", "G major"),  # signature left out
        ("E5:1 G5:1 A5:1 G5:1 F5:1 D5:1 C5:1 A4:1 G4:1 F4:1 E4:2!", "E minor", "A minor"),
        ("D4:1 F4:1 E4:1 D4:1 A4:1 Bb4:1 A4:1 C#5:1 D5:2!", "D minor", "D minor"),
        ("C5:1 E5:1 D5:1 F5:1 E5:1 D5:1 E5:2!", "C major", "C major"),  # ends on its third
    ],
)
def test_home_is_where_the_notes_are_and_can_close(text: str, stated: str, home: str) -> None:
    """The stated key holds unless the notes deny it; a Phrygian tune is at home a fourth higher."""
    made = plan(tune(text, stated))
    assert made.home == Key.parse(home)
    assert made.stated == (None if stated == home else Key.parse(stated))


def test_a_key_that_is_asked_for_is_not_questioned() -> None:
    """`home` holds even against the notes."""
    score = tune("G4:1 A4:1 B4:1 D5:1 C5:1 A4:1 B4:1 G4:2!", "G major")
    made = plan(score, home=Key.parse("C major"))
    assert (made.home, made.stated) == (Key.parse("C major"), None)


def test_a_phrygian_tune_ends_on_the_dominant() -> None:
    """As Bach ends such tunes, and no other tune ends there."""
    text = "E5:1 D5:1 C5:1 B4:1 A4:1 G4:1 F4:1 E4:2!"
    (made,) = harmonise(tune(text, "E minor"), QUICK)
    assert made.score.key == Key.parse("A minor")
    assert made.score.cadences[-1].kind in ("cad-hc", "cad-phrygian")
    assert not made.report.count("E")


@pytest.mark.parametrize(
    ("text", "voice", "onset", "lasts"),
    [
        ("G4:1 A4:1 B4:1 C5:1 D5:2 C5:1 C5:1", 0, 6, 2),
        ("G4:1 A4:1 B4:1 C5:1 D5:2 C5:1 r:1/2 C5:1/2", 0, Fraction(15, 2), Fraction(1, 2)),
        ("G4:1 A4:1 B4:1 C5:1 D5:3 C5:1 C5:4", 0, 8, 4),
        ("G3:1 A3:1 B3:1 C4:1 G3:1 F3:1 C3:1 C3:1", 3, 7, 1),
    ],
)
def test_a_last_note_of_a_tune_struck_again_keeps_its_chord(
    text: str, voice: int, onset: Fraction, lasts: Fraction
) -> None:
    """From a strong beat to a weak one, without a rest; a bass may change the chord above it."""
    score = tune(text, "C major")
    last = plan_around(score, {voice: score.parts[0].notes}, name="x").slots[-1]
    assert (last.onset, last.duration) == (onset, lasts)


def test_no_plagal_close_is_offered_in_a_new_key() -> None:
    """The second line of the Ode to Joy may close in A, but not with IV and I, which are I and V of D."""
    line = "F#4:1 F#4:1 G4:1 A4:1 A4:1 G4:1 F#4:1 E4:1! D4:1 D4:1 E4:1 F#4:1 "
    made = plan(tune(f"{line} F#4:3/2 E4:1/2 E4:2! {line} E4:3/2 D4:1/2 D4:2!", "D major"))
    away = [phrase for phrase in made.phrases if phrase.key != made.home]
    assert [phrase.key.name for phrase in away] == ["A major"]
    before, last = (
        {each.chord.symbol for each in made.slots[place].harmonies}
        for place in (away[0].last - 1, away[0].last)
    )
    assert "I" in last
    assert "V" in before
    assert "IV" not in before


def test_a_harmonisation_is_called_as_its_tune() -> None:
    """The title stays; what has none is called after the task and the key."""
    score = tune("E5:1 D5:1 C5:1 B4:1 C5:4", "C major")
    assert harmonise(score, QUICK)[0].score.title == "Tune"
    assert harmonise(replace(score, title=""), QUICK)[0].score.title == "Harmonisation in C major"


def test_fit_is_a_share() -> None:
    """All, none, and no notes at all."""
    c, f_sharp = Pitch.parse("C4").pitch_class, Pitch.parse("F#4").pitch_class
    key = Key.parse("C major")
    assert [fit(key, [c]), fit(key, [f_sharp]), fit(key, [c, f_sharp]), fit(key, [])] == [
        1,
        0,
        0.5,
        0,
    ]


def test_inner_voices_say_nothing_of_the_end() -> None:
    """Of a given alto only its notes count, and what the score states."""
    notes = line("E4:1 F#4:1 G4:1 E4:1")
    assert home_key({1: notes}, Key.parse("G major"), closes=lambda _: True) == Key.parse("G major")


# --- the end of a piece ---------------------------------------------------------------------


def beats(names: str, key: str) -> Score:
    """A tune of quarter notes."""
    return tune(" ".join(f"{name}:1" for name in names.split()) + "!", key)


@pytest.mark.parametrize(
    ("names", "key", "style", "words"),
    [
        ("C5 D5 E5 D5 B4", "C major", "bach", "bar 2, beat 1: the soprano ends on B4"),
        ("C5 D5 E5 D5 B4", "C major", "bach", "a piece in C major closes in this style with C, E"),
        ("C5 D5 E5 D5 E5", "C major", "strict", "closes in this style with C there"),
        ("A4 B4 C5 A4 D5", "A minor", "bach", "with A, C, E, G#, B or C# there"),
    ],
)
def test_a_last_note_that_closes_nothing_is_refused_at_once(
    names: str, key: str, style: str, words: str
) -> None:
    """Before any search: the note, the key, and what may stand there."""
    score = beats(names, key)
    with pytest.raises(ScoreError, match=words) as refused:
        plan(score, home=score.key, style=load_style(style))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "key", "style"),
    [
        ("C5 D5 E5 F5 E5 G5 E5 G5", "C major", "bach"),  # no everyday cadence holds E G
        ("C5 D5 E5 F5 E5 D5 B4 C5", "C major", "strict"),
        ("A4 B4 C5 D5 C5 A4 B4 E5", "A minor", "bach"),  # on the dominant
    ],
)
def test_a_last_cadence_is_one_that_the_style_allows(names: str, key: str, style: str) -> None:
    """The first solution of the search has it: no surface is refused for it."""
    score = beats(names, key)
    options = Options(models=(), temperature=0.0, style=style)
    (made,) = harmonise(score, options, key=score.key)
    assert not made.report.count("E")
    assert made.redraws == 0
    assert made.score.cadences[-1].kind in (final_cadences(load_style(style), score.key.mode) or ())


def test_kinds_of_last_cadences_are_those_of_the_rule() -> None:
    """Bach's pieces end on a half cadence in minor alone, strict ones with a perfect cadence."""
    bach, strict = load_style("bach"), load_style("strict")
    assert "cad-hc" in (final_cadences(bach, "minor") or ())
    assert "cad-hc" not in (final_cadences(bach, "major") or ())
    assert final_cadences(strict, "major") == frozenset({"cad-pac"})
    lenient = replace(bach, severities={**bach.severities, "cadence-final": "W"})
    assert final_cadences(lenient, "major") is None


def test_a_bass_alone_ends_a_strict_piece_under_the_tonic() -> None:
    """Where the soprano is free it is put on the tonic."""
    bass = beats("C3 F3 G3 C3", "C major")
    lines = {3: bass.parts[0].notes}
    made = plan_around(bass, lines, name="x", home=bass.key, style=load_style("strict"))
    assert made.slots[-1].soprano == (1,)
    assert {each.chord.symbol for each in made.slots[-1].harmonies} == {"I"}
