"""Canons of few bars: the follower copies its leader, whatever the seed and the interval."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musegen.errors import InfeasibleError
from musegen.motive import read_theme
from musegen.plan.layout import tonic
from musegen.weaving.beam import Weave, weave
from musegen.weaving.course import chords_of
from musegen.weaving.fabric import PARTS, Copy, Fabric, Silent, Task, Timbre, stated_line
from musegen.weaving.lines import notes_of
from musegen.weaving.rhythms import RUNNING, STRUCK
from theory_kb.check import load_style
from theory_kb.pitch import Interval, Key

LAG = 2  # beats
BEATS = 8
GOLDEN = [
    "G4:1 C5:1/2 B4:1/2 C5:1/2 D5:1/2 E5:1/2 D5:1/2 C5:1/2 E5:1/2 C5:1/2 B4:1/2 A4:1/2 B4:1/2 C5:1/2 A4:1/2",
    "G3:1 C4:1/2 B3:1/2 C4:1/2 D4:1/2 E4:1/2 D4:1/2 C4:1/2 E4:1/2 C4:1/2 B3:1/2",
]
INTERVALS = ("-P8", "P1", "-P5", "-P4", "M3", "m6")


def small_canon(interval: Interval, key: Key, *, exact: bool) -> Fabric:
    """Two bars for two voices, the follower after two beats."""
    copy = Copy(0, LAG, interval.steps, interval.semitones if exact else None)
    voices = (Timbre("L", 28, 40), Timbre("F", 28 + interval.steps, 40 + interval.steps))
    lead: tuple[Task, ...] = (STRUCK, *(RUNNING,) * (BEATS - 1))
    follow: tuple[Task, ...] = (*(Silent(),) * LAG, *(copy,) * (BEATS - LAG))
    chords = ((tonic(key),), *(chords_of(key),) * (BEATS - 1))
    return Fabric((4, 4), voices, (lead, follow), chords, bass=False, crossing=True)


@given(
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(INTERVALS),
    key=st.sampled_from(("C major", "D minor", "Eb major")),
)
@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
def test_a_follower_copies_its_leader(seed: int, name: str, key: str) -> None:
    """Step for step at any interval, and semitone for semitone at the unison and the octave."""
    interval = Interval.parse(name)
    exact = interval.number in (1, 8)
    fabric = small_canon(interval, Key.parse(key), exact=exact)
    rng = np.random.default_rng(seed)
    woven = weave(fabric, load_style("imitation"), rng=rng, how=Weave(width=8, each=30))
    late = LAG * PARTS
    assert (woven.steps[1, late:] == woven.steps[0, :-late] + interval.steps).all()
    assert (woven.attacks[1, late:] == woven.attacks[0, :-late]).all()
    if exact:
        assert (woven.semitones[1, late:] == woven.semitones[0, :-late] + interval.semitones).all()


def test_the_same_seed_weaves_the_same_lines() -> None:
    """Nothing but the seed decides."""
    fabric = small_canon(Interval.parse("-P8"), Key.parse("G major"), exact=True)
    style = load_style("imitation")
    one, two, other = (
        weave(fabric, style, rng=np.random.default_rng(seed), how=Weave(width=8, each=30))
        for seed in (1, 1, 2)
    )
    assert (one.semitones == two.semitones).all()
    assert (one.attacks == two.attacks).all()
    assert one.cost == two.cost
    assert (one.semitones != other.semitones).any()


def told(fabric: Fabric, seed: int) -> list[str]:
    """Lines as text: pitches with their quarter notes."""
    style = load_style("imitation")
    woven = weave(fabric, style, rng=np.random.default_rng(seed), how=Weave(width=8, each=30))
    lines = (notes_of(woven, voice) for voice in range(len(fabric.voices)))
    return [" ".join(f"{note.pitch.name}:{note.duration}" for note in line) for line in lines]


def test_a_short_canon_as_text() -> None:
    """Two bars in C at the octave below: the lower line is the upper one, two beats later."""
    assert told(small_canon(Interval.parse("-P8"), Key.parse("C major"), exact=True), 5) == GOLDEN


def test_what_cannot_be_woven_is_refused_with_its_place() -> None:
    """Two lines that are stated in parallel fifths leave no way on, however often it goes back."""
    key, beats = Key.parse("C major"), 4
    rows = ("G4:q A4:q B4:q C5:q", "C4:q D4:q E4:q F4:q")
    lines = tuple(stated_line(read_theme(row), beats) for row in rows)
    voices = (Timbre("U", 28, 40), Timbre("L", 24, 36))
    chords = ((tonic(key),), *(chords_of(key),) * (beats - 1))
    fabric = Fabric((4, 4), voices, lines, chords, bass=False)
    with pytest.raises(InfeasibleError, match="bar 1, beat 2: the rules leave no way on"):
        weave(fabric, load_style("imitation"), rng=np.random.default_rng(0))
