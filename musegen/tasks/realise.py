"""Realise a figured bass, an unfigured one, or a row of chords, for a choir or at the keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from musegen.errors import DeadEndError, InfeasibleError, OptionError, ScoreError
from musegen.models.protocol import SlotModel
from musegen.plan.bass_text import is_bass, read_bass
from musegen.plan.chord_text import read_chords
from musegen.plan.ensemble import CHOIR, KEYBOARD_TRIO, Ensemble, ensemble
from musegen.plan.given_notes import pattern_lines, with_notes
from musegen.plan.plan import ANY, COMMON, CONDITIONAL, Plan
from musegen.plan.setting import plan_around, plan_of_chords
from musegen.plan.thoroughbass import UNFIGURED, plan_of_figures
from musegen.score import FigureMark, Metre, Score
from musegen.tasks.writing import Draft, Options, write_several
from theory_kb.check import Style, load_style
from theory_kb.chords import read_chord
from theory_kb.metre import metre_names
from theory_kb.pitch import Key
from theory_kb.thoroughbass import figures_of

__all__ = ["realise"]

GRADES = (COMMON, CONDITIONAL, ANY)  # of progressions over an unfigured bass, tried in turn
CHOIR_BASS = CHOIR.bass


def realise(  # noqa: PLR0913 - one keyword an option, each with a default
    given: str | Score,
    options: Options,
    *,
    texture: str = "chorale",
    voices: int | None = None,
    unfigured: str | None = None,
    key: Key | None = None,
    metre: str = "4/4",
    pattern: Score | None = None,
    count: int = 1,
    models: Mapping[str, SlotModel] | None = None,
) -> tuple[Draft, ...]:
    """Write the upper voices.

    Args:
        given: a score whose lowest part is the bass, with its `figures`; or a text, of Roman
            numerals (`musegen.plan.chord_text`) or of a bass (`musegen.plan.bass_text`).
        options: how. What figures ask for is written without ornaments, and so is what hands play;
            at the keyboard the style `kbd` stands for the default.
        texture: `chorale`, or `keyboard` with the upper voices in the right hand.
        voices: 4, at the keyboard 3 too; None is 4, or at the keyboard 3 where 4 have no solution.
        unfigured: what stands over a bass note without figures: `triad`, or `free` for any chord;
            None is `triad` where the bass has figures at all.
        key: the key, if it is not the score's or the text's.
        metre: of a text, such as `"3/4"`.
        pattern: notes of a choir that must stand, see `musegen.plan.given_notes`.
        count: how many different solutions, best first.
        models: proposers by name, if not those of the shipped weights.

    Raises:
        OptionError: a text that holds neither chords nor a bass, or an option out of its range.
        UnknownNameError: a texture or chord that does not exist.
        ScoreError: a bass without notes, figures that mean no chord, or a pattern that the chords do
            not hold; names bar and beat.
        InfeasibleError: the hard rules leave no solution; names the place and the rules.
    """
    players, written_in = _players(texture, voices), _metre(metre)
    if unfigured not in (None, *UNFIGURED):
        raise OptionError("unfigured", unfigured, f"one of {', '.join(UNFIGURED)}")
    if isinstance(given, str) and is_bass(given):
        given = read_bass(given, metre=written_in)
    plans = [
        _with_pattern(plan, pattern)
        for each in players
        for plan in (
            (_of_chords(given, each, key, written_in),)
            if isinstance(given, str)
            else _of_bass(given, each, key, unfigured, load_style(_style(options, each)))
        )
    ]
    found = _first_written(plans, _fitting(options, plans[0]), count, models)
    return tuple(each if each.score.figures else _with_figures(each) for each in found)


def _first_written(
    plans: Sequence[Plan], options: Options, count: int, models: Mapping[str, SlotModel] | None
) -> tuple[Draft, ...]:
    """Solutions of the first plan that has any; rules give way only where no plan has one without.

    Raises:
        InfeasibleError, DeadEndError: that of the last plan.
    """
    attempts = [(plan, False) for plan in plans if len(plans) > 1 or not plan.lenient]
    attempts += [(plan, True) for plan in plans if plan.lenient]

    def written(plan: Plan, led_on: bool) -> tuple[Draft, ...]:
        rng = np.random.default_rng(options.seed)
        return write_several(plan, options, rng=rng, count=count, models=models, led_on=led_on)

    for each in attempts[:-1]:
        with suppress(InfeasibleError, DeadEndError):
            return written(*each)
    return written(*attempts[-1])


def _metre(text: str) -> Metre:
    """A metre by its name, such as `3/4`."""
    if text not in metre_names():
        raise OptionError("metre", text, f"one of {', '.join(metre_names())}")
    beats, unit = (int(number) for number in text.split("/"))
    return Metre(beats, unit)


def _with_pattern(plan: Plan, pattern: Score | None) -> Plan:
    """A plan of a choir's chords in which some notes must stand."""
    if pattern is None:
        return plan
    if plan.ensemble != CHOIR or any(slot.figured is not None for slot in plan.slots):
        raise OptionError("given", pattern.title, "for chords in four voices, not over figures")
    return with_notes(plan, pattern_lines(pattern))


def _players(texture: str, voices: int | None) -> tuple[Ensemble, ...]:
    """Ensembles in the order in which they are tried: a hand can drop a voice, a choir cannot."""
    if voices is not None:
        return (ensemble(texture, voices),)
    full = ensemble(texture)
    return (full, KEYBOARD_TRIO) if full.hands else (full,)


def _fitting(options: Options, plan: Plan) -> Options:
    """Options as the task has them: no ornaments where figures or hands forbid them."""
    players = plan.ensemble
    settled = players.hands > 0 or any(slot.figured is not None for slot in plan.slots)
    figures = options.figures and not settled
    return replace(options, style=_style(options, players), figures=figures)


def _style(options: Options, players: Ensemble) -> str:
    """The style that is asked for; in place of the default that of the players."""
    return players.style if options.style == CHOIR.style else options.style


# --- plans ----------------------------------------------------------------------------------


def _of_chords(text: str, players: Ensemble, key: Key | None, metre: Metre) -> Plan:
    if key is not None:
        raise OptionError("key", str(key), "left out: a text names its own")
    return replace(plan_of_chords(read_chords(text), metre=metre), ensemble=players)


def _of_bass(
    score: Score, players: Ensemble, key: Key | None, unfigured: str | None, style: Style
) -> tuple[Plan, ...]:
    """Plans in the order in which they are tried."""
    if not score.parts or not score.parts[-1].notes:
        raise ScoreError(score.title, "the bass has no notes")
    bass = replace(score, parts=score.parts[-1:])
    _check_room(bass, players)
    if score.figures or unfigured == "triad":
        policy = unfigured or "triad"
        return (plan_of_figures(bass, home=key, unfigured=policy, ensemble=players),)
    return tuple(
        _seated(
            plan_around(
                bass,
                {CHOIR_BASS: bass.parts[-1].notes},
                home=key,
                name="Realisation",
                least_grade=grade,
                style=style,
            ),
            players,
        )
        for grade in GRADES
    )


def _check_room(bass: Score, players: Ensemble) -> None:
    """Refuse a bass above which the other voices find no place."""
    highest = players.compass[-2].core_high
    room = highest.semitone - (players.span or 0)
    for note in bass.parts[-1].notes:
        if note.pitch.semitone > room:
            bar, beat = bass.bar_and_beat(note.onset)
            raise ScoreError(
                f"bar {bar}, beat {float(beat):g}",
                f"the bass {note.pitch} leaves no room above it: the next voice goes up to "
                f"{highest}; write the bass lower",
            )


def _seated(plan: Plan, players: Ensemble) -> Plan:
    """A plan around the bass of a choir, for other players."""
    slots = tuple(
        replace(slot, given=(*(None,) * players.bass, slot.given[CHOIR_BASS]))
        for slot in plan.slots
    )
    lines = {players.bass: plan.lines[CHOIR_BASS]}
    return replace(plan, ensemble=players, slots=slots, lines=lines)


# --- figures --------------------------------------------------------------------------------


def _with_figures(draft: Draft) -> Draft:
    """A draft whose chords are also written as figures under the bass."""
    home = draft.plan.home
    marks = []
    for label in draft.score.chords:
        figures = figures_of(read_chord(label.key.mode, label.numeral), label.key, home.signature)
        if figures.text:
            marks.append(FigureMark(label.onset, label.duration, figures.text))
    return replace(draft, score=replace(draft.score, figures=tuple(marks)))
