"""What stands at a place of a score, and what the rules make of it.

Besides what a check finds, it says which exception kept a rule silent: each exception that a
parameter or a phrase boundary grants is taken away in turn, and what the rule then says here is
what was excused. Licences, which are off in every style, are asked for as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from musegen.errors import OptionError
from musegen.report import Excused, Explanation, PlacedFinding, Sounding
from musegen.tasks.check import Judged, place_of
from theory_kb.check import Style, check
from theory_kb.chords import every_chord
from theory_kb.moment import NONE, REST, TICKS, UNKNOWN, Moments
from theory_kb.pitch import Pitch, PitchClass
from theory_kb.rules.dissonance import non_chord_tones
from theory_kb.rules.piece import Piece
from theory_kb.rules.records import Rule, rules

__all__ = ["explain_finding", "explain_place", "moment_at"]

SWITCH = "_allowed"  # parameters of this ending grant an exception
MEMBERS = ("root", "third", "fifth", "seventh")
MODES = ("major", "minor")


def explain_finding(judged: Judged, number: int) -> tuple[PlacedFinding, Explanation]:
    """A finding by its number, and its place; raises OptionError if there is none."""
    found = judged.report.findings
    if not 1 <= number <= len(found):
        allowed = f"from 1 to {len(found)}" if found else "left out: nothing was found"
        raise OptionError("--finding", number, allowed)
    finding = found[number - 1]
    return finding, _explained(judged, _at(judged.piece.surface, finding.onset), None)


def explain_place(judged: Judged, bar: int, beat: float, voice: str | None = None) -> Explanation:
    """What stands at a bar and beat.

    Args:
        judged: a checked piece.
        bar: number of the bar, 0 for an upbeat.
        beat: from 1, in beats of the metre.
        voice: name of a voice, if only what concerns it is wanted.

    Raises:
        OptionError: no such bar, beat or voice.
    """
    index = moment_at(judged, bar, beat)
    place = None
    if voice is not None:
        names = [name.lower() for name in judged.piece.voices]
        if voice.lower() not in names:
            raise OptionError("--voice", voice, f"one of {', '.join(judged.piece.voices)}")
        place = names.index(voice.lower())
    return _explained(judged, index, place)


def moment_at(judged: Judged, bar: int, beat: float) -> int:
    """Index of the surface moment that sounds at a bar and beat; raises OptionError."""
    surface, score = judged.piece.surface, judged.score
    bars = surface["bar"]
    if not int(bars[0]) <= bar <= int(bars[-1]):
        raise OptionError("--bar", bar, f"from {bars[0]} to {bars[-1]}")
    places = [place_of(score, Fraction(int(onset), TICKS)) for onset in surface["onset"]]
    metre = score.metre_at(Fraction(int(surface["onset"][np.flatnonzero(bars <= bar)[-1]]), TICKS))
    last = _beats(judged, metre.bar)
    if not 1 <= beat < last + 1:
        raise OptionError("--beat", f"{beat:g}", f"at least 1 and less than {last + 1:g}")
    before = [index for index, each in enumerate(places) if (each.bar, each.beat) <= (bar, beat)]
    return before[-1] if before else 0


def _beats(judged: Judged, bar: Fraction) -> float:
    beat = judged.piece.beat_ticks or int(Fraction(4 * TICKS, judged.score.metre.unit))
    return float(bar * TICKS / beat)


def _at(surface: Moments, onset: Fraction) -> int:
    return int(np.searchsorted(surface["onset"], int(onset * TICKS), side="right")) - 1


# --- what stands there ----------------------------------------------------------------------


def _explained(judged: Judged, index: int, voice: int | None) -> Explanation:
    surface = judged.piece.surface
    now = surface[index]
    onset = int(now["onset"])
    here = tuple(
        finding
        for finding in judged.report.findings
        if int(finding.onset * TICKS) == onset and _concerns(judged, finding, voice)
    )
    skipped = {each.rule for each in judged.report.skipped}
    on = [name for name, level in judged.style.severities.items() if level != "-"]
    spoke = {finding.rule for finding in here} | {name for each in here for name in each.also}
    return Explanation(
        place_of(judged.score, Fraction(onset, TICKS)),
        tuple(_notes(judged.piece, index, voice)),
        every_chord()[int(now["chord"])].symbol if now["chord"] != UNKNOWN else "",
        _key(now),
        here,
        tuple(name for name in on if name not in skipped and name not in spoke),
        tuple(_excused(judged, index, voice)),
        tuple(_licences(judged, index, voice)),
    )


def _concerns(judged: Judged, finding: PlacedFinding, voice: int | None) -> bool:
    return voice is None or judged.piece.voices[voice] in finding.voices


def _key(now: np.void) -> str:
    if now["tonic"] == NONE or now["mode"] == UNKNOWN:
        return ""
    return f"{PitchClass(int(now['tonic'])).name} {MODES[int(now['mode'])]}"


def _notes(piece: Piece, index: int, voice: int | None) -> Iterator[Sounding]:
    now = piece.surface[index]
    sounding = [each for each in range(len(piece.voices)) if now["semitone"][each] != REST]
    lowest = min(sounding, key=lambda each: int(now["semitone"][each]), default=None)
    kinds = _kinds(piece, index)
    for each, name in enumerate(piece.voices):
        if voice is not None and each != voice:
            continue
        if each not in sounding or lowest is None:
            yield Sounding(name, "", struck=False, interval="", role="")
            continue
        pitch, bass = _pitch(now, each), _pitch(now, lowest)
        interval = (pitch - bass).name if each != lowest else ""
        role = kinds.get(each) or _member(int(now["member"][each]))
        yield Sounding(name, pitch.name, bool(now["attack"][each]), interval, role)


def _pitch(now: np.void, voice: int) -> Pitch:
    return Pitch(int(now["step"][voice]), int(now["semitone"][voice]))


def _member(member: int) -> str:
    return f"{MEMBERS[member]} of the chord" if 0 <= member < len(MEMBERS) else ""


def _kinds(piece: Piece, index: int) -> dict[int, str]:
    """Kinds of the non-chord tones that sound at a moment, by voice."""
    if piece.harmonic is None:
        return {}
    surface = piece.surface
    found: dict[int, tuple[int, str]] = {}
    for each in non_chord_tones(piece):
        if each.moment <= index and surface["member"][index, each.voice] == -1:
            found[each.voice] = max(found.get(each.voice, (-1, "")), (each.moment, each.kind))
    return {voice: _kind_name(kind) for voice, (_, kind) in found.items()}


def _kind_name(kind: str) -> str:
    return kind.removeprefix("nct-").replace("-", " ")


# --- exceptions and licences ----------------------------------------------------------------


def _excused(judged: Judged, index: int, voice: int | None) -> Iterator[Excused]:
    """What the rules would say here without what their parameters, the style or a phrase spare."""
    for name in _spoken(judged, _strictest(judged.style), index, voice):
        for switch in _switches(judged.style, rules()[name]):
            changed = _switched_off(judged.style, {name: (switch,)})
            by = switch.removesuffix(SWITCH).replace("_", " ")
            yield from _new(judged, judged.piece, _alone(changed, [name]), index, voice, by)
    for place, each in enumerate(judged.style.exceptions):
        others = judged.style.exceptions[:place] + judged.style.exceptions[place + 1 :]
        changed = _alone(replace(judged.style, exceptions=others), each.rules)
        yield from _new(judged, judged.piece, changed, index, voice, each.why)
    if judged.piece.surface["boundary"][index]:
        joined = _without_boundary(judged.piece, index)
        yield from _new(judged, joined, judged.style, index, voice, "across a phrase boundary")


def _switches(style: Style, rule: Rule) -> list[str]:
    """Parameters of a rule that grant an exception in a style."""
    return [name for name in rule.params if name.endswith(SWITCH) and style.params[rule.id][name]]


def _switched_off(style: Style, switches: Mapping[str, Sequence[str]]) -> Style:
    params = dict(style.params)
    for rule, names in switches.items():
        params[rule] = {**params[rule], **dict.fromkeys(names, 0.0)}
    return replace(style, params=params)


def _strictest(style: Style) -> Style:
    """A style with those rules alone that grant exceptions, and without these."""
    on = [each for each in rules().values() if style.severities[each.id] != "-"]
    granting = {each.id: switches for each in on if (switches := _switches(style, each))}
    return _alone(_switched_off(style, granting), list(granting))


def _spoken(judged: Judged, style: Style, index: int, voice: int | None) -> list[str]:
    """Rules that say something new at a moment."""
    found = _new(judged, judged.piece, style, index, voice, "")
    return list(dict.fromkeys(each.rule for each in found))


def _alone(style: Style, chosen: Iterable[str]) -> Style:
    """A style in which only some of its rules are on."""
    on = set(chosen)
    severities = {name: level if name in on else "-" for name, level in style.severities.items()}
    return replace(style, severities=severities)


def _without_boundary(piece: Piece, index: int) -> Piece:
    surface = piece.surface.copy()
    surface["boundary"][index] = 0
    harmonic = piece.harmonic
    if harmonic is not None:
        harmonic = harmonic.copy()
        harmonic["boundary"][harmonic["onset"] == surface["onset"][index]] = 0
    return replace(piece, surface=surface, harmonic=harmonic)


def _new(
    judged: Judged, piece: Piece, style: Style, index: int, voice: int | None, by: str
) -> Iterator[Excused]:
    """What a style says at a moment that the report does not."""
    onset = int(judged.piece.surface["onset"][index])
    said = {
        (name, finding.voices)
        for finding in judged.report.findings
        if int(finding.onset * TICKS) == onset
        for name in (finding.rule, *finding.also)
    }
    for finding in check(piece, style).findings:
        names = tuple(judged.piece.voices[each] for each in finding.voices)
        concerned = voice is None or voice in finding.voices
        if finding.onset == onset and concerned and (finding.rule, names) not in said:
            yield Excused(finding.rule, by, finding.message)


def _licences(judged: Judged, index: int, voice: int | None) -> Iterator[tuple[str, str]]:
    """Figures that no style judges, but that have a name, where they stand here."""
    chosen = [each for each in rules().values() if set(each.severity.values()) == {"-"}]
    severities = dict.fromkeys(rules(), "-") | {each.id: "I" for each in chosen}
    style = replace(judged.style, severities=severities)
    onset = int(judged.piece.surface["onset"][index])
    for finding in check(judged.piece, style).findings:
        if finding.onset == onset and (voice is None or voice in finding.voices):
            yield finding.rule, finding.message
