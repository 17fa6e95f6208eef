"""Time the checker on the chorales, and beside it music21 on the same pairs of voices.

    python benchmarks/check_speed.py --style bach --passes 5 --peer-pieces 20

One core, one thread; seconds are processor time, so that other work on the machine does not count.
Reading, labelling and slicing are not timed; compiling (or loading) kernels is
timed by itself, as the first piece. Then all pieces are checked `--passes` times; the best and the
median pass count. A finding words itself when it is asked to; what wording all of them adds is a row.

The peer is `music21.voiceLeading.VoiceLeadingQuartet`: for each pair of voices that both move, one
quartet of ready notes is made and asked for parallel fifths, octaves and unisons, hidden fifths and
octaves, overlap and crossing. Ours is a check by the rules on the same matters; both answer for every
move of the same pieces in the same run, and the ratio is that of their seconds.

The last table is where our time goes: microseconds a piece of each batch of kernels and of each rule
on whole pieces, the slowest first. What several rules share is measured with the first that asks.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory_kb.check import Piece, Style

THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PEER_RULES = (
    "parallel-fifth",
    "parallel-octave",
    "parallel-unison",
    "contrary-fifth",
    "contrary-octave",
    "direct-fifth-outer",
    "direct-octave-outer",
    "direct-unison",
    "voice-overlap",
    "voice-crossing",
)
QUESTIONS = (
    "parallelFifth",
    "parallelOctave",
    "parallelUnison",
    "hiddenFifth",
    "hiddenOctave",
    "voiceOverlap",
    "voiceCrossing",
)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of processor time that some work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def check_all(pieces: Sequence[Piece], style: Style) -> int:
    """Check every piece; how many findings there are."""
    from theory_kb.check import check

    return sum(len(check(piece, style).findings) for piece in pieces)


def word_all(pieces: Sequence[Piece], style: Style) -> int:
    """Check every piece and word every finding; how many letters that makes."""
    from theory_kb.check import check

    return sum(
        len(finding.message + finding.repair + finding.source)
        for piece in pieces
        for finding in check(piece, style).findings
    )


def moves(piece: Piece) -> list[tuple[tuple[int, int], ...]]:
    """Every move of two voices: (step, semitone) of upper before, now, lower before, now."""
    from theory_kb.moment import REST

    surface = piece.surface
    count = len(piece.voices)
    steps, semitones = (surface[name][:, :count].tolist() for name in ("step", "semitone"))
    found = []
    for index in range(1, len(surface)):
        for pair in combinations(range(count), 2):
            notes = [
                (steps[place][voice], semitones[place][voice])
                for voice in pair
                for place in (index - 1, index)
            ]
            silent = any(semitone == REST for _, semitone in notes)
            if not silent and notes[0] != notes[1] and notes[2] != notes[3]:
                found.append(tuple(notes))
    return found


def peer_seconds(work: Sequence[tuple[tuple[int, int], ...]]) -> float:
    """Seconds that quartets of music21 take to judge some moves; their notes are made before."""
    from music21.note import Note
    from music21.voiceLeading import VoiceLeadingQuartet

    from theory_kb.pitch import Pitch

    notes: dict[tuple[int, int], Any] = {
        note: Note(Pitch(*note).name.replace("b", "-")) for move in work for note in move
    }

    def judge() -> int:
        found = 0
        for move in work:
            quartet: Any = VoiceLeadingQuartet(*(notes[note] for note in move))
            found += sum(getattr(quartet, question)() for question in QUESTIONS)
        return found

    VoiceLeadingQuartet(*(notes[note] for note in work[0]))  # fills its cache of intervals
    return seconds(judge)


def only(style: Style, names: Sequence[str]) -> Style:
    """The same style with these rules alone."""
    from dataclasses import replace

    severities = {name: level if name in names else "-" for name, level in style.severities.items()}
    return replace(style, severities=severities)


def where_time_goes(pieces: Sequence[Piece], style: Style) -> Counter[str]:
    """Microseconds a piece of each batch of kernels and each rule on whole pieces."""
    from theory_kb.check import stages

    spent: Counter[str] = Counter()
    for piece in pieces:
        for name, work in stages(piece, style):
            spent[name] += round(1e9 * seconds(work))
    return Counter(
        {name: nanoseconds // (1000 * len(pieces)) for name, nanoseconds in spent.items()}
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--style", default="bach")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--peer-pieces", type=int, default=20)
    parser.add_argument("--slowest", type=int, default=25, help="rows of the last table")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))

    import corpora
    from musegen.slices import piece
    from musegen.threads import one_thread
    from theory_kb.check import load_style

    style = load_style(options.style)
    pieces = [piece(each.score) for each in corpora.load().pieces]
    with one_thread():
        report(pieces, style, options)
    return 0


def report(pieces: Sequence[Piece], style: Style, options: argparse.Namespace) -> None:
    """Time and print."""
    cold = seconds(lambda: check_all(pieces[:1], style))
    check_all(pieces, style)
    passes = [seconds(lambda: check_all(pieces, style)) for _ in range(options.passes)]
    worded = [seconds(lambda: word_all(pieces, style)) for _ in range(options.passes)]
    best = min(passes)
    notes = sum(int(each.surface["attack"].sum()) for each in pieces)
    judged = sum(len(moves(each)) for each in pieces)
    on = sum(level != "-" for level in style.severities.values())
    print(f"pieces                       {len(pieces)}")
    print(f"rules on in style {style.name:<10} {on}")
    print(f"notes                        {notes}")
    print(f"moves of two voices          {judged}")
    print(f"findings                     {check_all(pieces, style)}")
    print(f"first piece, kernels loaded  {cold:.3f} s")
    print(f"all pieces, best pass        {best:.3f} s")
    print(f"all pieces, median pass      {statistics.median(passes):.3f} s")
    print(f"... and all findings worded  {min(worded):.3f} s")
    print(f"371 pieces at that rate      {371 * best / len(pieces):.3f} s")
    print(f"notes a second               {notes / best:.0f}")
    print(f"moves a second               {judged / best:.0f}")
    report_peer(pieces[: options.peer_pieces], style, options.passes)
    print("\nmicroseconds a piece")
    for name, spent in where_time_goes(pieces, style).most_common(options.slowest):
        print(f"  {name:<42}{spent:>6}")


def report_peer(pieces: Sequence[Piece], style: Style, passes: int) -> None:
    """Time the peer and ours on the same moves, and print."""
    same = only(style, PEER_RULES)
    work = [move for each in pieces for move in moves(each)]
    check_all(pieces, same)
    ours = min(seconds(lambda: check_all(pieces, same)) for _ in range(passes))
    every_rule = min(seconds(lambda: check_all(pieces, style)) for _ in range(passes))
    theirs = peer_seconds(work)
    print(f"\nthe first {len(pieces)} pieces, {len(work)} moves of two voices")
    print(f"music21 VoiceLeadingQuartet  {theirs:.3f} s, {1e6 * theirs / len(work):.1f} us a move")
    print(f"our rules on the same        {ours:.4f} s, {1e6 * ours / len(work):.2f} us a move")
    print(f"ratio                        {theirs / ours:.0f}")
    print(f"ratio to all our rules       {theirs / every_rule:.0f}")


if __name__ == "__main__":
    sys.exit(main())
