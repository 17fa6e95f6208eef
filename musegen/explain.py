"""Why every chord and every note of a composed piece stands there.

A chord is explained by the path in the knowledge graph that licensed it: its function, the
progression from the chord before, the pivot or the cadence formula it belongs to. A note is
explained by its role, by the rules that removed the notes that could have stood there instead,
and by what the models gave it. Alternatives are judged by the same kernels and models that
composed the piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from musegen.models.protocol import VOICES, BoolArray, NoteModel, State
from musegen.plan.plan import Harmony, Plan, Slot
from musegen.proposals import as_candidates
from musegen.score import Note
from musegen.sounding import spelled
from musegen.tasks.writing import Draft
from musegen.threads import one_thread
from musegen.transitions import link
from theory_kb.chords import set_harmony, spell
from theory_kb.graph import evidence
from theory_kb.moment import Moments
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.query import may_follow
from theory_kb.rule_sets import RuleSet, broken, rule_set
from theory_kb.rules.records import rules

__all__ = ["explanation"]

MEMBER_NAMES = ("root", "third", "fifth", "seventh")
FUNCTION_NAMES = {"T": "tonic", "S": "predominant", "D": "dominant", "X": "passing"}
FIGURE_REASONS: Mapping[str, tuple[str, str]] = {
    "passing": ("passing tone: fills the step between {before} and {after}", "KP 11"),
    "neighbor-upper": ("upper neighbour: leaves {before} by step and returns to it", "KP 11"),
    "neighbor-lower": ("lower neighbour: leaves {before} by step and returns to it", "KP 11"),
    "suspension": ("suspension: held from the chord before, falls by step to {after}", "KP 12"),
    "anticipation": ("anticipation: sounds {after} before its chord arrives", "KP 12"),
    "chordal-skip": ("skip inside the chord, from {before} on to {after}", "KP 11"),
}
REACH = 12  # semitones around the chosen note within which alternatives are looked at
MOST_ALTERNATIVES = 4
OUTSIDE = "voicings keep to core ranges, order and close spacing, and sound every essential member"


def explanation(draft: Draft) -> dict[str, Any]:
    """The explanation document of a draft: JSON-able, the same for the same draft."""
    score, plan = draft.score, draft.plan
    harmonies = [
        _harmony(slot, moment) for slot, moment in zip(plan.slots, draft.skeleton, strict=True)
    ]
    chords = [_chord(draft, harmonies, place) for place in range(len(harmonies))]
    with one_thread():
        judged = _alternatives(draft, harmonies)
    return {
        "title": score.title,
        "key": score.key.name,
        "form": plan.name,
        "style": draft.problem.style.name,
        "seed": draft.options.seed,
        "chords": chords,
        "notes": [
            _note(draft, harmonies, judged, part, number, note)
            for part, line in enumerate(score.parts)
            for number, note in enumerate(line.notes)
            if _written_here(plan, note)
        ],
        "findings": [_finding(finding, plan) for finding in draft.report.findings],
        "skipped": [{"rule": each.rule, "reason": each.reason} for each in draft.report.skipped],
    }


def _written_here(plan: Plan, note: Note) -> bool:
    """Whether a note begins within the slots of a plan, which may be a window of the piece."""
    last = plan.slots[-1]
    return plan.slots[0].onset <= note.onset < last.onset + last.duration


def _finding(finding: Any, plan: Plan) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "rule": finding.rule,
        "bar": finding.bar,
        "beat": finding.beat,
        "voices": [plan.ensemble.voices[voice] for voice in finding.voices],
        "message": finding.message,
        "repair": finding.repair,
        "source": finding.source,
    }


def _harmony(slot: Slot, moment: np.void) -> Harmony:
    for harmony in slot.harmonies:
        tonic = harmony.key.tonic.fifths
        if harmony.chord.index == moment["chord"] and tonic == moment["tonic"]:
            return harmony
    raise AssertionError("a chosen moment carries one of its slot's harmonies")


# --- chords ---------------------------------------------------------------------------------


def _chord(draft: Draft, harmonies: Sequence[Harmony], place: int) -> dict[str, Any]:
    slot, harmony = draft.plan.slots[place], harmonies[place]
    bar, beat = draft.score.bar_and_beat(slot.onset)
    return {
        "index": place,
        "bar": bar,
        "beat": float(beat),
        "onset": str(slot.onset),
        "key": harmony.key.name,
        "numeral": harmony.chord.symbol,
        "function": FUNCTION_NAMES[harmony.chord.function],
        "reasons": _chord_reasons(draft.plan, harmonies, place),
    }


def _chord_reasons(plan: Plan, harmonies: Sequence[Harmony], place: int) -> list[dict[str, str]]:
    slot, harmony = plan.slots[place], harmonies[place]
    chord, key = harmony.chord, harmony.key
    tones = ", ".join(str(tone) for tone in spell(chord, key))
    reasons = [
        _reason(
            f"{chord.symbol} of {key} is {tones}; its function is {FUNCTION_NAMES[chord.function]}",
            chord.source,
        )
    ]
    reasons.extend(_progression_reasons(slot, harmonies, place))
    phrase = plan.phrases[slot.phrase]
    if phrase.formula is not None and slot.to_end < len(phrase.formula.chords):
        formula = "-".join(phrase.formula.chords)
        reasons.append(
            _reason(
                f"belongs to the cadence {phrase.cadence} ({phrase.formula.id}: "
                f"{formula}) that closes {phrase.name}",
                phrase.formula.source,
            )
        )
    return reasons


def _progression_reasons(
    slot: Slot, harmonies: Sequence[Harmony], place: int
) -> list[dict[str, str]]:
    if slot.opens:
        return [_reason("opens the phrase", "OMT")]
    before, after = harmonies[place - 1], harmonies[place]
    _, pivot = link(before, after)
    if pivot is None:
        return [
            _reason(edge.sentence(), edge.source)
            for edge in evidence(before.chord, after.chord)
            if edge.relation == "may_go_to"
        ]
    progression = may_follow(pivot, after.chord)
    text = (
        f"{before.chord.symbol} of {before.key} is {pivot.symbol} of {after.key}: "
        f"the pivot into {after.key}; {progression.text}"
    )
    return [_reason(text, progression.source)]


def _reason(text: str, source: str) -> dict[str, str]:
    return {"text": text, "source": source}


# --- alternatives ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judged:
    """What could have stood at a voice of a slot instead, and what came of it."""

    alternatives: tuple[dict[str, Any], ...]
    rules: tuple[str, ...]  # rules that removed at least one alternative
    models: dict[str, float]  # log-score of the chosen note or sonority by model, nats


def _alternatives(draft: Draft, harmonies: Sequence[Harmony]) -> list[list[_Judged]]:
    """For each slot and voice, the judged alternatives."""
    sets = {
        group: rule_set(draft.problem.style, group, "both") for group in ("unary", "pair", "line")
    }
    states = {
        name: model.start(draft.scorer.features) for name, model in draft.scorer.models.items()
    }
    root = np.zeros(1, np.int64)
    judged = []
    for place, harmony in enumerate(harmonies):
        judged.append(_judge_slot(draft, harmony, place, sets, states))
        for name, model in draft.scorer.models.items():
            choice = np.array([draft.path[place]])
            states[name] = model.advance(states[name], draft.scorer.slots[place], root, choice)
    return judged


def _judge_slot(
    draft: Draft,
    harmony: Harmony,
    place: int,
    sets: Mapping[str, RuleSet],
    states: Mapping[str, State],
) -> list[_Judged]:
    others, voices = _other_moments(draft, harmony, place)
    left_out = _left_out(draft, place, others)
    fired = _fired(draft, place, others, sets, left_out)
    planned = _planned(draft, place, others, left_out)
    scores = _scores(draft, place, others, states)
    judged = []
    for voice in range(draft.plan.ensemble.size):
        rows = [row for row in range(1, len(others)) if voices[row] == voice]
        entries = [_entry(voice, others, row, scores, fired[row], planned[row]) for row in rows]
        entries.sort(key=lambda entry: (-entry["score"], entry["pitch"]))
        rules = tuple(sorted({rule for row in rows for rule in fired[row]}))
        models = _shares(draft, place, voice, others, states)
        judged.append(_Judged(tuple(entries[:MOST_ALTERNATIVES]), rules, models))
    return judged


def _other_moments(draft: Draft, harmony: Harmony, place: int) -> tuple[Moments, list[int]]:
    """The chosen moment, then it with one voice on each other chord tone near by."""
    chosen = draft.skeleton[place]
    rows, voices = [chosen], [-1]
    for voice, compass in enumerate(draft.plan.ensemble.compass):
        for pitch in _tones_near(harmony, int(chosen["semitone"][voice])):
            inside = compass.extended_low.semitone <= pitch.semitone
            if inside and pitch.semitone <= compass.extended_high.semitone:
                row = chosen.copy()
                row["step"][voice], row["semitone"][voice] = pitch.step, pitch.semitone
                rows.append(row)
                voices.append(voice)
    others = np.stack(rows)
    set_harmony(others, harmony.chord, harmony.key)
    return others, voices


def _tones_near(harmony: Harmony, semitone: int) -> list[Pitch]:
    tones = (
        Pitch.of(member, octave)
        for member in spell(harmony.chord, harmony.key)
        for octave in range(1, 7)
    )
    return sorted(tone for tone in tones if 0 < abs(tone.semitone - semitone) <= REACH)


def _fired(
    draft: Draft,
    place: int,
    others: Moments,
    sets: Mapping[str, RuleSet],
    left_out: BoolArray,
) -> list[tuple[str, ...]]:
    """Rules that each row breaks: hard ones, with its neighbours too, and of what was left out all."""
    skeleton = draft.skeleton
    names: list[list[str]] = [[] for _ in others]

    def collect(rules: RuleSet, before: Moments, now: Moments, soft: BoolArray) -> None:
        found = broken(rules, before, before, now)
        found[:, rules.hard :] &= soft[:, None]
        for row, flags in enumerate(found):
            names[row].extend(rules.ids[place] for place in np.flatnonzero(flags))

    never = np.zeros(len(others), np.bool_)
    collect(sets["unary"], others, others, left_out)
    if place:
        before = np.repeat(skeleton[place - 1 : place], len(others))
        collect(sets["pair"], before, others, never)
    if place + 1 < len(skeleton):
        after = np.repeat(skeleton[place + 1 : place + 2], len(others))
        collect(sets["pair"], others, after, never)
    return [tuple(dict.fromkeys(row)) for row in names]


def _scores(
    draft: Draft, place: int, others: Moments, states: Mapping[str, State]
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Each model's log-score of each row, in nats."""
    candidates = as_candidates(others, draft.plan.slots[place], draft.plan)
    return {
        name: model.log_scores(states[name], candidates)[0]
        for name, model in draft.scorer.models.items()
    }


def _left_out(draft: Draft, place: int, others: Moments) -> BoolArray:
    """Which rows are none of the slot's candidates."""
    here = draft.problem.slots[place].moments
    voices = slice(0, draft.plan.ensemble.size)
    offered = set(map(tuple, here["semitone"][:, voices].tolist()))
    rows = map(tuple, others["semitone"][:, voices].tolist())
    return np.array([row not in offered for row in rows])


def _planned(draft: Draft, place: int, others: Moments, left_out: BoolArray) -> list[str]:
    """What else than a rule left each row out; empty where nothing did."""
    wanted = draft.plan.slots[place].soprano
    tonic = PitchClass(int(others["tonic"][0])).letter
    degrees = (others["step"][:, 0].astype(np.int64) - tonic) % 7 + 1
    bound = f"the cadence asks for scale degree {' or '.join(map(str, wanted))} in the soprano here"
    return [
        bound if wanted and degree not in wanted else OUTSIDE if out else ""
        for degree, out in zip(degrees.tolist(), left_out, strict=True)
    ]


def _entry(
    voice: int,
    others: Moments,
    row: int,
    scores: Mapping[str, Any],
    broken: Sequence[str],
    planned: str,
) -> dict[str, Any]:
    pitch = spelled(others[row])[voice].name
    loss = {name: float(values[row] - values[0]) for name, values in scores.items()}
    total = sum(loss.values())
    if broken:
        text = rules()[broken[0]].name
        return {
            "pitch": pitch,
            "rejected_by": "rule",
            "rule": broken[0],
            "text": text,
            "score": round(total, 2),
        }
    if planned:
        return {
            "pitch": pitch,
            "rejected_by": "plan",
            "rule": "",
            "text": planned,
            "score": round(total, 2),
        }
    worst = min(loss, key=lambda name: loss[name], default="")
    parts = ", ".join(f"{name} {value:+.1f}" for name, value in loss.items())
    verdict = "less likely" if total < 0 else "allowed here, but the path it opens scored less"
    return {
        "pitch": pitch,
        "rejected_by": "score",
        "rule": worst,
        "text": f"{verdict} ({parts})",
        "score": round(total, 2),
    }


def _shares(
    draft: Draft,
    place: int,
    voice: int,
    others: Moments,
    states: Mapping[str, State],
) -> dict[str, float]:
    """Log-score of the choice by model: of this note where a model knows notes, else of the slot."""
    shares = {}
    for name, model in draft.scorer.models.items():
        if isinstance(model, NoteModel):
            chosen = as_candidates(others[:1], draft.plan.slots[place], draft.plan)
            seen = _seen(voice, draft.plan.ensemble.size)
            if seen is None:
                continue
            value = model.note_log_probs(states[name], chosen)[0, 0, seen]
        else:
            value = draft.log_scores[name][place]
        shares[name] = round(float(value), 3)
    return shares


def _seen(voice: int, size: int) -> int | None:
    """Which voice of a model one of so many is, None if the models are not shown it."""
    if size <= VOICES:
        return VOICES - 1 if voice == size - 1 else voice
    half = VOICES // 2
    if voice < half:
        return voice
    return voice - size + VOICES if voice >= size - half else None


# --- notes ----------------------------------------------------------------------------------


def _note(
    draft: Draft,
    harmonies: Sequence[Harmony],
    judged: Sequence[Sequence[_Judged]],
    part: int,
    number: int,
    note: Note,
) -> dict[str, Any]:
    place = _slot_at(draft.plan, note.onset)
    slot = draft.plan.slots[place]
    bar, beat = draft.score.bar_and_beat(note.onset)
    kind = draft.decorations[place].figures[part].kind
    off_beat = note.onset != slot.onset
    ornament = kind if off_beat and kind != "suspension" else None
    line = draft.score.parts[part].notes
    given = note in draft.plan.lines.get(part, ())
    role, reasons = (
        _given_role(harmonies[place], note)
        if given
        else _role(harmonies[place], note, ornament, line, number)
    )
    held = _held_over(draft, place, part, note)
    if held:
        reasons.append(held)
    here = judged[place][part]
    chosen = not ornament and not given
    return {
        "id": f"p{part}n{number}",
        "part": draft.score.parts[part].name,
        "bar": bar,
        "beat": float(beat),
        "pitch": note.pitch.name,
        "duration": str(note.duration),
        "chord": place,
        "role": role,
        "reasons": reasons,
        "rules": list(here.rules) if chosen else [],
        "alternatives": list(here.alternatives) if chosen else [],
        "models": here.models if chosen else {},
    }


def _slot_at(plan: Plan, onset: Fraction) -> int:
    return max(place for place, slot in enumerate(plan.slots) if slot.onset <= onset)


def _role(
    harmony: Harmony, note: Note, ornament: str | None, line: Sequence[Note], number: int
) -> tuple[str, list[dict[str, str]]]:
    symbol = f"{harmony.chord.symbol} in {harmony.key}"
    if ornament:
        text, source = FIGURE_REASONS[ornament]
        before, after = line[number - 1].pitch.name, line[number + 1].pitch.name
        return ornament.replace("-", " "), [
            _reason(text.format(before=before, after=after), source)
        ]
    tones = spell(harmony.chord, harmony.key)
    if note.pitch.pitch_class not in tones:
        after = line[number + 1].pitch.name
        text = f"the figures ask for it: struck late on the way to {after}, a tone of {symbol}"
        return "appoggiatura", [_reason(text, "OMT")]
    member = MEMBER_NAMES[tones.index(note.pitch.pitch_class)]
    reasons = [_reason(f"{member} of {symbol}", harmony.chord.source)]
    reasons.extend(_duties(harmony, note.pitch, line, number))
    return f"{member} of {harmony.chord.symbol}", reasons


def _given_role(harmony: Harmony, note: Note) -> tuple[str, list[dict[str, str]]]:
    """What a note that was given is in its chord."""
    tones = spell(harmony.chord, harmony.key)
    reasons = [_reason("given: it stands as the task has it", "")]
    if note.pitch.pitch_class not in tones:
        return "non-chord tone", reasons
    member = MEMBER_NAMES[tones.index(note.pitch.pitch_class)]
    return f"{member} of {harmony.chord.symbol}", reasons


def _duties(
    harmony: Harmony, pitch: Pitch, line: Sequence[Note], number: int
) -> list[dict[str, str]]:
    """What a tendency tone must do, and what it does."""
    fifths = pitch.pitch_class.fifths - harmony.key.tonic.fifths
    if number + 1 == len(line):
        return []
    after = line[number + 1].pitch.name
    if fifths == harmony.chord.leading:
        return [_reason(f"leading tone: strives up by step; goes to {after}", "KP 6")]
    if fifths == harmony.chord.seventh:
        return [_reason(f"chordal seventh: strives down by step; goes to {after}", "KP 13")]
    return []


def _held_over(draft: Draft, place: int, part: int, note: Note) -> dict[str, str] | None:
    """The suspension that this note becomes, if it is held into the next chord."""
    following = place + 1
    if following >= len(draft.decorations):
        return None
    figure = draft.decorations[following].figures[part]
    if note.end <= draft.plan.slots[following].onset:
        return None
    late = {"suspension": figure.second.name, "figured-suspension": "the figure after it"}
    if figure.kind not in late:
        return None
    text, source = FIGURE_REASONS["suspension"]
    return _reason(text.format(after=late[figure.kind]), source)
