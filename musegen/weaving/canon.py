"""Canon and round: a follower copies its leader, for a canon at any interval, until the free close."""

from __future__ import annotations

from itertools import cycle

from musegen.errors import OptionError
from musegen.plan.layout import tonic
from musegen.weaving.design import Canonic, Design, Loom
from musegen.weaving.fabric import Copy, Free, Timbre
from musegen.weaving.material import placed
from musegen.weaving.rhythms import RUNNING, STRUCK, drawn_bar, liking
from theory_kb.chords import spell
from theory_kb.pitch import Interval

__all__ = ["canon", "canon_voices", "round_", "round_voices"]

LEADER = Timbre("Leader", 30, 40)
BARS = 3  # different bars of rhythm
DENSITY = 1.4  # notes a beat
RESTING = Free((((0,), 0.5), ((), 0.0)))
SINGERS = 4
WIDEST = 21  # staff steps of the interval of a canon
EXACT = frozenset({1, 8, 15, 22})  # numbers of intervals at which nothing needs to be adapted


def canon_voices(interval: Interval) -> tuple[Timbre, ...]:
    """Leader and follower, from high to low."""
    if abs(interval.steps) > WIDEST:
        raise OptionError("interval", interval.name, "three octaves at most")
    low = LEADER.low + interval.steps
    follower = Timbre("Follower", low, LEADER.high + interval.steps)
    return (LEADER, follower) if interval.steps <= 0 else (follower, LEADER)


def canon(loom: Loom) -> Design:
    """A canon of two voices: the follower enters where the leader's bars alone are over.

    A canon at the unison or octave is exact; one at another interval keeps to the key (its steps are
    exact, its semitones those of the scale) unless it is asked to be strict.
    """
    interval = Interval.parse(loom.template.interval)
    below = interval.steps <= 0
    leader, follower = (0, 1) if below else (1, 0)
    sections = loom.course.starts
    names = list(sections)
    lag, end = sections[names[1]], sections[names[-1]]
    exact = loom.template.strict or interval.number in EXACT
    _lead(loom, leader)
    copy = Copy(leader, lag, interval.steps, interval.semitones if exact else None)
    for beat in range(lag, end):
        loom.tasks[follower][beat] = copy
    loom.free(follower, range(end, loom.beats), RUNNING)
    loom.closed()
    words = f"{'exact' if exact else 'diatonic'} canon at {interval.name}, {lag} beats later"
    loom.mark("subject", leader, 0, end, "leader")
    loom.mark("imitation", follower, lag, end - lag, f"follower: {words}")
    return loom.design(
        Canonic(leader, follower, interval.steps, interval.semitones, lag, exact, end)
    )


def _lead(loom: Loom, voice: int) -> None:
    """The leader: what is given, then bars of a few rhythms in turn."""
    pool = cycle([drawn_bar(loom.template.metre, DENSITY, rng=loom.rng) for _ in range(BARS)])
    for beat in range(0, loom.beats, loom.per_bar):
        for place, pattern in enumerate(next(pool)):
            loom.tasks[voice][beat + place] = liking(pattern)
    loom.tasks[voice][0] = STRUCK
    if loom.theme:
        _given(loom, voice)


def _given(loom: Loom, voice: int) -> None:
    beats = -int(-loom.theme[-1].end // 1)
    if beats > loom.beats // 2:
        raise OptionError(
            "theme", f"{beats} beats", f"at most {loom.beats // 2}, half of the piece"
        )
    loom.state(voice, 0, placed(loom.theme, loom.voices[voice]), beats)


def round_voices() -> tuple[Timbre, ...]:
    """Equal voices."""
    return tuple(Timbre(f"Voice {number}", 26, 37) for number in range(1, SINGERS + 1))


def round_(loom: Loom) -> Design:
    """A round: each voice sings what the one before sang a line earlier, at the unison."""
    lines = list(loom.course.starts.values())
    lag = lines[1]
    home = tonic(loom.home)
    _lead(loom, 0)
    _line_ends(loom, lag)
    for voice in range(1, len(loom.voices)):
        for beat in range(voice * lag, loom.beats):
            loom.tasks[voice][beat] = Copy(0, voice * lag, 0, 0)
        loom.mark("imitation", voice, voice * lag, loom.beats - voice * lag, "the same line")
    loom.mark("subject", 0, 0, loom.beats, "all lines, one after another")
    for beat in range(lag, loom.beats):
        loom.course.harmonies[beat] = loom.course.harmonies[beat % lag]
    loom.course.harmonies[loom.beats - loom.per_bar :] = [(home,)] * loom.per_bar
    return loom.design(Canonic(0, 1, 0, 0, lag, strict=True), crossing=True)


def _line_ends(loom: Loom, lag: int) -> None:
    """Each line comes to rest on its last bar: all voices are there together when the round ends.

    The last line rests on the tonic, one of the others on the third, so that the last chord is full.
    """
    home = tonic(loom.home)
    root, third, fifth = (frozenset({each.semitone}) for each in spell(home.chord, home.key))
    ends = range(lag, loom.beats + 1, lag)
    full = int(loom.rng.integers(len(ends) - 1))
    for line, end in enumerate(ends):
        rest = end - loom.per_bar
        loom.free(0, range(rest, end), RESTING)
        loom.course.harmonies[rest:end] = [(home,)] * loom.per_bar
        others = root if end == loom.beats else root | fifth
        loom.course.tops[rest] = third if line == full else others
