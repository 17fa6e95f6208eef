"""Harmonise tunes that no model was trained on, and hold the chords against Bach's own.

    python benchmarks/harmonise.py --pieces 68 --jobs 2
    python benchmarks/harmonise.py --folds 3 --pieces 215 --epochs 40 --jobs 2 --rows "all three"
    python benchmarks/harmonise.py --folk 100 --jobs 2 --rows none

The tunes are the sopranos of the test pieces of the built-in corpus, fermatas included, nothing else
(`--split valid` takes those by which anything may be chosen). Each row harmonises all of them
with other proposers (Allan and Williams' task, NIPS 2005).

`--folds` takes the training pieces, in so many folds that share no tune. Each fold is harmonised by
models that are trained on the others, with the shipped settings but for `--epochs` of the LSTM, seed
0, and watched on the validation pieces; they are kept in `--folder`, and an interrupted training
goes on from there. Other data than notes stay what the package ships: how often voices move inside a
beat, and in the knowledge graph how often chords follow, are counted over all training pieces.

Columns:

- solved: share of tunes for which four voices under all hard rules of style `bach` were found.
- E, W, I: findings of the checker a piece.
- root, numeral, class: share of beats on which the chord has Bach's root, his key and numeral with
  inversion, and without. Bach's labels are those of the corpus, made by our own analysis, so they
  are no truth. After each, the standard error, by drawing the tunes 1000 times anew (bootstrap).
- cadence: share of phrase ends with the kind and key of his.
- gap: first-order cost above the exact optimum, median, in nats.
- seconds: median a tune, in one process.

The row `chance` draws, for each beat, from the labels of all test pieces in the same mode. What was
not solved is listed with its reason.

`--folk` takes melodies that are not held to be chorales, of music21's collections of folk songs and
dances (Essen, Aird, Ryan, O'Neill), an octave up or down where that brings them near a soprano;
nothing is marked in them and there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from musegen.models.training import TrainableModel
    from musegen.score import ChordLabel, Score

ROWS: Mapping[str, tuple[str, ...]] = {
    "all three": ("hmm", "rbm", "lstm"),
    "hmm only": ("hmm",),
    "rbm only": ("rbm",),
    "lstm only": ("lstm",),
    "none": (),
}
COLLECTIONS = ("essenFolksong", "airdsAirs", "ryansMammoth", "oneills1850")
MIDDLE = 70  # semitone about which a folk tune is laid
FEWEST = 8  # notes of a folk tune that is taken
DRAWS = 1000  # of the bootstrap


@dataclass(frozen=True)
class Tune:
    """A piece whose soprano is harmonised."""

    score: Score
    folder: Path | None = None  # of the weights that have not seen it; None: the shipped ones


@dataclass(frozen=True)
class Outcome:
    """What came of one tune."""

    title: str
    problem: str = ""  # why it was not solved
    found: tuple[int, int, int] = (0, 0, 0)  # findings E, W, I
    roots: tuple[int, int] = (0, 0)  # equal, compared
    numerals: tuple[int, int] = (0, 0)
    classes: tuple[int, int] = (0, 0)
    cadences: tuple[int, int] = (0, 0)
    gap: float = 0.0
    seconds: float = 0.0


@cache
def _models(names: tuple[str, ...], folder: Path | None) -> Mapping[str, TrainableModel]:
    from musegen.encoding import chord_table
    from musegen.models.registry import WEIGHTS, load_models

    return load_models(names, chord_table(), folder=folder or WEIGHTS)


def _outcome(job: tuple[Tune, tuple[str, ...]]) -> Outcome:
    from musegen.errors import MusegenError
    from musegen.tasks.harmonise import harmonise
    from musegen.tasks.writing import Options

    given, names = job
    model, models = given.score, _models(names, given.folder)
    tune = replace(model, parts=model.parts[:1], chords=(), cadences=())
    begin = time.perf_counter()
    try:
        (made,) = harmonise(tune, Options(models=names, temperature=0.0), models=models)
    except MusegenError as error:
        return Outcome(model.title, str(error), seconds=time.perf_counter() - begin)
    seconds = time.perf_counter() - begin
    pairs = [
        (label, other)
        for label in made.score.chords
        if (other := _label_at(model.chords, label)) is not None
    ]
    closes = {close.onset: (close.kind, close.key) for close in model.cadences}
    ends = [(close, closes[close.onset]) for close in made.score.cadences if close.onset in closes]
    return Outcome(
        model.title,
        found=(made.report.count("E"), made.report.count("W"), made.report.count("I")),
        roots=(sum(_root(one) == _root(other) for one, other in pairs), len(pairs)),
        numerals=(sum(_name(one) == _name(other) for one, other in pairs), len(pairs)),
        classes=(sum(_class(one) == _class(other) for one, other in pairs), len(pairs)),
        cadences=(sum((close.kind, close.key) == other for close, other in ends), len(ends)),
        gap=made.cost - made.optimum,
        seconds=seconds,
    )


def _label_at(labels: Sequence[ChordLabel], label: ChordLabel) -> ChordLabel | None:
    inside = (each for each in labels if each.onset <= label.onset < each.onset + each.duration)
    return next(inside, None)


def _root(label: ChordLabel) -> int:
    from theory_kb.chords import read_chord

    return label.key.tonic.fifths + read_chord(label.key.mode, label.numeral).members[0]


def _name(label: ChordLabel) -> tuple[str, str]:
    return label.key.name, label.numeral


def _class(label: ChordLabel) -> tuple[str, str]:
    """Key and numeral without the figures of an inversion or a seventh."""
    head, slash, target = label.numeral.partition("/")
    return label.key.name, head.rstrip("0123456789") + slash + target


def _chance(scores: Sequence[Score]) -> tuple[float, float]:
    """Share of equal roots and numerals if labels of the same mode are drawn at random."""
    rng = np.random.default_rng(0)
    equal, compared = np.zeros(2), 0
    for score in scores:
        pool = [
            each for other in scores if other.key.mode == score.key.mode for each in other.chords
        ]
        shift = score.key.tonic.fifths
        for label in score.chords:
            drawn = pool[int(rng.integers(len(pool)))]
            home = next(other for other in scores if drawn in other.chords).key
            same_root = _root(drawn) - home.tonic.fifths == _root(label) - shift
            relative = (drawn.key.tonic.fifths - home.tonic.fifths, drawn.key.mode, drawn.numeral)
            own = (label.key.tonic.fifths - shift, label.key.mode, label.numeral)
            equal += (same_root, relative == own)
            compared += 1
    return float(equal[0]) / compared, float(equal[1]) / compared


def _share(pairs: Sequence[tuple[int, int]]) -> str:
    """Share of what is equal, all tunes together, with its standard error over tunes."""
    counts = np.array(pairs, dtype=float)
    if not counts[:, 1].sum():
        return "-"
    rng = np.random.default_rng(0)
    drawn = counts[rng.integers(len(counts), size=(DRAWS, len(counts)))].sum(axis=1)
    error = (drawn[:, 0] / np.maximum(drawn[:, 1], 1)).std()
    return f"{counts[:, 0].sum() / counts[:, 1].sum():.2f} ± {error:.2f}"


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    solved = [each for each in outcomes if not each.problem]
    if not solved:
        return f"| {name} | 0 of {len(outcomes)} |" + " - |" * 9
    cells = (
        name,
        f"{len(solved)} of {len(outcomes)}",
        *(f"{count:.2f}" for count in np.mean([each.found for each in solved], axis=0)),
        _share([each.roots for each in solved]),
        _share([each.numerals for each in solved]),
        _share([each.classes for each in solved]),
        _share([each.cadences for each in solved]),
        f"{np.median([each.gap for each in solved]):.1f}",
        f"{np.median([each.seconds for each in outcomes]):.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _folk(count: int) -> list[Score]:
    """Melodies of the collections of music21, as many of each, drawn with a fixed seed."""
    from music21 import corpus

    from musegen.errors import MusegenError
    from musegen.io.reading import read_pieces

    rng = np.random.default_rng(0)
    paths = sorted(Path(str(path)) for path in corpus.getPaths())
    tunes: list[Score] = []
    for number, name in enumerate(COLLECTIONS, 1):
        files = [path for path in paths if path.parent.name == name]
        while len(tunes) < count * number // len(COLLECTIONS):
            try:
                pieces = read_pieces(files[int(rng.integers(len(files)))])
            except MusegenError:
                continue
            piece = pieces[int(rng.integers(len(pieces)))]
            if isinstance(piece, MusegenError) or len(piece.score.parts) != 1:
                continue
            if len(piece.score.parts[0].notes) >= FEWEST:
                tunes.append(_as_soprano(piece.score))
    return tunes


def _as_soprano(score: Score) -> Score:
    """A tune by so many octaves higher that it lies near a soprano's middle."""
    from theory_kb.pitch import Pitch

    (part,) = score.parts
    heights = [note.pitch.semitone for note in part.notes]
    octaves = round((MIDDLE - (min(heights) + max(heights)) / 2) / 12)

    def moved(pitch: Pitch) -> Pitch:
        return Pitch(pitch.step + 7 * octaves, pitch.semitone + 12 * octaves)

    notes = tuple(replace(note, pitch=moved(note.pitch)) for note in part.notes)
    return replace(score, parts=(replace(part, notes=notes),))


def _tunes(options: argparse.Namespace) -> list[Tune]:
    if options.folk:
        return [Tune(score) for score in _folk(options.folk)]
    if options.folds:
        used = dict.fromkeys(name for row in options.rows.split(",") for name in ROWS[row])
        return _held_out(options, tuple(used))
    import corpora

    pieces = corpora.load().pieces
    scores = [piece.score for piece in pieces if piece.split == options.split]
    return [Tune(score) for score in scores[: options.pieces]]


def _held_out(options: argparse.Namespace, models: Sequence[str]) -> list[Tune]:
    """Training pieces fold by fold, each with models that are trained without its fold."""
    import corpora

    scores = {piece.name: piece.score for piece in corpora.load().scores("train")}
    tunes: list[Tune] = []
    for number, fold in enumerate(_folds(scores, options.folds), 1):
        if len(tunes) < options.pieces:
            own = options.folder / f"fold-{number}-of-{options.folds}"
            _train_without(fold, models, own, options.epochs)
            tunes += [Tune(scores[name], own) for name in sorted(fold)]
    return tunes[: options.pieces]


def _folds(scores: Mapping[str, Score], count: int) -> list[frozenset[str]]:
    """The names of the pieces in so many folds of about as many notes, no tune in two of them."""
    from musegen.comparison.tunes import split_by_tune
    from musegen.models.rolls import Roll

    rolls = [
        Roll(name, tuple((note.pitch.semitone,) for note in score.parts[0].notes))
        for name, score in scores.items()
    ]
    dealt = split_by_tune({str(place): rolls[place::count] for place in range(count)})
    return [frozenset(roll.name for roll in some) for some in dealt.values()]


def _train_without(fold: frozenset[str], models: Sequence[str], folder: Path, epochs: int) -> None:
    """Train models on the training pieces that are not in a fold; what is there is kept."""
    from corpora.training import training_data
    from musegen.encoding import chord_table
    from musegen.models.lstm import LSTMSettings
    from musegen.models.registry import MODELS, train_model

    splits, card = training_data()
    left = tuple(each for each in splits["train"] if each.name not in fold)
    card = replace(
        card,
        split=f"{card.split}; without a fold of {len(fold)} training pieces",
        sequences={**card.sequences, "train": len(left)},
        slots={**card.slots, "train": sum(len(each.notes) for each in left)},
    )
    for name in models:
        if not (folder / MODELS[name].weights).exists():
            sys.stderr.write(f"training {folder.name}, {name}\n")
            train_model(
                name,
                {"train": left, "valid": splits["valid"]},
                card,
                folder,
                chords=chord_table(),
                seed=0,
                settings=replace(LSTMSettings(), epochs=epochs) if name == "lstm" else None,
                resume=True,
            )


def main() -> None:
    """Harmonise and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pieces", type=int, default=68)
    parser.add_argument("--split", default="test", choices=("test", "valid", "train"))
    parser.add_argument("--folds", type=int, default=0, help="of the training pieces, instead")
    parser.add_argument("--folder", type=Path, default=Path("musegen-out/folds"))
    parser.add_argument("--epochs", type=int, default=110, help="of the LSTM of each fold")
    parser.add_argument("--folk", type=int, default=0, help="so many folk tunes instead")
    parser.add_argument("--rows", default=",".join(ROWS), help="names of rows with commas")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tunes = _tunes(options)
    sys.stdout.write(
        f"{len(tunes)} tunes, width 32, temperature 0\n\n"
        "| proposers | solved | E | W | I | root | numeral | class | cadence | gap | seconds |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    )
    failed: list[str] = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for name in options.rows.split(","):
            outcomes = list(pool.map(_outcome, [(tune, ROWS[name]) for tune in tunes]))
            sys.stdout.write(_row(name, outcomes) + "\n")
            sys.stdout.flush()
            failed += [f"{name}: {each.title}: {each.problem}" for each in outcomes if each.problem]
    if not options.folk:
        roots, numerals = _chance([tune.score for tune in tunes])
        sys.stdout.write(f"| chance | - | - | - | - | {roots:.2f} | {numerals:.2f} |" + " - |" * 4)
    sys.stdout.write("\n" + "".join(f"\nnot solved: {each}" for each in failed) + "\n")


if __name__ == "__main__":
    main()
