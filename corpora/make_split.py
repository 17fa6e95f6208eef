"""Make `data/bach_split.json` from a map of the JSB benchmark's pieces onto the corpus files.

    python -m corpora.make_split --map jsb_music21_map.json.gz

The map gives, for each piece of the benchmark's splits, the best and second best matching file and
the share of n-grams in common. Only names go into the split; no note of the benchmark is copied.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpora.catalogue import entry, verified_files
from corpora.read import SECOND_SUFFIX, Reading, read_all
from corpora.split import SPLITS, likeness
from musegen.io.files import write_file
from musegen.score import Score

__all__ = ["main", "make_split"]

SAME = 0.3  # likeness from which a file counts as mapped, or as a near copy
CORPUS = "bach-chorales"
ABOUT = (
    "Split of the four-part chorales of music21's corpus. valid and test: files mapped to a piece "
    "of the JSB benchmark's validation and test split (share of common soprano and bass n-grams "
    f">= {SAME}). held_out: near copies of those, used nowhere. train: all others."
)

Map = Mapping[str, Sequence[Mapping[str, object]]]


def make_split(mapping: Map, readings: Sequence[Reading]) -> dict[str, object]:
    """The content of the split file, with the reason for each file that is not in train."""
    names = [each.name for each in readings if "parts instead" not in (each.problem or "")]
    reasons: dict[str, tuple[str, str]] = {}
    for split in ("test", "valid"):
        for index, match in enumerate(mapping[split]):
            _note_match(reasons, split, index, match)
    scores = {each.name: each.score for each in readings if each.score is not None}
    for name in names:
        twin = name.removesuffix(SECOND_SUFFIX)
        if twin != name and twin in reasons:
            reasons[name] = reasons[twin]
    for name in sorted(set(names) - set(reasons)):
        near = _nearest(name, scores, reasons)
        if near is not None:
            reasons[name] = ("held_out", near)
    splits = {
        split: [name for name in names if reasons.get(name, ("train",))[0] == split]
        for split in SPLITS
    }
    return {
        "about": ABOUT,
        "splits": splits,
        "reasons": {name: reasons[name][1] for name in names if name in reasons},
    }


def _note_match(
    reasons: dict[str, tuple[str, str]], split: str, index: int, match: Mapping[str, object]
) -> None:
    for name, score, target in (("file", "score", split), ("second", "second_score", "held_out")):
        stem, share = Path(str(match[name])).stem, float(str(match[score]))
        known = reasons.get(stem)
        if share >= SAME and (known is None or (known[0] == "held_out" and target == split)):
            reasons[stem] = (target, f"like JSB {split} {index}: {share:.2f}")


def _nearest(
    name: str, scores: Mapping[str, Score], reasons: Mapping[str, tuple[str, str]]
) -> str | None:
    """The validation or test piece of which this one is a near copy."""
    if name not in scores:
        return None
    judged = [other for other in sorted(reasons) if reasons[other][0] != "held_out"]
    shares = ((likeness(scores[other], scores[name]), other) for other in judged if other in scores)
    share, other = max(shares, default=(0.0, ""))
    return f"like {other}: {share:.2f}" if share >= SAME else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the map and the corpus, write the split."""
    parser = argparse.ArgumentParser(description="Make the split of the Bach chorales.")
    parser.add_argument("--map", type=Path, required=True, help="map of JSB pieces, JSON in gzip")
    parser.add_argument("--out", type=Path, help="file to write, else the committed one")
    options = parser.parse_args(arguments)
    with gzip.open(options.map, "rt", encoding="utf-8") as file:
        mapping = json.load(file)
    of = entry(CORPUS)
    content = make_split(mapping, read_all(verified_files(of)))
    target = options.out or Path(__file__).parent / "data" / of.split
    write_file(target, (json.dumps(content, indent=1) + "\n").encode())
    splits = content["splits"]
    assert isinstance(splits, dict)
    counts = ", ".join(f"{split} {len(splits[split])}" for split in SPLITS)
    sys.stdout.write(f"{target}: {counts}\n")


if __name__ == "__main__":
    main()
