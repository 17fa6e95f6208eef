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
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from corpora.analyses import AnalysedPiece, HumanLabel, analysed_pieces
from corpora.analysis_training import Schedule, example, learn, unlabelled_pieces
from musegen.analysis.figures import read_figure
from musegen.analysis.harmony import decode, shipped
from musegen.analysis.label import label_with
from musegen.analysis.parameters import Parameters
from musegen.score import ChordLabel
from theory_kb.chords import every_chord, read_chord

COLUMNS = ("key", "root", "numeral", "full", "numeral, any key", "full, any key")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a moment, in terms that people and programs share."""

    key: str
    root: int | None  # line of fifths
    numeral: str  # without inversion
    inversion: int

    def agrees(self, other: Said) -> tuple[bool, ...]:
        """In key; root; numeral and key; with inversion; the last two whatever the key."""
        key, numeral = self.key == other.key, self.numeral == other.numeral
        full = numeral and self.inversion == other.inversion
        root = self.root is not None and self.root == other.root
        return key, root, key and numeral, key and full, numeral, full


@dataclass(slots=True)
class Tally:
    """Time on which two analyses agree."""

    beats: float = 0.0
    right: list[float] = field(default_factory=lambda: [0.0] * len(COLUMNS))
    confused: dict[tuple[str, str], float] = field(default_factory=dict)
    classes: dict[str, list[float]] = field(default_factory=dict)

    def add(self, truth: Said, said: Said, beats: float) -> None:
        """Compare over some time."""
        self.beats += beats
        marks = truth.agrees(said)
        self.right = [total + beats * mark for total, mark in zip(self.right, marks, strict=True)]
        row = self.classes.setdefault(truth.numeral, [0.0, 0.0])
        row[0] += beats
        row[1] += beats if marks[2] else 0.0
        if not marks[3]:
            pair = _text(truth), _text(said)
            self.confused[pair] = self.confused.get(pair, 0.0) + beats

    def row(self, name: str) -> str:
        """The shares in per cent."""
        shares = [f"{100 * each / max(self.beats, 1e-9):17.1f}" for each in self.right]
        return f"{name:34s}" + "".join(shares)


def _text(said: Said) -> str:
    return f"{said.key}: {said.numeral} ({said.inversion})"


def of_human(label: HumanLabel) -> Said:
    """What a person wrote."""
    if label.chord is not None:
        chord = every_chord()[label.chord]
        root = chord.root + label.key.tonic.fifths
        return Said(label.key.name, root, _plain(chord.mode, chord.numeral), chord.inversion)
    figure = read_figure(label.figure)
    numeral, inversion = (figure.numeral, figure.inversion) if figure else (label.figure, 0)
    return Said(label.key.name, None, numeral, inversion)


def of_label(label: ChordLabel) -> Said:
    """What we say."""
    chord = read_chord(label.key.mode, label.numeral)
    root = chord.root + label.key.tonic.fifths
    return Said(label.key.name, root, _plain(chord.mode, chord.numeral), chord.inversion)


def _plain(mode: str, numeral: str) -> str:
    """The cadential six-four is a tonic in second inversion to people and to RomanText."""
    return {"cad64": "I" if mode == "major" else "i"}.get(numeral, numeral)


def compare(truth: Sequence[HumanLabel], said: Sequence[ChordLabel], tally: Tally) -> None:
    """Add the agreement of two analyses, over the time that the first covers."""
    points = sorted(
        {label.onset for label in truth}
        | {label.onset + label.duration for label in truth}
        | {label.onset for label in said}
    )
    human, ours = [each.onset for each in truth], [each.onset for each in said]
    for begin, end in pairwise(points):
        h, o = bisect_right(human, begin) - 1, bisect_right(ours, begin) - 1
        if h < 0 or o < 0 or begin >= truth[h].onset + truth[h].duration:
            continue
        tally.add(of_human(truth[h]), of_label(said[o]), float(end - begin))


# --- cadences -------------------------------------------------------------------------------


def cadence_counts(piece: AnalysedPiece, said: Sequence[ChordLabel]) -> Counter[str]:
    """Phrase ends where both make the same cadence in the same key, and what each makes."""
    human = tuple(
        ChordLabel(each.onset, each.duration, each.key, every_chord()[each.chord].symbol)
        for each in piece.labels
        if each.chord is not None
    )
    truth = {each.onset: each for each in label_with(piece.score, human).cadences}
    found = {each.onset: each for each in label_with(piece.score, tuple(said)).cadences}
    counts: Counter[str] = Counter()
    ends = piece.score.phrase_ends
    by_end = [
        {bisect_right(ends, onset): each for onset, each in side.items()} for side in (truth, found)
    ]
    for end in {*by_end[0], *by_end[1]}:
        one, other = by_end[0].get(end), by_end[1].get(end)
        true_kind = one.kind if one and one.kind != "other" else None
        said_kind = other.kind if other and other.kind != "other" else None
        counts["true"] += true_kind is not None
        counts["said"] += said_kind is not None
        same = true_kind is not None and true_kind == said_kind
        counts["both"] += same
        counts["both in key"] += bool(same and one and other and one.key == other.key)
    return counts


def f1(counts: Counter[str], name: str) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * counts[name] / max(counts["true"] + counts["said"], 1)


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


def judge(pieces: Sequence[AnalysedPiece], folds: int, schedule: Schedule, seed: int) -> None:
    """Each piece with what was learned from the pieces of the other folds."""
    made = [example(piece) for piece in pieces]
    ours, peer, start, cadences = Tally(), Tally(), Tally(), Counter[str]()
    unlabelled = unlabelled_pieces()
    for fold in range(min(folds, len(pieces))):
        known = learn(
            [each for place, each in enumerate(made) if place % folds != fold],
            schedule=schedule,
            unlabelled=unlabelled,
            rng=np.random.default_rng(seed),
        )
        for piece in pieces[fold::folds]:
            said = _labels(piece, known)
            alone = Tally()
            compare(piece.labels, said, alone)
            print(alone.row(f"  {piece.name}"), flush=True)
            compare(piece.labels, said, ours)
            compare(piece.labels, _labels(piece, Parameters.start()), start)
            cadences += cadence_counts(piece, said)
            for label, told in music21_labels(piece):
                if told is not None:
                    peer.add(of_human(label), told, float(label.duration))
    print(f"\n{'per cent of the time':34s}" + "".join(f"{name:>17s}" for name in COLUMNS))
    print(ours.row("musegen, learned from the others"))
    print(start.row("musegen, textbook weights"))
    print(peer.row("music21, key and chords given"))
    print(
        f"cadence kinds at phrase ends, F1: {f1(cadences, 'both'):.3f}; with key {f1(cadences, 'both in key'):.3f}"
    )
    _print_classes(ours)


def _print_classes(tally: Tally) -> None:
    print("\nnumeral                  beats   right %")
    for name, (beats, right) in sorted(tally.classes.items(), key=lambda each: -each[1][0])[:25]:
        print(f"{name:20s} {beats:9.1f} {100 * right / beats:9.1f}")
    print("\nmost frequent confusions (person, musegen; quarter notes)")
    for (truth, said), beats in sorted(tally.confused.items(), key=lambda each: -each[1])[:12]:
        print(f"  {truth:34s} {said:34s} {beats:6.1f}")


def _labels(piece: AnalysedPiece, known: Parameters) -> tuple[ChordLabel, ...]:
    found = decode(piece.score, parameters=known)
    return tuple(found.label(segment) for segment in found.path)


def madrigals() -> None:
    """Another style: what the shipped weights say of Monteverdi."""
    tally, start = Tally(), Tally()
    for piece in analysed_pieces(("monteverdi",)):
        compare(piece.labels, _labels(piece, shipped()), tally)
        compare(piece.labels, _labels(piece, Parameters.start()), start)
    print(f"{'per cent of the time':34s}" + "".join(f"{name:>17s}" for name in COLUMNS))
    print(tally.row("musegen, learned from chorales"))
    print(start.row("musegen, textbook weights"))
    _print_classes(tally)


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
    judge(analysed_pieces(("bach",)), options.folds, schedule, options.seed)


if __name__ == "__main__":
    main()
