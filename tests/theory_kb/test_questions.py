"""The competency questions of the knowledge base, each to the value that the books or the counts give."""

from collections.abc import Mapping
from typing import Any

import pytest

from theory_kb.answers import Answer, QuestionError, as_json, render
from theory_kb.chords import every_chord
from theory_kb.errors import MusegenError, UnknownNameError
from theory_kb.questions import QUESTIONS, ArgumentError, ask, question
from theory_kb.questions_score import _trials
from theory_kb.rules.examples import read_piece
from theory_kb.rules.piece import Piece
from theory_kb.schema import TRIALS


def asked(name: str, *arguments: Any) -> Answer:
    """The answer to a question with its arguments in order."""
    names = [argument.name for argument in question(name).arguments]
    return ask(name, dict(zip(names, arguments, strict=False)))


def column(found: Answer, name: str) -> list[Any]:
    """One column of an answer."""
    return [row[name] for row in found.values]


def row(found: Answer, name: str, value: Any) -> Mapping[str, Any]:
    """The first row with a value."""
    return next(each for each in found.values if each[name] == value)


def pivots_of(each: Mapping[str, Any]) -> tuple[str, ...]:
    """The pivots of a row."""
    found: tuple[str, ...] = each["pivots"]
    return found


# --- 1 to 12: chords, keys, cadences --------------------------------------------------------


def test_a_diminished_chord_is_no_local_tonic() -> None:
    """V65/ii does not exist in D minor; V65/iv and V65/III are offered. In D major it goes to ii."""
    none = asked("chords-after", "V65/ii", "D minor")
    assert none.values == ()
    assert "diminished" in none.text
    assert all(offer in none.text for offer in ("V65/iv", "V65/III"))
    found = asked("chords-after", "V65/ii", "D major")
    assert column(found, "chord")[0] == "ii"
    assert "D# to E" in str(found.values[0]["moves"])
    assert "A to G" in str(found.values[0]["moves"])


def test_from_c_to_e_flat_two_steps_by_diatonic_pivots() -> None:
    """No triad in common; through F or B flat it takes two steps; with mixture C minor is one step."""
    found = asked("modulation-path", "C major", "Eb major")
    assert "2 steps" in found.text
    assert "no triads" in found.text
    rows = {str(each["path"]): " ".join(map(str, pivots_of(each))) for each in found.values}
    for key, into, out in (("F", {"C", "Dm", "F", "Am"}, {"Gm", "Bb"}), ("Bb", {"Dm", "F"}, None)):
        text = rows[f"C major > {key} major > Eb major"]
        first, second = (set(part.split(" into ")[0].split(", ")) for part in text.split("; "))
        assert first == into
        assert second == (out or {"Bb", "Cm", "Eb", "Gm"})
    borrowed = next(each for each in found.values if each["path"] == "C major > Eb major")
    assert borrowed["pivots"] == ("Cm = i of C minor = vi of Eb major",)


def test_a_key_is_no_step_from_itself() -> None:
    """From C to C there is nothing to do."""
    assert "0 steps" in asked("modulation-path", "C", "C").text


PARALLEL = (
    "key: C major | chords: I ii I | S: C5 D5 C5 | A: G4 A4 G4 | T: E4 F4 E4 | B: C3 D3 C3 "
    "| marks: o . ef"
)


def test_a_wrong_note_is_told_with_rule_notes_and_repairs() -> None:
    """Octaves between soprano and bass: the rule, the voices, two repairs."""
    piece = read_piece("key: C major | chords: I ii | S: C5 D5 | A: G4 A4 | T: E4 F4 | B: C3 D3")
    found = asked("why-wrong", piece, 1, 2, "S", "strict")
    rows = [each for each in found.values if each["rule"] == "parallel-octave"]
    assert any("C5-D5 over C3-D3" in str(each["text"]) for each in rows)
    assert sum(each["what"] == "repair" for each in rows) == 2
    assert any(each["what"] == "exception" for each in rows)
    assert found.evidence


def test_a_right_note_is_not_called_wrong() -> None:
    """A note that breaks nothing is said to be right."""
    piece = read_piece("key: C major | chords: I V | S: C5 B4 | A: G4 G4 | T: E4 D4 | B: C3 G3")
    assert "nothing is wrong" in asked("why-wrong", piece, 1, 1, "A", "pop").text


RECORD = {
    "notes": [
        {
            "id": "p0n0",
            "part": "Soprano",
            "bar": 1,
            "beat": 1.0,
            "pitch": "C5",
            "role": "root of I",
            "reasons": [{"text": "root of I in C major", "source": "KP 7"}],
            "rules": ["parallel-fifth"],
            "alternatives": [
                {"pitch": name, "rejected_by": "rule", "rule": "x", "text": "t", "score": -1.0}
                for name in ("B4", "D5", "E5")
            ],
            "models": {"hmm": -1.5},
        }
    ]
}


def test_a_choice_is_told_with_duties_and_two_alternatives() -> None:
    """Reasons, the rules that turned others away, the best two alternatives with their costs."""
    found = asked("why-chosen", RECORD, "p0n0")
    what = column(found, "what")
    assert what.count("not chosen") == 2
    assert {"reason", "kept", "model"} <= set(what)
    with pytest.raises(UnknownNameError, match="p0n0"):
        asked("why-chosen", RECORD, "p9n9")
    with pytest.raises(QuestionError, match="notes"):
        asked("why-chosen", {}, "p0n0")


def test_german_sixth_of_f_sharp_minor() -> None:
    """D F# A B#: D and B# go to C#, F# to E# or stays, A to G# or stays."""
    found = asked("spell", "Ger6", "F# minor")
    assert column(found, "note") == ["D", "F#", "A", "B#"]
    assert column(found, "to V") == ["C#", "E#", "G#", "C#"]
    assert column(found, "to cad64") == ["C#", "F# (stays)", "A (stays)", "C#"]


def test_tendency_tones_of_a_dominant() -> None:
    """V43 of B flat minor: A rises, E flat falls."""
    found = asked("tendency-tones", "V43", "Bb minor")
    assert {str(each["note"]): str(each["goes to"]) for each in found.values} == {
        "A": "Bb",
        "Eb": "Db",
    }


def test_chords_with_a_tritone() -> None:
    """F and B: V7 and viio of C, where F falls to E and B rises to C; French sixths of others."""
    found = asked("chords-with", "F B")
    of_c = {str(each["chord"]): each for each in found.values if each["key"] == "C major"}
    assert {"V7", "viio", "viiø7"} <= set(of_c)
    assert of_c["V7"]["moves"] == "F to E; B to C"
    assert ("F major", "Fr7") in {(each["key"], each["chord"]) for each in found.values}


def test_keys_of_a_triad() -> None:
    """F-A-C is I of F, IV of C, V of B flat, III of d, VI of a, VII of g, V of b flat."""
    found = asked("keys-of-chord", "F-A-C")
    assert {(each["key"], each["numeral"]) for each in found.values} == {
        ("F major", "I"),
        ("C major", "IV"),
        ("Bb major", "V"),
        ("D minor", "III"),
        ("A minor", "VI"),
        ("G minor", "VII"),
        ("Bb minor", "V"),
    }


def test_pivots_by_smoothness() -> None:
    """From A minor to G major: Am i=ii, C III=IV, G VII=I, Em v=vi; predominants of G first."""
    found = asked("pivots", "A minor", "G major")
    pairs = [(each["chord"], each["in A minor"], each["in G major"]) for each in found.values]
    assert set(pairs) == {
        ("Am", "i", "ii"),
        ("Em", "v", "vi"),
        ("C", "III", "IV"),
        ("G", "VII", "I"),
    }
    assert [str(each["functions"])[-1] for each in found.values] == ["S", "S", "T", "T"]


def test_a_seventh_may_rise_in_one_place() -> None:
    """In I-V43-I6, twenty-six times in Bach."""
    found = asked("may-seventh-rise")
    assert "I-V43-I6" in found.text
    assert row(found, "exception", "rising-seventh")["count in Bach"] == 26


def test_doublings_of_a_leading_tone_triad() -> None:
    """The third first, the fifth second, never the root: 83, 16, 1 per cent in Bach."""
    found = asked("doublings", "viio6")
    assert column(found, "member") == ["third", "fifth", "root"]
    assert [round(share) for share in column(found, "per cent in Bach")] == [83, 16, 1]
    assert column(found, "allowed") == [True, True, False]
    with pytest.raises(QuestionError, match="counted"):
        asked("doublings", "V7")


@pytest.mark.parametrize(
    ("unit", "kinds"),
    [
        ("consequent", {"cad-pac"}),
        ("antecedent", {"cad-hc", "cad-iac-soprano", "cad-phrygian"}),
        ("presentation", set()),
        ("chorale/phrase-8", {"cad-pac", "cad-picardy"}),
    ],
)
def test_cadences_of_units(unit: str, kinds: set[str]) -> None:
    """A consequent closes perfectly, an antecedent weakly, a presentation not at all."""
    assert set(column(asked("cadences-for", unit), "cadence")) == kinds


# --- 13 to 19: cadences of a piece, soprano, schemata, themes --------------------------------

IMPERFECT = (
    "key: C major | chords: ii6 V7 I | S: F5 D5 E5 | A: A4 B4 C5 | T: D4 F4 G4 | B: F3 G3 C3 "
    "| marks: o . ef"
)


def test_what_a_perfect_cadence_lacks() -> None:
    """With 3 in the soprano one clause fails, that of the soprano."""
    found = asked("cadence-why", read_piece(IMPERFECT))
    assert "cad-iac-soprano" in found.text
    failed = [str(each["clause"]) for each in found.values if not each["met"]]
    assert failed == ["soprano on 1 (it has 3)"]
    with pytest.raises(QuestionError, match="phrase"):
        asked("cadence-why", read_piece(IMPERFECT), "7")


def six_four(chords: str, strengths: str, *parts: str) -> Piece:
    """A piece of three chords with a six-four in the middle."""
    lines = " | ".join(f"{name}: {part}" for name, part in zip("SATB", parts, strict=True))
    return read_piece(f"key: C major | chords: {chords} | {lines} | strength: {strengths}")


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        (
            six_four("ii6 cad64 V", "2 4 2", "D5 C5 B4", "A4 G4 G4", "D4 E4 D4", "F3 G3 G3"),
            "cadential",
        ),
        (
            six_four("I V64 I6", "4 2 3", "E5 D5 C5", "G4 G4 G4", "C4 B3 C4", "C3 D3 E3"),
            "passing",
        ),
        (six_four("I IV64 I", "4 2 3", "E5 F5 E5", "G4 A4 G4", "C4 C4 C4", "C3 C3 C3"), "pedal"),
        (
            six_four("I I64 I", "4 2 3", "E5 E5 E5", "G4 C5 G4", "C4 C4 C4", "C3 G2 C3"),
            "arpeggiated",
        ),
    ],
)
def test_each_type_of_six_four_is_told(piece: Piece, kind: str) -> None:
    """Each of the four types fits its own example, and no other fits it."""
    found = asked("six-four", piece, 1, 2)
    assert [str(each["type"]) for each in found.values if each["fits"]] == [kind]


def test_a_six_four_of_no_type_lacks_something_of_each() -> None:
    """Leapt to and left by leap on an accent: each type names what it lacks."""
    piece = six_four("V I64 vi", "2 4 2", "D5 E5 E5", "B4 C5 C5", "G4 C4 A3", "G3 G2 A2")
    found = asked("six-four", piece, 1, 2)
    assert "not legal" in found.text
    assert all(each["lacks"] for each in found.values)
    with pytest.raises(QuestionError, match="no six-four"):
        asked("six-four", piece, 1, 1)


def test_basses_under_a_falling_fourth_degree() -> None:
    """4-3 takes V7-I, viio6-I, V65-I; over V42-I6 it would double the seventh in the bass."""
    found = asked("bass-for-soprano", "4 3")
    good = {str(each["chords"]) for each in found.values if not each["fault"]}
    assert {"V7-I", "viio6-I", "V65-I", "V43-I"} <= good
    assert "doubles" in str(row(found, "chords", "V42-I6")["fault"])


@pytest.mark.parametrize(
    ("soprano", "mode"), [("3 2 1", "major"), ("3 2 1", "minor"), ("5 4 3", "major")]
)
def test_harmonisations_hold_their_soprano(soprano: str, mode: str) -> None:
    """Three harmonisations with bass and figures; each chord holds its soprano degree."""
    found = asked("harmonise", soprano, mode)
    assert len(found.values) == 3
    chords = {each.symbol: each for each in every_chord() if each.mode == mode}
    places = {"1": 0, "2": 2, "3": 4 if mode == "major" else -3, "4": -1, "5": 1}
    for each in found.values:
        symbols = each["chords"]
        assert isinstance(symbols, tuple)
        for symbol, degree in zip(symbols, soprano.split(), strict=True):
            assert places[degree] in chords[str(symbol)].members


def test_schemata_from_one_over_one_to_three() -> None:
    """Do-re-mi, Meyer and Jupiter."""
    assert set(column(asked("schemata", "1", "1", "3"), "schema")) == {
        "do-re-mi",
        "meyer",
        "jupiter",
    }


@pytest.mark.parametrize(
    ("subject", "key", "answer"),
    [
        ("D4 A4 F4 D4 C#4 D4 E4 F4", "D minor", "A4 D5 C5 A4 G#4 A4 B4 C5"),  # The Art of Fugue
        ("G4 C4 D4 E4", "C major", "C5 G4 A4 B4"),
        ("C4 E4 D4 F4", "C major", "G4 B4 A4 C5"),
        ("G4 G4 C5", "C major", "C5 C5 G5"),
    ],
)
def test_tonal_answers(subject: str, key: str, answer: str) -> None:
    """5 in the head is answered by 1 and 1 by 5; all else moves up a fifth."""
    assert " ".join(column(asked("tonal-answer", subject, key), "answer")) == answer


def test_a_subject_that_modulates_is_answered_by_a_return() -> None:
    """What stands in the dominant at the end moves up a fourth: 7, its third, is answered by 3."""
    found = asked("tonal-answer", "C4 D4 E4 F4 E4 D4 F#4 G4 B4", "C major")
    assert column(found, "answer")[-3:] == ["B4", "C5", "E5"]


ROUND = "C4:1 D4:1 E4:1 C4:1 C4:1 D4:1 E4:1 C4:1 E4:1 F4:1 G4:2 E4:1 F4:1 G4:2"


def test_a_round_is_a_canon_at_the_unison() -> None:
    """Frere Jacques goes with itself at the unison eight quarters later; a scale does not after one."""
    found = asked("canons", ROUND, "C major", "8")
    assert ("1", 8.0) in {(each["interval"], each["delay in quarters"]) for each in found.values}
    scale = asked("canons", "C4:1 D4:1 E4:1 F4:1 G4:1", "C major", "1")
    assert "1" not in column(scale, "interval")


# --- 20 to 33 -------------------------------------------------------------------------------


def test_styles_differ_on_passing_dissonance() -> None:
    """What strict calls an error of dissonance is a warning in bach."""
    found = asked("style-differences", "strict", "bach", "passing")
    assert row(found, "rule", "nct-unclassified")["first"] == "E"
    assert row(found, "rule", "nct-unclassified")["second"] == "W"
    assert asked("style-differences", "bach", "bach").values == ()


def test_appoggiatura_and_escape_tone_are_mirror_images() -> None:
    """One is reached by leap and left by step, the other the opposite."""
    found = asked("compare-tones", "appoggiatura", "escape")
    approach, departure = (row(found, "what", name) for name in ("approach", "departure"))
    assert (approach["appoggiatura"], departure["appoggiatura"]) == ("leap", "step")
    assert (approach["escape tone"], departure["escape tone"]) == ("step", "leap")


def test_forms_of_thirty_two_bars_with_a_middle_on_the_dominant() -> None:
    """Two repeats: rounded binary, then small ternary; the bars add up."""
    found = asked("forms-for", "32", "major", "2", "V")
    assert column(found, "form") == ["rounded-binary", "small-ternary"]
    assert "a-return" in str(found.values[0]["sections"])
    assert "sentence" in column(asked("forms-for", "8"), "form")


def test_key_plan_of_a_minor_sonata_exposition() -> None:
    """From i to III, or to v."""
    found = asked("key-plan", "sonata-minor", "exposition")
    assert column(found, "key") == ["i", "i to III (v)", "III (v)", "III"]


def test_tempo_and_loudness_raise_arousal_alone() -> None:
    """The two features with the strongest evidence."""
    found = asked("features-for", "+", "0")
    assert column(found, "feature")[:2] == ["tempo", "loudness"]
    assert {"HT", "SC"} <= set(found.sources)


def test_parameters_of_a_tender_piece_in_six_eight() -> None:
    """Major, 60 to 84 a minute, a form that knows six-eight; each value names its fact."""
    found = asked("parameters-for", "tenderness", "6/8", "16")
    values = {str(each["parameter"]): each for each in reversed(found.values)}
    assert values["mode"]["value"] == "major"
    assert str(values["form"]["value"]).startswith("lullaby")
    assert all(each["from"] for each in found.values)


def test_rules_that_bach_never_breaks() -> None:
    """No parallel unisons, and no diminished fifth going to a perfect one with the bass."""
    found = asked("unfired-rules")
    never = [str(each["rule"]) for each in found.values if each["count"] == 0]
    assert never == ["parallel-unison", "unequal-fifth-bass"]


def test_an_exercise_without_sevenths_does_not_exercise_them() -> None:
    """A piece of two triads that ends on V breaks the last cadence, and holds no chordal seventh."""
    piece = read_piece("key: C major | chords: I V | S: C5 B4 | A: G4 G4 | T: E4 D4 | B: C3 G3")
    missing = set(column(asked("unexercised", piece, "strict"), "rule"))
    assert "seventh-resolves-down" in missing
    assert "cadence-final" not in missing


HELD = "key: C major | chords: IV V _ I | S: C5 _ B4 C5 | A: A4 G4 _ G4 | T: F4 D4 _ E4 | B: F3 G3 _ C3"


def test_a_suspension_is_prepared_by_the_note_it_is_held_from() -> None:
    """C5 over F3, a perfect twelfth, prepares the fourth over G3."""
    found = asked("prepared", read_piece(HELD), 1, 2, "S")
    assert "is prepared" in found.text
    assert found.values[0]["note"] == "C5"
    assert found.values[0]["interval"] == "P12"
    assert found.values[0]["consonance"] == "perfect"
    with pytest.raises(QuestionError, match="no dissonance"):
        asked("prepared", read_piece(HELD), 1, 1, "S")


def test_chord_symbols_outside_a_key_are_explained() -> None:
    """Fm is borrowed, Db7 a tritone substitute, E7 the dominant of A, C#o7 leads to Dm."""
    found = asked("outside-key", "C Fm Db7 C E7 Am C#dim7 Dm G7 C", "C major")
    said = {str(each["symbol"]): str(each["explanation"]) for each in found.values}
    assert set(said) == {"Fm", "Db7", "E7", "C#dim7"}
    assert "mixture" in said["Fm"]
    assert "tritone substitute" in said["Db7"]
    assert said["E7"] == "applied dominant of A"
    assert "leading-tone" in said["C#dim7"]


def test_sources_of_a_rule_may_disagree() -> None:
    """Dahn relaxes what Kostka and Payne forbid."""
    found = asked("rule-sources", "parallel-fifth")
    assert row(found, "source", "DA")["stance"] == "relaxes"
    assert row(found, "source", "KP 5")["stance"] == "agrees"


def test_enharmonic_ways_into_a_key() -> None:
    """The viio7 of C is that of E flat; the German sixth of E is the V7 of F."""
    found = asked("enharmonic", "Eb major", "C major")
    assert [(each["chord"], each["heard as"]) for each in found.values] == [
        ("viio7", "viio7 of Eb major")
    ]
    german = asked("enharmonic", "E minor", "F major")
    assert ("V7", "Ger65 of E minor") in {
        (each["chord"], each["heard as"]) for each in german.values
    }


HALF = (
    "key: C major | chords: I IV V | S: E5 F5 D5 | A: G4 A4 B4 | T: C4 C4 G4 | B: C3 F3 G3 "
    "| marks: o . ef"
)


def test_a_half_cadence_becomes_perfect_by_one_chord() -> None:
    """I in root position with 1 in the soprano is added; no note changes."""
    found = asked("complete-close", read_piece(HALF))
    assert found.values[0]["notes changed"] == 0
    notes = found.values[0]["notes"]
    assert isinstance(notes, tuple)
    assert str(notes[0]).startswith("C")
    assert str(notes[-1]).startswith("C")
    with pytest.raises(QuestionError, match="half cadence"):
        asked("complete-close", read_piece(IMPERFECT))


def test_parallels_lie_far_from_bach() -> None:
    """One parallel octave in two moves is far from Bach's two in sixty thousand."""
    found = asked("norms", read_piece(PARALLEL))
    assert float(str(row(found, "rule", "parallel-octave")["z"])) > 2
    assert abs(float(str(row(found, "rule", "range-core")["z"]))) < 2


def test_all_that_norms_are_counted_by_is_counted() -> None:
    """Whatever a norm is counted by can be counted in a piece."""
    assert set(_trials(read_piece(PARALLEL))) == set(TRIALS)


# --- of all questions -----------------------------------------------------------------------


def test_there_are_thirty_three_questions() -> None:
    """Each with a name of its own and a function that exists."""
    assert len(QUESTIONS) == 33
    assert len({each.name for each in QUESTIONS}) == 33
    assert len({(each.module, each.function) for each in QUESTIONS}) == 33


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("spell", ("Ger9", "C minor"), "Ger"),
        ("spell", ("Ger6", "H minor"), "H minor"),
        ("keys-of-chord", ("F-X-C",), "X"),
        ("keys-of-chord", ("F F",), "differ"),
        ("cadences-for", ("consequnt",), "consequent"),
        ("forms-for", ("many",), "whole number"),
        ("forms-for", ("0",), "1 to 1000"),
        ("features-for", ("up",), "direction"),
        ("parameters-for", ("tendr",), "tender"),
        ("parameters-for", ("tender", "6/7"), "6/7"),
        ("compare-tones", ("apogiatura", "escape"), "appoggiatura"),
        ("rule-sources", ("parallel-fith",), "parallel-fifth"),
        ("key-plan", ("sonata",), "sonata"),
        ("key-plan", ("sentence", "exposition"), "exposition"),
        ("harmonise", ("3 2 9",), "degree"),
        ("harmonise", ("3",), "two soprano degrees"),
        ("bass-for-soprano", ("4 3", "dorian"), "dorian"),
        ("schemata", ("8",), "degree"),
        ("tonal-answer", ("D4", "D minor"), "2 to"),
        ("canons", ("C4:x D4:1",), "quarter"),
        ("style-differences", ("strict", "baroque"), "bach"),
        ("outside-key", ("Cfoo", "C major"), "foo"),
        ("enharmonic", ("Eb major", "J"), "J"),
        ("chords-after", (), "missing"),
    ],
)
def test_bad_arguments_are_named(name: str, arguments: tuple[str, ...], error: str) -> None:
    """Each refusal names what came or what is allowed."""
    with pytest.raises(MusegenError, match=error):
        asked(name, *arguments)


def test_strange_questions_and_arguments_are_refused() -> None:
    """An unknown question or argument is named, with the nearest that exists."""
    with pytest.raises(UnknownNameError, match="spell"):
        ask("spel", {})
    with pytest.raises(UnknownNameError, match="symbol"):
        ask("spell", {"symbl": "V"})
    with pytest.raises(ArgumentError, match="key"):
        ask("spell", {"symbol": "V"})


def test_answers_print_and_are_json() -> None:
    """A printed answer holds its sentence, its rows and its sources; JSON holds all evidence."""
    found = asked("keys-of-chord", "F-A-C")
    text = render(found)
    assert text.startswith(found.text)
    assert "Bb minor" in text
    assert "sources: " in text
    assert len(as_json(found)["evidence"]) == len(found.evidence)
