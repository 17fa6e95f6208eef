"""Change one note of a chorale by a step, and see which rules notice.

    python benchmarks/mutation.py --pieces 100 --mutations 20 --seed 0

Each mutation takes one note at random, in any voice, and moves it a step up or down inside the scale
of the key it stands in; harmony and phrases stay labelled as they were, as in an exercise whose
harmony is known. The piece is checked before and after. A mutation is detected if a finding is
there that was not before: of the same rule, voices and place none. Columns:

- spoke: share of all mutations for which the rule has a new finding;
- alone: share for which no other rule of severity E or W has one;
- before: findings of the rule in a chorale as it is. Bach's own liberties, slips of the encoding
  and harmony read otherwise than he meant are among them: false alarms, taken strictly.

One seed gives one table.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from musegen.score import Note, Part, Score
from musegen.slices import piece
from theory_kb.check import Finding, Style, check, load_style
from theory_kb.pitch import Key, Pitch, PitchClass

VOICES = ("soprano", "alto", "tenor", "bass")
GRAVE = "EW"

Sign = tuple[str, str, int, tuple[int, ...]]  # severity, rule, onset, voices


@dataclass(slots=True)
class Tally:
    """What was noticed."""

    pieces: int = 0
    mutations: int = 0
    detected: Counter[str] = field(default_factory=Counter)  # any, with information, E
    by_voice: Counter[str] = field(default_factory=Counter)
    in_voice: Counter[str] = field(default_factory=Counter)
    spoke: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)  # findings before by severity


def scale_tone(key: Key, step: int) -> Pitch:
    """The pitch on a line of the staff by the signature of a key."""
    letters = (PitchClass(key.signature + place) for place in range(-1, 6))
    tone = next(each for each in letters if each.letter == step % 7)
    return Pitch.of(tone, step // 7)


def key_at(score: Score, note: Note) -> Key:
    """The local key in which a note begins."""
    spans = (label for label in score.chords if label.onset <= note.onset)
    return max(spans, key=lambda label: label.onset).key if score.chords else score.key


def mutated(score: Score, voice: int, index: int, steps: int) -> Score:
    """The score with one note moved by staff steps inside its key."""
    notes = list(score.parts[voice].notes)
    note = notes[index]
    moved = scale_tone(key_at(score, note), note.pitch.step + steps)
    notes[index] = replace(note, pitch=moved)
    parts = list(score.parts)
    parts[voice] = Part(parts[voice].name, tuple(notes))
    return score.with_parts(tuple(parts))


def mutations(score: Score, count: int, rng: np.random.Generator) -> Iterator[tuple[int, Score]]:
    """Voice and score of some mutations, each note of the piece as likely as any other."""
    places = [
        (voice, index) for voice, part in enumerate(score.parts) for index in range(len(part.notes))
    ]
    for chosen in rng.integers(len(places), size=count).tolist():
        voice, index = places[chosen]
        yield voice, mutated(score, voice, index, int(rng.choice([-1, 1])))


def signs(score: Score, style: Style) -> Counter[Sign]:
    """What is found in a score."""
    return Counter(map(_sign, check(piece(score), style).findings))


def _sign(finding: Finding) -> Sign:
    return finding.severity, finding.rule, finding.onset, finding.voices


def study(scores: Sequence[Score], style: Style, count: int, seed: int) -> Tally:
    """Mutate each score so many times."""
    tally = Tally()
    for number, score in enumerate(scores):
        rng = np.random.default_rng([seed, number])
        before = signs(score, style)
        tally.pieces += 1
        tally.before.update(_rules(before))
        for severity, *_ in before.elements():
            tally.grades[severity] += 1
        for voice, other in mutations(score, count, rng):
            notice(tally, voice, signs(other, style) - before)
    return tally


def notice(tally: Tally, voice: int, news: Counter[Sign]) -> None:
    """Add one mutation."""
    graver = {rule for severity, rule, *_ in news if severity in GRAVE}
    tally.mutations += 1
    tally.in_voice[VOICES[voice]] += 1
    tally.by_voice[VOICES[voice]] += bool(graver)
    tally.detected["E or W"] += bool(graver)
    tally.detected["E"] += any(severity == "E" for severity, *_ in news)
    tally.detected["E, W or I"] += bool(news)
    tally.spoke.update({f"{severity} {rule}" for severity, rule, *_ in news})
    if len(graver) == 1:
        severity = next(level for level, rule, *_ in news if rule in graver and level in GRAVE)
        tally.alone[f"{severity} {graver.pop()}"] += 1


def _rules(found: Counter[Sign]) -> Iterator[str]:
    for severity, rule, *_ in found.elements():
        yield f"{severity} {rule}"


def table(tally: Tally) -> Iterator[str]:
    """Lines of the report."""
    total = max(tally.mutations, 1)
    yield f"pieces                     {tally.pieces}"
    yield f"mutations                  {tally.mutations}"
    for name in ("E", "E or W", "E, W or I"):
        yield f"detected by {name:<14} {tally.detected[name] / total:>6.1%}"
    for voice in VOICES:
        share = tally.by_voice[voice] / max(tally.in_voice[voice], 1)
        yield f"by E or W in the {voice:<9} {share:>6.1%}"
    for severity in "EWI":
        each = tally.grades[severity] / max(tally.pieces, 1)
        yield f"{severity} a chorale as it is     {each:>6.2f}"
    yield f"\n{'rule':<42}{'spoke':>8}{'alone':>8}{'before':>8}"
    for name in sorted({*tally.spoke, *tally.before}, key=lambda each: (-tally.spoke[each], each)):
        spoke, alone = tally.spoke[name] / total, tally.alone[name] / total
        shares = f"{spoke:>8.2%}{alone:>8.2%}" if name[0] in GRAVE else f"{spoke:>8.2%}{'':>8}"
        yield f"{name:<42}{shares}{tally.before[name] / max(tally.pieces, 1):>8.2f}"


def main() -> int:
    """Print the table."""
    import corpora

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--mutations", type=int, default=20, help="of each piece")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--style", default="bach")
    options = parser.parse_args()
    scores = [each.score for each in corpora.load().pieces]
    order = np.random.default_rng(options.seed).permutation(len(scores))[: options.pieces]
    chosen = [scores[place] for place in order.tolist()]
    style = load_style(options.style)
    print("\n".join(table(study(chosen, style, options.mutations, options.seed))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
