"""Keys and numerals against people, none of whose analyses was seen in training of what is judged.

The analyses are those that music21 carries: twenty chorales, and the madrigals whose bars agree
with their scores. Shares are of the time that the analyses cover. Beside us stands music21's own
`roman.romanNumeralFromChord`, which is given the true key and the notes of each chord that the
person heard, so that it need not find either.

    python benchmarks/analysis.py --folds 20        leave one out
    python benchmarks/analysis.py --madrigals       another style, with the shipped weights
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corpora.analyses import AnalysedPiece, analysed_pieces, second_readings
from corpora.analysis_training import Schedule, example, learn, unlabelled_pieces
from musegen.analysis.comparison import (
    COLUMNS,
    DEPTHS,
    CadencePair,
    HumanLabel,
    Ranks,
    Said,
    Tally,
    cadence_pairs,
    compare,
    f1,
    of_human,
)
from musegen.analysis.figures import read_figure
from musegen.analysis.harmony import Decoded, decode, shipped
from musegen.analysis.inference import posterior
from musegen.analysis.parameters import Parameters
from musegen.score import ChordLabel
from theory_kb.chords import every_chord

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
        for piece in pieces[fold::folds]:
            add(results, piece, known)
    return results


def add(results: Results, piece: AnalysedPiece, known: Parameters) -> None:
    """Count a piece under parameters that have not seen it."""
    found = decode(piece.score, parameters=known)
    said = _labels(found)
    ranks = Ranks(found, posterior(found.tables, known.temperature))
    alone = Tally()
    compare(piece.labels, said, alone)
    print(row(f"  {piece.name}", alone), flush=True)
    compare(piece.labels, said, results.ours, ranks=ranks)
    compare(
        piece.labels, _labels(decode(piece.score, parameters=Parameters.start())), results.start
    )
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


def report(results: Results) -> None:
    """Print all tables."""
    print(head())
    print(row("musegen, learned from the others", results.ours))
    print(row("musegen, textbook weights", results.start))
    print(row("music21, key and chords given", results.peer))
    kinds, keys = f1(results.cadences), f1(results.cadences, in_key=True)
    print(f"cadence kinds at phrase ends, F1: {kinds:.3f}; with key {keys:.3f}")
    print_cadences(results.cadences)
    print_ranks(results.ours)
    print_classes(results.ours)
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
    wrong = tally.beats * (1 - tally.share("full"))
    best = tally.near(1)
    for depth in (1, *DEPTHS):
        near = tally.near(depth)
        more = (near - best) * tally.beats / wrong
        print(
            f"{depth:4d} best: {100 * near:5.1f} % of the time; {100 * more:5.1f} % of the errors"
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
    """Time of errors by what is wrong."""
    found: dict[str, float] = {}
    for each in tally.differences:
        key = each.theirs[0] == each.ours[0]
        one, other = (read_figure(figure) for _, figure in (each.theirs, each.ours))
        same = one is not None and other is not None and one.numeral == other.numeral
        name = f"{'the key heard' if key else 'another key'}, {'inversion' if same else 'numeral'}"
        found[name] = found.get(name, 0.0) + float(each.duration)
    return found


def madrigals() -> None:
    """Another style: what the shipped weights say of Monteverdi."""
    tally, start = Tally(), Tally()
    for piece in analysed_pieces(("monteverdi",)):
        found = decode(piece.score)
        ranks = Ranks(found, posterior(found.tables, shipped().temperature))
        compare(piece.labels, _labels(found), tally, ranks=ranks)
        compare(piece.labels, _labels(decode(piece.score, parameters=Parameters.start())), start)
    print(head())
    print(row("musegen, learned from chorales", tally))
    print(row("musegen, textbook weights", start))
    print_ranks(tally)
    print_classes(tally)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folds", type=int, default=20, help="parts of the chorales; 20 leaves one out"
    )
    parser.add_argument("--epochs", type=int, default=Schedule().epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--madrigals", action="store_true")
    options = parser.parse_args()
    if options.madrigals:
        madrigals()
        return
    schedule = replace(Schedule(), epochs=options.epochs)
    report(judge(analysed_pieces(("bach",)), options.folds, schedule, options.seed))


if __name__ == "__main__":
    main()
