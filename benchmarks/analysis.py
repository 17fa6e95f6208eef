"""Keys and numerals against people, none of whose analyses was seen in training of what is judged.

The analyses are those that music21 carries: twenty chorales, and the madrigals whose bars agree
with their scores. Shares are of the time that the analyses cover. Beside us stands music21's own
`roman.romanNumeralFromChord`, which is given the true key and the notes of each chord that the
person heard, so that it need not find either.

    python benchmarks/analysis.py --folds 20        leave one out
    python benchmarks/analysis.py --madrigals       another style, with the shipped weights

With `--differences` each place where we and a person differ is listed too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corpora.analyses import AnalysedPiece, analysed_pieces, second_readings
from corpora.analysis_training import (
    TEMPERATURES,
    Schedule,
    example,
    learn,
    surprise,
    unlabelled_pieces,
)
from musegen.analysis.analyse import hear
from musegen.analysis.comparison import (
    COLUMNS,
    DEPTHS,
    CadencePair,
    Difference,
    HumanLabel,
    Promise,
    Ranks,
    Said,
    Tally,
    cadence_pairs,
    compare,
    f1,
    of_human,
)
from musegen.analysis.figures import chord_of_figure, read_figure
from musegen.analysis.harmony import Decoded, decode, shipped
from musegen.analysis.parameters import Parameters
from musegen.analysis.places import place_text
from musegen.score import ChordLabel
from theory_kb.chords import every_chord
from theory_kb.pitch import Key

# --- music21 --------------------------------------------------------------------------------


def music21_labels(piece: AnalysedPiece) -> list[tuple[HumanLabel, Said | None]]:
    """What music21 calls the notes of each chord of a person, told the key."""
    from music21 import chord as m21chord
    from music21 import key as m21key
    from music21 import roman

    found: list[tuple[HumanLabel, Said | None]] = []
    for label in piece.labels:
        pitches = [
            note.pitch
            for part in piece.score.parts
            for note in part.notes
            if note.onset <= label.onset < note.end
        ]
        if not pitches:
            found.append((label, None))
            continue
        tonic = label.key.tonic.name.replace("b", "-")
        named = m21key.Key(tonic if label.key.mode == "major" else tonic.lower(), label.key.mode)
        names = [each.name.replace("b", "-") for each in pitches]
        numeral = roman.romanNumeralFromChord(m21chord.Chord(names), named)
        figure = read_figure(numeral.figure)
        root = numeral.root()
        fifths = None
        if root is not None:
            from theory_kb.pitch import PitchClass

            fifths = PitchClass.parse(root.name.replace("-", "b")).fifths
        said = Said(
            label.key.name,
            fifths,
            figure.numeral if figure else numeral.figure,
            figure.inversion if figure else numeral.inversion(),
        )
        found.append((label, said))
    return found


# --- the run --------------------------------------------------------------------------------


@dataclass(slots=True)
class Results:
    """What is counted over all pieces."""

    ours: Tally = field(default_factory=Tally)
    start: Tally = field(default_factory=Tally)
    peer: Tally = field(default_factory=Tally)
    cadences: list[CadencePair] = field(default_factory=list)
    people: Tally = field(default_factory=Tally)  # the second reading of a bar beside the first
    first: Tally = field(default_factory=Tally)  # ours beside the first, of those bars
    second: Tally = field(default_factory=Tally)  # ours beside the second
    places: list[str] = field(default_factory=list)  # of differences, in words
    surprise: dict[float, float] = field(default_factory=dict)  # nats by temperature


def judge(pieces: Sequence[AnalysedPiece], folds: int, schedule: Schedule, seed: int) -> Results:
    """Each piece with what was learned from the pieces of the other folds."""
    made = [example(piece) for piece in pieces]
    results = Results()
    unlabelled = unlabelled_pieces()
    for fold in range(min(folds, len(pieces))):
        known = learn(
            [each for place, each in enumerate(made) if place % folds != fold],
            schedule=schedule,
            unlabelled=unlabelled,
            rng=np.random.default_rng(seed),
        )
        known = replace(known, temperature=shipped().temperature)
        for piece, left_out in zip(pieces[fold::folds], made[fold::folds], strict=True):
            add(results, piece, known)
            for temperature in TEMPERATURES:
                told = surprise(left_out, known, temperature)
                results.surprise[temperature] = results.surprise.get(temperature, 0.0) + told
    return results


def add(results: Results, piece: AnalysedPiece, known: Parameters) -> None:
    """Count a piece under parameters that have not seen it."""
    heard = hear(piece.score, parameters=known)
    said = _labels(heard.found)
    ranks = Ranks(heard.found, heard.chances)
    alone = Tally()
    compare(piece.labels, said, alone, ranks=ranks)
    print(row(f"  {piece.name}", alone), flush=True)
    results.places += [difference_text(piece, each) for each in alone.differences]
    compare(piece.labels, said, results.ours, ranks=ranks)
    start = decode(heard.score, parameters=Parameters.start())
    compare(piece.labels, _labels(start), results.start)
    results.cadences += cadence_pairs(piece.score, piece.labels, said)
    for label, told in music21_labels(piece):
        if told is not None:
            results.peer.add(of_human(label), told, float(label.duration), None)
    add_people(results, piece, said)


def add_people(results: Results, piece: AnalysedPiece, said: Sequence[ChordLabel]) -> None:
    """Count the bars of which the analysts wrote a second reading: theirs, and ours beside both."""
    second = second_readings(piece)
    if not second:
        return
    bars = {piece.score.bar_and_beat(each.onset)[0] for each in second}
    first = [each for each in piece.labels if piece.score.bar_and_beat(each.onset)[0] in bars]
    theirs = [
        ChordLabel(each.onset, each.duration, each.key, every_chord()[each.chord].symbol)
        for each in first
        if each.chord is not None
    ]
    compare(second, theirs, results.people)
    compare(first, said, results.first)
    compare(second, said, results.second)


def difference_text(piece: AnalysedPiece, each: Difference) -> str:
    """A difference with its piece and place; rank - where theirs is none that is weighed."""
    theirs, ours = (f"{key}: {figure}" for key, figure in (each.theirs, each.ours))
    where = f"{piece.name}, {place_text(piece.score, each.onset)}"
    length = float(each.duration)
    return f"{where:42s} {theirs:20s} {ours:20s} {length:5.2f} {each.rank or '-':>4}"


def _labels(found: Decoded) -> tuple[ChordLabel, ...]:
    return tuple(found.label(segment) for segment in found.path)


# --- what is printed ------------------------------------------------------------------------


def row(name: str, tally: Tally) -> str:
    """The shares in per cent."""
    shares = [f"{100 * tally.share(column):17.1f}" for column in COLUMNS]
    return f"{name:34s}" + "".join(shares)


def head() -> str:
    """Names of the columns."""
    return f"\n{'per cent of the time':34s}" + "".join(f"{name:>17s}" for name in COLUMNS)


def report(results: Results, learned: str) -> None:
    """Print all tables."""
    print(head())
    print(row(f"musegen, {learned}", results.ours))
    print(row("musegen, textbook weights", results.start))
    print(row("music21, key and chords given", results.peer))
    kinds, keys = f1(results.cadences), f1(results.cadences, in_key=True)
    print(f"cadence kinds at phrase ends, F1: {kinds:.3f}; with key {keys:.3f}")
    print_cadences(results.cadences)
    print_ranks(results.ours)
    print_classes(results.ours)
    print_reliability(results.ours.promises)
    for temperature, nats in results.surprise.items():
        beats = results.ours.beats
        print(
            f"temperature {temperature:4.2f}: the person's reading costs {nats / beats:.3f} nats a quarter"
        )
    print(f"\nbars that the analysts read in two ways: {results.people.beats:g} quarter notes")
    print(head())
    print(row("their second reading, their first", results.people))
    print(row("musegen, their first", results.first))
    print(row("musegen, their second", results.second))


def print_cadences(pairs: Sequence[CadencePair]) -> None:
    """Precision and recall of each kind."""
    print("\ncadence               true  said  both")
    kinds = sorted({kind for each in pairs for kind in (each.theirs, each.ours) if kind})
    for kind in kinds:
        true = sum(each.theirs == kind for each in pairs)
        said = sum(each.ours == kind for each in pairs)
        both = sum(each.theirs == each.ours == kind for each in pairs)
        print(f"{kind:20s} {true:5d} {said:5d} {both:5d}")


def print_ranks(tally: Tally) -> None:
    """How often the person's reading is among our best; and of the time on which ours is another."""
    print("\nthe person's reading, inversion and key included, is among our")
    for depth in (1, *DEPTHS):
        near, missed = tally.near(depth), tally.near(depth, missed=True)
        print(
            f"{depth:4d} best: {100 * near:5.1f} % of the time; {100 * missed:5.1f} % of the errors"
        )
    print(f"no reading that is weighed: {100 * tally.within.get(0, 0.0) / tally.beats:5.1f} %")


def print_classes(tally: Tally) -> None:
    """The numerals that take most time, and what is taken for what."""
    print("\nnumeral                  beats   right %")
    for name, (beats, right) in sorted(tally.classes.items(), key=lambda each: -each[1][0])[:25]:
        print(f"{name:20s} {beats:9.1f} {100 * right / beats:9.1f}")
    print("\nmost frequent confusions (person, musegen; quarter notes)")
    for (truth, said), beats in sorted(tally.confused.items(), key=lambda each: -each[1])[:10]:
        print(f"  {truth:34s} {said:34s} {beats:6.1f}")
    print("\nkinds of confusion, whatever the key (quarter notes)")
    for name, beats in sorted(kinds_of_error(tally).items(), key=lambda each: -each[1]):
        print(f"  {name:40s} {beats:6.1f}")


def kinds_of_error(tally: Tally) -> dict[str, float]:
    """Time of errors by what the two chords have in common."""
    found: dict[str, float] = {}
    for each in tally.differences:
        key = "the key heard" if each.theirs[0] == each.ours[0] else "another key"
        name = f"{key}, {in_common(each.theirs, each.ours)}"
        found[name] = found.get(name, 0.0) + float(each.duration)
    return found


def in_common(theirs: tuple[Key, str], ours: tuple[Key, str]) -> str:
    """What two chords share: all, tones, root, two tones, less."""
    one, other = (chord_of_figure(key.mode, figure) for key, figure in (theirs, ours))
    if one is None or other is None:
        return "a chord that is not known"
    tonics = theirs[0].tonic.fifths, ours[0].tonic.fifths
    tones = [
        {tonic + member for member in chord.members}
        for tonic, chord in zip(tonics, (one, other), strict=True)
    ]
    if tones[0] == tones[1]:
        return "the same sound" if one.inversion == other.inversion else "another inversion"
    if tonics[0] + one.root == tonics[1] + other.root:
        return "another chord on the same root"
    return "two tones in common" if len(tones[0] & tones[1]) > 1 else "less in common"


BINS = 10  # classes of probability, of equal width


def print_reliability(promises: Sequence[Promise]) -> None:
    """How often the person agrees with what is said to be so likely; of the chord and of the key."""
    print("\nprobability of the chord        its key")
    print("   said    kept   time %     said    kept   time %")
    beats = np.array([each.beats for each in promises])
    columns = [
        (np.array([each.chord for each in promises]), [each.chord_kept for each in promises]),
        (np.array([each.key for each in promises]), [each.key_kept for each in promises]),
    ]
    errors = [0.0, 0.0]
    for place in range(BINS):
        cells = []
        for column, (said, kept) in enumerate(columns):
            inside = np.minimum((said * BINS).astype(int), BINS - 1) == place
            time = beats[inside].sum()
            if not time:
                cells.append(f"{'-':>7s} {'-':>7s} {0.0:8.1f}")
                continue
            told = float(beats[inside] @ said[inside] / time)
            true = float(beats[inside] @ np.array(kept)[inside] / time)
            errors[column] += abs(told - true) * time / beats.sum()
            cells.append(f"{told:7.2f} {true:7.2f} {100 * time / beats.sum():8.1f}")
        print("  ".join(cells))
    print(f"mean distance of said and kept: chord {errors[0]:.3f}, key {errors[1]:.3f}")


def madrigals() -> Results:
    """Another style: what the shipped weights say of Monteverdi."""
    results = Results()
    for piece in analysed_pieces(("monteverdi",)):
        add(results, piece, shipped())
    return results


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folds", type=int, default=20, help="parts of the chorales; 20 leaves one out"
    )
    parser.add_argument("--epochs", type=int, default=Schedule().epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--madrigals", action="store_true")
    parser.add_argument("--differences", action="store_true", help="list every difference")
    options = parser.parse_args()
    if options.madrigals:
        results, learned = madrigals(), "learned from chorales"
    else:
        schedule = replace(Schedule(), epochs=options.epochs)
        pieces = analysed_pieces(("bach",))
        results = judge(pieces, options.folds, schedule, options.seed)
        learned = "learned from the others"
    report(results, learned)
    if options.differences:
        print("\nplace, person, musegen, quarter notes, rank of the person's reading")
        print("\n".join(results.places))


if __name__ == "__main__":
    main()
