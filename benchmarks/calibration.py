"""Count what the rules find in Bach's four-voice settings, beside what an independent count found.

    python benchmarks/calibration.py --expected PATH
    python benchmarks/calibration.py --expected PATH --plain

PATH is a JSON file of counts (`music21_corpus.size` and `music21_corpus.rules`, one table a rule).
The material is every setting of music21's Bach corpus with one soprano, alto, tenor and bass part,
exact duplicates left out. What counts is the answer of our rule kernels over our slices, rule by
rule, before one defect becomes one report. The independent count has conventions of its own; each
is an option here (see `Conventions`), none is a change of a rule:

- two voices at a time: a rule sees no other voice, so that what a third voice would excuse counts;
- no harmony: what a chord would excuse counts;
- a phrase ends where a note with a fermata is released, and only a voice that moves on at that very
  time moves across its end;
- a rest, however short, parts two notes of a voice;
- a diminished fifth that becomes perfect is an unequal fifth and no direct one;
- a gap or a crossing lasts from slice to slice; a slice in which one of the two voices is silent
  neither ends nor begins one;
- two leaps one way count for the interval they span, whatever triad they spell, also where the
  middle note is repeated across the end of a phrase;
- fifths of voices that both leap an octave are parallel.

Prints counted, expected and their difference. `--plain` counts by the definitions of our own rules
instead, and names by file, bar, beat and voices what each convention adds (-) or leaves out (+).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musegen.score import Score
from musegen.slices import moments, ticks
from theory_kb.check import Style
from theory_kb.moment import REST, TICKS, Moments, blank_moments
from theory_kb.rule_sets import RuleSet, earlier_notes, offences, rule_set
from theory_kb.rules.records import rules

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

VOICES = "SATB"
PAIRS = tuple(combinations(range(4), 2))
PAIR_NAMES = tuple(VOICES[upper] + VOICES[lower] for upper, lower in PAIRS)
ADJACENT_NAMES = ("SA", "AT", "TB")
PERFECT_DIM = "unequal-fifth-perfect-dim"  # counted whether or not it resolves, unlike the rule
PARALLEL_RULES = (
    "parallel-fifth",
    "parallel-octave",
    "parallel-unison",
    "contrary-fifth",
    "contrary-octave",
    "unequal-fifth-dim-perfect",
    PERFECT_DIM,
)
PAIR_RULES = (*PARALLEL_RULES, "direct-fifth-outer", "direct-octave-outer", "voice-overlap")
DIRECT_ANY = "direct-perfect-any"
SONORITY_RULES = ("voice-crossing", "spacing-upper", "spacing-tenor-bass", "unison-adjacent")
LINE_RULES = (
    "mel-augmented",
    "mel-chromatic-step",
    "mel-diminished",
    "mel-seventh",
    "mel-over-octave",
    "leaps-consecutive-same",
)
PARAMS = {  # nothing is excused
    "mel-diminished": {"forbidden": 1.0},
    "leaps-consecutive-same": {"bass_free": 0.0},
}
INTERVALS = {
    9: "A2",
    6: "A4",
    -6: "d5",
    -8: "d4",
    -9: "d7",
    -10: "d3",
    -11: "d6",
    -2: "m7",
    5: "M7",
}
CONSONANT = (0, 1, -1, 3, 4, -3, -4)  # spans on the line of fifths: P8 P5 P4 M6 M3 m3 m6


@dataclass(frozen=True, slots=True)
class Conventions:
    """Where the independent count reads its material otherwise than a check of a piece does."""

    rests_part: bool = True  # any rest parts two notes, not only one that a slice begins with
    exact_ends: bool = True  # a phrase ends at a release, not at the next attack after it
    unequal_apart: bool = True  # a diminished fifth becoming perfect is not direct
    silence_bridges: bool = True  # a silent voice does not end a gap or a crossing
    spans_only: bool = True  # two leaps one way count for their span, whatever triad they spell
    repeats_bridge: bool = True  # a note repeated across a phrase end joins the leaps around it
    octave_leaps_count: bool = True  # a fifth whose voices both leap an octave is parallel


PLAIN = Conventions(**dict.fromkeys((each.name for each in fields(Conventions)), False))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a rule spoke."""

    file: str
    bar: int
    beat: float
    voices: str

    def __str__(self) -> str:
        return f"{self.file} bar {self.bar} beat {self.beat:g} {self.voices}"


@dataclass(slots=True)
class Counts:
    """How often, and where."""

    numbers: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[Place]] = field(default_factory=dict)

    def add(self, name: str, count: int) -> None:
        """Add to a number; a name is counted, with 0, once it was asked for."""
        self.numbers[name] += count

    def note(self, name: str, places: Sequence[Place]) -> None:
        """Add places to a number."""
        self.numbers[name] += len(places)
        self.places.setdefault(name, []).extend(places)


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One piece as its slices, with what slices do not tell."""

    name: str
    surface: Moments  # (n,), phrase ends cleared
    across: Bools  # (n,) whether a phrase ends at this slice
    fresh: Bools  # (n, 4) whether a voice begins a note after a rest, or its first
    beat: int  # ticks


def setting(name: str, score: Score, conventions: Conventions) -> Setting:
    """Slices of a score, read by the conventions of a count."""
    surface = moments(score)
    onsets = surface["onset"].astype(np.int64)
    if conventions.exact_ends:
        across = np.isin(onsets, [ticks(end) for end in score.phrase_ends])
    else:
        across = surface["boundary"] == 1
    for mark in ("boundary", "opening", "phrase_end", "final"):
        surface[mark] = 0
    fresh = np.zeros((len(surface), 4), bool)
    if conventions.rests_part:
        for voice, part in enumerate(score.parts):
            after = [two.onset for one, two in pairwise(part.notes) if one.end < two.onset]
            fresh[:, voice] = np.isin(onsets, [ticks(onset) for onset in after])
    return Setting(name, surface, across, fresh, TICKS)


# --------------------------------------------------------------------------------- what is counted


@cache
def chosen(group: str) -> RuleSet:
    """The rules of one group that are counted, none of them excusing anything for its style."""
    names = (*PAIR_RULES, DIRECT_ANY, *SONORITY_RULES, *LINE_RULES)
    severities = {name: "E" if name in names else "-" for name in rules()}
    params = {name: {**each.params, **PARAMS.get(name, {})} for name, each in rules().items()}
    return rule_set(Style("calibration", "", severities, params, {}), group)


def count(settings: Sequence[tuple[str, Score]], conventions: Conventions) -> Counts:
    """Count everything in every setting."""
    counts = Counts()
    for name, score in settings:
        piece = setting(name, score, conventions)
        count_sizes(piece, score, counts)
        for upper, lower in PAIRS:
            count_pair(piece, upper, lower, conventions, counts)
        for voice in range(4):
            count_line(piece, voice, conventions, counts)
        count_sonorities(piece, conventions, counts)
    return counts


def count_sizes(piece: Setting, score: Score, counts: Counts) -> None:
    """How much music there is."""
    sounding = piece.surface["semitone"][:, :4] != REST
    counts.add("size.notes", sum(len(part.notes) for part in score.parts))
    counts.add("size.verticalities", len(piece.surface))
    counts.add("size.full_four_voice_verticalities", int(sounding.all(axis=1).sum()))
    counts.add("size.fermata_release_times", len(score.phrase_ends))


def two_voices(piece: Setting, upper: int, lower: int) -> tuple[Moments, Moments]:
    """Before and now of every slice with two of the voices; a rest between leaves silence."""
    now = blank_moments(len(piece.surface), 2)
    before = blank_moments(len(piece.surface), 2)
    for column, voice in enumerate((upper, lower)):
        for name in ("step", "semitone", "attack"):
            now[name][:, column] = piece.surface[name][:, voice]
            before[name][1:, column] = piece.surface[name][:-1, voice]
        before["semitone"][piece.fresh[:, voice], column] = REST
    return before, now


def moved(before: Moments, now: Moments, column: int) -> Bools:
    """Whether a voice goes from one pitch to another."""
    old, new = before["semitone"][:, column], now["semitone"][:, column]
    found: Bools = (old != REST) & (new != REST) & (old != new)
    return found


def count_pair(
    piece: Setting, upper: int, lower: int, conventions: Conventions, counts: Counts
) -> None:
    """What two voices do as both move."""
    name = VOICES[upper] + VOICES[lower]
    before, now = two_voices(piece, upper, lower)
    both = moved(before, now, 0) & moved(before, now, 1)
    counts.add(f"size.moves_by_pair.{name}", int((both & ~piece.across).sum()))
    counts.add("size.both_voice_moves_within_phrase", int((both & ~piece.across).sum()))
    counts.add("size.both_voice_moves_across_fermata", int((both & piece.across).sum()))
    pairs = chosen("pair")
    table = dict(zip(pairs.ids, (offences(pairs, before, before, now) != 0).T, strict=True))
    table[PERFECT_DIM] = both & similar(before, now)
    table[PERFECT_DIM] &= (vertical(before) == 1) & (vertical(now) == -6)
    if conventions.unequal_apart:
        for rule in ("direct-fifth-outer", DIRECT_ANY):
            table[rule] &= ~table["unequal-fifth-dim-perfect"]
    inside = ~piece.across
    leapt = octave_leaps(before, now)
    if conventions.octave_leaps_count:
        table["parallel-fifth"] |= leapt & (vertical(now) == 1)
    excused = int((leapt & (vertical(now) == 0) & inside).sum())
    counts.add("parallel-octave.same_pitch_class_octave_leaps_excluded", excused)
    for rule in PAIR_RULES:
        hits = np.flatnonzero(table[rule] & inside)
        count_rule(piece, rule, name, hits, counts)
        ends = np.flatnonzero(table[rule] & piece.across)
        counts.note(f"{rule}.across_fermata", [place(piece, int(at), name) for at in ends])
    for kind, fifths in (("fifth", 1), ("octave", 0)):
        hits = table[DIRECT_ANY] & (vertical(now) == fifths)
        for part, flags in (("within", hits & inside), ("across", hits & piece.across)):
            found = [place(piece, int(at), name) for at in np.flatnonzero(flags)]
            counts.note(f"{DIRECT_ANY}.{kind}.{part}.{name}", found)


def similar(before: Moments, now: Moments) -> Bools:
    """Whether both voices go the same way."""
    ways = np.sign(now["semitone"][:, :2].astype(int) - before["semitone"][:, :2])
    found: Bools = ways[:, 0] == ways[:, 1]
    return found


def octave_leaps(before: Moments, now: Moments) -> Bools:
    """Whether both voices leap the same way onto their own pitch classes."""
    old, new = before["semitone"][:, :2].astype(int), now["semitone"][:, :2].astype(int)
    way = np.sign(new - old)
    same_class = 7 * (new - old) == 12 * (now["step"][:, :2].astype(int) - before["step"][:, :2])
    both: Bools = same_class.all(axis=1) & (way[:, 0] == way[:, 1])
    return both & moved(before, now, 0) & moved(before, now, 1)


def vertical(now: Moments) -> Ints:
    """Interval from the lower-sounding of two voices to the higher one, on the line of fifths."""
    semitones = now["semitone"][:, 0].astype(np.int64) - now["semitone"][:, 1]
    steps = now["step"][:, 0].astype(np.int64) - now["step"][:, 1]
    fifths: Ints = np.where(semitones < 0, -1, 1) * (7 * semitones - 12 * steps)
    return fifths


def count_rule(
    piece: Setting, rule: str, pair: str, hits: NDArray[np.intp], counts: Counts
) -> None:
    """One rule of one pair of voices inside the phrases."""
    found = [place(piece, int(index), pair) for index in hits]
    counts.note(f"{rule}.by_pair.{pair}", found)
    counts.note(f"{rule}.count", found)
    for index, where in zip(hits, found, strict=True):
        counts.note(f"{rule}.by_level.{level(piece, int(index), pair)}", [where])


def level(piece: Setting, index: int, pair: str) -> str:
    """Whether two voices arrive from beat to beat, on a beat from a shorter note, or off it."""
    onsets, attacks = piece.surface["onset"], piece.surface["attack"]
    if piece.surface["position"][index] % piece.beat:
        return "arrives_off_beat"
    starts = [onsets[np.flatnonzero(attacks[:index, VOICES.index(voice)])[-1]] for voice in pair]
    long = max(starts) <= onsets[index] - piece.beat
    return "beat_to_beat" if long else "arrives_on_beat_from_shorter_note"


def place(piece: Setting, index: int, voices: str) -> Place:
    """Where a slice lies."""
    now = piece.surface[index]
    return Place(piece.name, int(now["bar"]), int(now["position"]) / piece.beat + 1, voices)


def count_line(piece: Setting, voice: int, conventions: Conventions, counts: Counts) -> None:
    """What one voice does as it moves inside a phrase."""
    before, now = two_voices(piece, voice, voice)
    inside_or_across = moved(before, now, 0)
    inside = inside_or_across & ~piece.across
    now["voices"] = before["voices"] = 1
    line = now.copy()
    ends = piece.across & (inside_or_across if conventions.repeats_bridge else True)
    line["boundary"] = ends | piece.fresh[:, voice]
    earlier = earlier_notes(line)
    name = VOICES[voice]
    counts.add("size.melodic_moves_within_phrase", int(inside.sum()))
    counts.add(f"melodic-interval.{name}.moves", int(inside.sum()))
    for group in ("pair", "line"):
        rules_of_group = chosen(group)
        hits = offences(rules_of_group, earlier, before, now) != 0
        for rule, column in zip(rules_of_group.ids, hits.T, strict=True):
            flags = column & inside
            if rule == "leaps-consecutive-same" and conventions.spans_only:
                flags &= wide_or_dissonant(earlier, now)
            if rule in LINE_RULES:
                note_line(piece, rule, name, np.flatnonzero(flags), fifths_of(before, now), counts)


def note_line(
    piece: Setting, rule: str, name: str, hits: NDArray[np.intp], fifths: Ints, counts: Counts
) -> None:
    """One rule of one voice, in all and interval by interval."""
    for index in hits:
        where = [place(piece, int(index), name)]
        counts.note(f"{rule}.{name}", where)
        counts.note(f"{rule}.{name}.{INTERVALS.get(int(fifths[index]), 'other')}", where)


def fifths_of(first: Moments, second: Moments) -> Ints:
    """Interval from one note of a voice to another, without its direction, on the line of fifths."""
    steps = second["step"][:, 0].astype(np.int64) - first["step"][:, 0]
    semitones = second["semitone"][:, 0].astype(np.int64) - first["semitone"][:, 0]
    fifths: Ints = np.where(steps < 0, -1, 1) * (7 * semitones - 12 * steps)
    return fifths


def wide_or_dissonant(earlier: Moments, now: Moments) -> Bools:
    """Whether the notes of a line two moves apart span a dissonance or more than an octave."""
    steps = np.abs(now["step"][:, 0].astype(np.int64) - earlier["step"][:, 0])
    found: Bools = (steps > 7) | ~np.isin(fifths_of(earlier, now), CONSONANT)
    return found


def count_sonorities(piece: Setting, conventions: Conventions, counts: Counts) -> None:
    """How long voices cross or stand too far apart: slices and episodes."""
    unary = chosen("unary")
    bits = offences(unary, piece.surface, piece.surface, piece.surface)
    for rule, column in zip(unary.ids, bits.T, strict=True):
        for upper, lower in PAIRS:
            name = VOICES[upper] + VOICES[lower]
            flags = (column >> (8 * upper + lower)) & 1 == 1
            known = (piece.surface["semitone"][:, [upper, lower]] != REST).all(axis=1)
            run = flags[known] if conventions.silence_bridges else flags
            starts = np.flatnonzero(run & ~np.append(False, run[:-1]))
            indices = np.flatnonzero(known)[starts] if conventions.silence_bridges else starts
            found = [place(piece, int(index), name) for index in indices]
            counts.note(f"{rule}.{name}.episodes", found)
            counts.add(f"{rule}.{name}.verticalities", int(flags.sum()))


# --------------------------------------------------------------------------------------- the table

SIZES = (
    "notes",
    "verticalities",
    "full_four_voice_verticalities",
    "fermata_release_times",
    "both_voice_moves_within_phrase",
    "both_voice_moves_across_fermata",
    "melodic_moves_within_phrase",
    *(f"moves_by_pair.{pair}" for pair in PAIR_NAMES),
)
LEVELS = ("beat_to_beat", "arrives_on_beat_from_shorter_note", "arrives_off_beat")
SPACING = {"SA": "spacing-upper", "AT": "spacing-upper", "TB": "spacing-tenor-bass"}
MELODIC = {  # what is counted of a voice: entry of the file
    "mel-augmented.{voice}": "augmented",
    "mel-augmented.{voice}.A2": "A2",
    "mel-augmented.{voice}.A4": "A4",
    "mel-chromatic-step.{voice}": "chromatic_semitone_A1",
    "mel-diminished.{voice}.d3": "d3",
    "mel-diminished.{voice}.d4": "d4",
    "mel-diminished.{voice}.d5": "d5",
    "mel-diminished.{voice}.d7": "d7",
    "mel-seventh.{voice}.m7": "m7",
    "mel-seventh.{voice}.M7": "M7",
    "mel-over-octave.{voice}": "larger_than_P8",
}


def names() -> Iterator[tuple[str, str]]:
    """Each number that is counted here, and its entry in the file."""
    for size in SIZES:
        yield f"size.{size}", f"size.{size}"
    yield from _pair_names()
    yield from _sonority_names()
    for voice in VOICES:
        yield f"melodic-interval.{voice}.moves", f"melodic-interval.{voice}.moves"
        for counted, entry in MELODIC.items():
            yield counted.format(voice=voice), f"melodic-interval.{voice}.{entry}"
        span = f"leap-recovery.{voice}.of_which_span_dissonant_or_over_8ve"
        yield f"leaps-consecutive-same.{voice}", span


def _pair_names() -> Iterator[tuple[str, str]]:
    excluded = "parallel-octave.same_pitch_class_octave_leaps_excluded"
    yield excluded, excluded
    for rule in PARALLEL_RULES:
        for entry in ("count", "across_fermata"):
            yield f"{rule}.{entry}", f"{rule}.{entry}"
        for pair in PAIR_NAMES:
            yield f"{rule}.by_pair.{pair}", f"{rule}.by_pair.{pair}"
        for level in LEVELS:
            yield f"{rule}.by_level.{level}", f"{rule}.by_level.{level}"
    for kind in ("direct-fifth", "direct-octave"):
        yield f"{kind}-outer.by_pair.SB", f"{kind}.outer_soprano_leaps.count"
        for pair in PAIR_NAMES:
            yield f"{kind}-outer.by_pair.{pair}", f"{kind}.upper_voice_leaps_by_pair.{pair}"
        ours = f"{DIRECT_ANY}.{kind.removeprefix('direct-')}"
        for pair in PAIR_NAMES:
            yield f"{ours}.within.{pair}", f"{kind}.any_similar_motion_by_pair.{pair}"
        yield f"{ours}.across.SB", f"{kind}.across_fermata_outer_any"
    for pair in ADJACENT_NAMES:
        yield f"voice-overlap.by_pair.{pair}", f"voice-overlap.{pair}.count"


def _sonority_names() -> Iterator[tuple[str, str]]:
    for pair in ADJACENT_NAMES:
        for entry in ("episodes", "verticalities"):
            yield f"voice-crossing.{pair}.{entry}", f"voice-crossing.{pair}.{entry}"
            yield f"{SPACING[pair]}.{pair}.{entry}", f"spacing.{pair}.{entry}"
        entry = f"unison-adjacent.{pair}.verticalities"
        yield entry, entry
    for pair in ("ST", "SB", "AB"):
        entry = f"voice-crossing.non_adjacent_verticalities.{pair}"
        yield f"voice-crossing.{pair}.verticalities", entry


def expected_counts(path: Path) -> dict[str, int]:
    """Numbers of a file, by the names under which they are counted here."""
    corpus = json.loads(path.read_text(encoding="utf-8"))["music21_corpus"]
    flat = dict(_flat("", {"size": corpus["size"], **corpus["rules"]}))
    return {ours: flat[entry] for ours, entry in names() if entry in flat}


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        elif isinstance(value, int):
            yield prefix + key, value


def table(
    counts: Counts, expected: Mapping[str, int], reference: Counts | None = None
) -> Iterator[str]:
    """Lines of the table; where a number differs, its places, or how they differ from others.

    Args:
        counts: what was counted.
        expected: numbers by the same names.
        reference: counts by other conventions, whose places are compared.
    """
    yield f"{'number':<60}{'counted':>9}{'expected':>9}{'difference':>12}"
    for name, number in expected.items():
        counted = counts.numbers[name]
        yield f"{name:<60}{counted:>9}{number:>9}{counted - number:>12}"
        if counted != number:
            places = set(counts.places.get(name, ()))
            others = set(reference.places.get(name, ())) if reference else set()
            yield from (f"    + {each}" for each in sorted(places - others))
            yield from (f"    - {each}" for each in sorted(others - places))
    yield f"{len(expected)} numbers, {len(different(counts, expected))} differ"


def different(counts: Counts, expected: Mapping[str, int]) -> list[str]:
    """Names of the numbers that are not as expected."""
    return [name for name, number in expected.items() if counts.numbers[name] != number]


def main() -> int:
    """Print the table; exit 1 if a number differs."""
    from corpora.settings import load_settings

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--expected", type=Path, required=True, help="JSON file of counts")
    parser.add_argument("--plain", action="store_true", help="by our own rules' definitions")
    options = parser.parse_args()
    settings, expected = load_settings(), expected_counts(options.expected)
    counts = count(settings, Conventions())
    if options.plain:
        print("\n".join(table(count(settings, PLAIN), expected, counts)))
        return 0
    print("\n".join(table(counts, expected)))
    return int(bool(different(counts, expected)))


if __name__ == "__main__":
    sys.exit(main())
