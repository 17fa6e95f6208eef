"""Questions about a given piece: what is wrong and why, what a chord or note is, how far from Bach.

A piece is a `theory_kb.rules.piece.Piece`; what is asked about is named by its place: bar, beat and
voice. What is not known of a piece, such as its harmony, is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np

from theory_kb.answers import Answer, QuestionError, Value, answer
from theory_kb.catalogue import catalogue
from theory_kb.check import Finding, check
from theory_kb.errors import UnknownNameError
from theory_kb.graph import statements
from theory_kb.moment import NON_CHORD, NONE, REST, Moments
from theory_kb.pitch import Interval, Key, Pitch, PitchClass
from theory_kb.rules.dissonance import non_chord_tones
from theory_kb.rules.phrase import phrase_cadences
from theory_kb.rules.piece import Piece
from theory_kb.rules.records import rule, rules
from theory_kb.rules.styles import Style, load_style, style_names
from theory_kb.stored import degree_name

__all__ = [
    "cadence_clauses",
    "complete_close",
    "distance_from_bach",
    "exercised_rules",
    "is_prepared",
    "six_four_types",
    "unexercised_rules",
    "why_chosen",
    "why_wrong",
]

Row = Mapping[str, Value]


# --- places ---------------------------------------------------------------------------------


def _moment_at(piece: Piece, moments: Moments, bar: int, beat: float) -> int:
    """Index of the last moment that begins at a place or before it; raises QuestionError."""
    ticks = round((beat - 1) * piece.beat_ticks)
    inside = (moments["bar"] == bar) & (moments["position"] <= ticks)
    if not inside.any():
        bars = f"{int(moments['bar'][0])} to {int(moments['bar'][-1])}"
        raise QuestionError(f"nothing sounds in bar {bar} at beat {beat:g}; the bars are {bars}")
    return int(np.flatnonzero(inside)[-1])


def _voice(piece: Piece, name: str) -> int:
    names = {each.casefold(): place for place, each in enumerate(piece.voices)}
    if name.casefold() not in names:
        raise UnknownNameError("voice", name, piece.voices)
    return names[name.casefold()]


def _harmonic(piece: Piece) -> Moments:
    if piece.harmonic is None or not (piece.harmonic["root"] != NONE).any():
        raise QuestionError("the harmony of the piece is not known; label its chords first")
    return piece.harmonic


def _pitch(moment: np.void, voice: int) -> str:
    semitone = int(moment["semitone"][voice])
    return "a rest" if semitone == REST else Pitch(int(moment["step"][voice]), semitone).name


def _place(piece: Piece, moment: np.void) -> str:
    return f"bar {int(moment['bar'])}, beat {int(moment['position']) / piece.beat_ticks + 1:g}"


# --- faults ---------------------------------------------------------------------------------


def why_wrong(piece: Piece, bar: int, beat: float, voice: str, style: str = "strict") -> Answer:
    """Why a note is wrong: the rules it breaks, the notes involved, exceptions, repairs."""
    judge = load_style(style)
    place, which = _moment_at(piece, piece.surface, bar, beat), _voice(piece, voice)
    onset = int(piece.surface["onset"][place])
    found = [
        finding
        for finding in check(piece, judge).findings
        if which in finding.voices and onset in (finding.onset, finding.start)
    ]
    rows = [row for finding in found for row in _fault_rows(piece, finding)]
    note = _pitch(piece.surface[place], which)
    names = ", ".join(dict.fromkeys(finding.rule for finding in found))
    text = f"{voice} {note} in {_place(piece, piece.surface[place])}: "
    text += f"breaks {names} ({found[0].message})" if found else f"nothing is wrong in {style}."
    evidence = [
        edge
        for finding in found
        for edge in statements(("rule", finding.rule), "grounded_in", "excepted_by", "cites")
    ]
    return answer("why-wrong", text, rows, evidence)


def _fault_rows(piece: Piece, finding: Finding) -> Iterator[Row]:
    record = rule(finding.rule)
    notes = tuple(piece.voices[voice] for voice in finding.voices)
    yield _said(finding, "breaks", f"{finding.message} ({', '.join(notes)})")
    yield _said(finding, "because", record.why)
    for text in record.exceptions:
        yield _said(finding, "exception", f"{text}: not so here, or this style does not grant it")
    for name in _lenient(piece, finding):
        yield _said(finding, "excused in", name)
    for text in record.repair[:2]:
        yield _said(finding, "repair", text)
    if finding.also:
        yield _said(finding, "also breaks", ", ".join(finding.also))


def _said(finding: Finding, what: str, text: str) -> Row:
    return {"rule": finding.rule, "severity": finding.severity, "what": what, "text": text}


def _lenient(piece: Piece, finding: Finding) -> list[str]:
    """Other styles in which the rule holds but does not fire there."""
    found = []
    for name in style_names():
        style = load_style(name)
        if style.severities[finding.rule] != "-":
            alone = _alone(style, finding.rule)
            there = check(piece, alone).findings
            if not any(_same(each, finding) for each in there):
                found.append(name)
    return found


def _same(one: Finding, other: Finding) -> bool:
    return (one.rule, one.onset, one.voices) == (other.rule, other.onset, other.voices)


def _alone(style: Style, *names: str) -> Style:
    """A style with some of its rules only, as errors."""
    severities = dict.fromkeys(rules(), "-") | dict.fromkeys(names, "E")
    return replace(style, severities=severities)


# --- the composer's choice ------------------------------------------------------------------


def why_chosen(document: Mapping[str, Any], note: str) -> Answer:
    """Why the composer wrote a note: duties it met, and the two best notes that it did not write.

    Args:
        document: the explanation record that a composed piece comes with.
        note: id of the note, such as `p0n3`.

    Raises:
        UnknownNameError: no such note.
        QuestionError: the record is none.
    """
    if not isinstance(document.get("notes"), list):
        raise QuestionError("an explanation record has notes; this one has none")
    notes = {each["id"]: each for each in document["notes"]}
    if note not in notes:
        raise UnknownNameError("note", note, notes)
    chosen = notes[note]
    rows: list[Row] = [
        {"what": "reason", "text": each["text"], "source": each["source"]}
        for each in chosen["reasons"]
    ]
    rows += [
        {"what": "kept", "text": rules()[name].name, "source": name} for name in chosen["rules"]
    ]
    rows += [_alternative(each) for each in chosen["alternatives"][:2]]
    rows += [
        {"what": "model", "text": f"{value:.2f} nats", "source": name}
        for name, value in chosen["models"].items()
    ]
    text = (
        f"{chosen['part']} {chosen['pitch']} in bar {chosen['bar']}, beat {chosen['beat']:g}: "
        f"{chosen['role']}; {len(chosen['rules'])} rules turned other notes away."
    )
    evidence = [edge for name in chosen["rules"] for edge in statements(("rule", name), "cites")]
    sources = [each["source"] for each in chosen["reasons"]]
    return answer("why-chosen", text, rows, evidence, sources)


def _alternative(each: Mapping[str, Any]) -> Row:
    text = f"{each['pitch']} left out by {each['rejected_by']}: {each['text']}"
    return {
        "what": "not chosen",
        "text": f"{text} (score {each['score']:+g})",
        "source": each["rule"],
    }


# --- cadences and six-fours -----------------------------------------------------------------


def cadence_clauses(piece: Piece, phrase: int = 0) -> Answer:
    """What makes a cadence the kind it is: the clauses of a perfect one, met or not.

    Phrases count from 1; 0 is the last.
    """
    moments = _harmonic(piece)
    ends = phrase_cadences(piece)
    if not 0 <= phrase <= len(ends):
        raise QuestionError(
            f"phrase must be from 1 to {len(ends)}, or 0 for the last, got {phrase}"
        )
    place, kind = ends[phrase - 1]
    if place == 0:
        raise QuestionError("a cadence has two chords; this phrase has one")
    rows = _perfect(moments[place - 1], moments[place])
    failed = [str(row["clause"]) for row in rows if not row["met"]]
    text = f"The phrase ends with {kind or 'no cadence'} in {_place(piece, moments[place])}"
    text += (
        f"; not perfect: {'; '.join(failed)}." if failed else "; every clause of cad-pac is met."
    )
    evidence = statements(("cadence", "cad-pac"), "requires")
    return answer("cadence-why", text, rows, evidence, ["CA 2", "KP 10"])


def _perfect(before: np.void, now: np.void) -> list[Row]:
    dominant = before["root"] == 1 and before["leading"] != NONE
    tonic = now["root"] == 0
    soprano = _degree(now, 0)
    tests = (
        ("V or V7 comes before", dominant),
        ("it stands in root position", before["inversion"] == 0),
        ("I is reached", tonic),
        ("it stands in root position too", now["inversion"] == 0),
        ("both are of the local key", before["tonic"] == now["tonic"]),
        (f"soprano on 1 (it has {soprano})", soprano == "1"),
        (
            "I on a beat at least as strong as that of V, or at the phrase end",
            now["strength"] >= before["strength"] or now["phrase_end"] or now["final"],
        ),
    )
    return [{"clause": text, "met": bool(met)} for text, met in tests]


def _degree(moment: np.void, voice: int) -> str:
    semitone = int(moment["semitone"][voice])
    if semitone == REST:
        return "a rest"
    fifths = Pitch(int(moment["step"][voice]), semitone).pitch_class.fifths
    return degree_name(fifths - int(moment["tonic"]))


def complete_close(piece: Piece) -> Answer:
    """The least change that turns a half cadence at the end into a perfect one."""
    moments = _harmonic(piece)
    place, kind = phrase_cadences(piece)[-1]
    if kind not in HALF_CADENCES:
        raise QuestionError(
            f"the piece must end with a half cadence, it ends with {kind or 'none'}"
        )
    now = moments[place]
    tonic = "i" if now["mode"] else "I"
    rows: list[Row] = [_added(piece, now, tonic)]
    if place:
        rows.append(_recomposed(piece, moments[place - 1], now, tonic))
    text = f"Add {tonic} in root position after the dominant, the soprano on 1: no note changes."
    evidence = statements(("cadence", "cad-pac"), "requires")
    return answer("complete-close", text, rows, evidence, ["CA 4", "KP 10"])


def _added(piece: Piece, last: np.void, tonic: str) -> Row:
    notes = _nearest_tonic(piece, last)
    return {"change": f"add {tonic}", "notes changed": 0, "notes added": len(notes), "notes": notes}


def _recomposed(piece: Piece, before: np.void, last: np.void, tonic: str) -> Row:
    """The last chord becomes the tonic, the one before the dominant."""
    notes = _nearest_tonic(piece, last)
    changed = sum(note != _pitch(last, voice) for voice, note in enumerate(notes))
    dominant = {int(last["tonic"]) + place for place in (1, 5, 2, -1)}
    changed += sum(
        Pitch(int(before["step"][voice]), int(before["semitone"][voice])).pitch_class.fifths
        not in dominant
        for voice in range(len(piece.voices))
        if before["semitone"][voice] != REST
    )
    what = f"put V before {tonic} in place of the last two chords"
    return {"change": what, "notes changed": changed, "notes added": 0, "notes": notes}


def _nearest_tonic(piece: Piece, last: np.void) -> tuple[str, ...]:
    """Each voice's nearest note of the tonic; soprano and bass on the root."""
    root = int(last["tonic"])
    third = root + (-3 if last["mode"] else 4)
    low = len(piece.voices) - 1
    found = []
    for voice in range(len(piece.voices)):
        semitone = int(last["semitone"][voice])
        if semitone != REST:
            allowed = (root,) if voice in (0, low) else (root, third, root + 1)
            found.append(_nearest(semitone, allowed).name)
    return tuple(found)


def _nearest(semitone: int, classes: Sequence[int]) -> Pitch:
    pitches = (Pitch.of(PitchClass(fifths), octave) for fifths in classes for octave in range(8))
    return min(pitches, key=lambda pitch: (abs(pitch.semitone - semitone), pitch.semitone))


def six_four_types(piece: Piece, bar: int, beat: float) -> Answer:
    """Whether a six-four is of one of the four types, and which clause of each it lacks."""
    moments = _harmonic(piece)
    place = _moment_at(piece, moments, bar, beat)
    now = moments[place]
    if now["inversion"] != 2 or now["seventh"] != NONE:
        raise QuestionError(f"no six-four stands in bar {bar} at beat {beat:g}")
    before = moments[place - 1] if place and not now["boundary"] else None
    after = moments[place + 1] if place + 1 < len(moments) else None
    rows: list[Row] = []
    for name, clauses in _six_four_clauses(piece, before, now, after).items():
        lacking = tuple(text for text, met in clauses if not met)
        rows.append({"type": name, "fits": not lacking, "lacks": "; ".join(lacking)})
    fitting = [str(row["type"]) for row in rows if row["fits"]]
    verdict = f"legal, {' and '.join(fitting)}" if fitting else "of no type, and so not legal"
    text = f"The six-four in {_place(piece, now)} is {verdict}."
    terms = [("term", f"{name} six-four") for name in fitting]
    evidence = [edge for node in terms for edge in statements(node)]
    evidence += statements(("rule", "six-four-untyped"), "cites")
    return answer("six-four", text, rows, evidence, ["KP 9", "AS 11"])


Clauses = Sequence[tuple[str, Any]]


def _six_four_clauses(
    piece: Piece, before: np.void | None, now: np.void, after: np.void | None
) -> Mapping[str, Clauses]:
    low = len(piece.voices) - 1
    into, out = _bass_steps(before, now, low), _bass_steps(now, after, low)
    stronger = after is not None and now["strength"] > after["strength"]
    dominant = after is not None and after["root"] == 1 and after["inversion"] == 0
    stepwise = into is not None and out is not None and abs(into) == 1 and into == out
    around = [each for each in (before, after) if each is not None]
    same = any(each["root"] == now["root"] and each["inversion"] == 0 for each in around)
    weak = before is not None and now["strength"] <= before["strength"]
    return {
        "cadential": (
            ("degree 5 is in the bass", now["root"] == 0),
            ("V in root position follows", dominant),
            ("the bass is held", out == 0),
            ("it is stronger than its resolution", stronger),
            ("sixth and fourth fall by step", _falls(piece, now, after)),
        ),
        "passing": (("the bass passes by step one way", stepwise), ("it is unaccented", weak)),
        "pedal": (
            ("the bass is held on both sides", into == 0 and out == 0),
            ("it is unaccented", weak),
        ),
        "arpeggiated": (
            ("the root position of the same chord stands beside it", same),
            ("it is unaccented", weak),
        ),
    }


def _bass_steps(one: np.void | None, other: np.void | None, low: int) -> int | None:
    if one is None or other is None:
        return None
    return int(other["step"][low]) - int(one["step"][low])


def _falls(piece: Piece, now: np.void, after: np.void | None) -> bool:
    """Whether each sixth and fourth above the bass goes down by step in its voice."""
    if after is None:
        return False
    upper = [voice for voice in range(len(piece.voices) - 1) if now["member"][voice] in (0, 1)]
    return all(int(after["step"][voice]) - int(now["step"][voice]) in (-1, 0) for voice in upper)


# --- dissonance -----------------------------------------------------------------------------


def is_prepared(piece: Piece, bar: int, beat: float, voice: str) -> Answer:
    """Whether a dissonance is prepared: the preparing note, and its consonance with the bass."""
    _harmonic(piece)
    which = _voice(piece, voice)
    place = _moment_at(piece, piece.surface, bar, beat)
    moment = piece.surface[place]
    if moment["member"][which] != NON_CHORD:
        raise QuestionError(f"{voice} {_pitch(moment, which)} is no dissonance there")
    tone = next(
        (
            each
            for each in non_chord_tones(piece)
            if each.voice == which
            and each.moment <= place
            and _sounds_on(piece, each.moment, place, which)
        ),
        None,
    )
    before = piece.surface[place - 1] if place else None
    same = before is not None and before["semitone"][which] == moment["semitone"][which]
    prepared = bool(same and tone and tone.prepared)
    rows = [_preparation(piece, before, which)] if before is not None and same else []
    note = f"{voice} {_pitch(moment, which)} in {_place(piece, moment)}"
    kind = tone.kind if tone else "nct-free"
    text = f"{note} is {'prepared' if prepared else 'not prepared'} ({kind})"
    text += f": {rows[0]['note']}, {rows[0]['interval']} above the bass." if rows else "."
    evidence = statements(("non-chord-tone", kind), "cites")
    evidence += statements(("rule", "suspension-preparation"), "cites")
    return answer("prepared", text, rows, evidence)


def _sounds_on(piece: Piece, start: int, stop: int, voice: int) -> bool:
    column = piece.surface["semitone"][start : stop + 1, voice]
    struck = piece.surface["attack"][start + 1 : stop + 1, voice]
    return bool((column == column[0]).all() and not struck.any())


def _preparation(piece: Piece, before: np.void, voice: int) -> Row:
    low = len(piece.voices) - 1
    interval = Interval(
        int(before["step"][voice]) - int(before["step"][low]),
        int(before["semitone"][voice]) - int(before["semitone"][low]),
    )
    simple = _simple(interval)
    known = catalogue()["interval"].get(simple)
    return {
        "note": _pitch(before, voice),
        "where": _place(piece, before),
        "interval": interval.name,
        "consonance": known["consonance"] if known else "dissonant",
        "chord tone": bool(before["member"][voice] != NON_CHORD),
    }


def _simple(interval: Interval) -> str:
    octaves = max(0, interval.steps - 1) // 7
    return Interval(interval.steps - 7 * octaves, interval.semitones - 12 * octaves).name


# --- coverage and norms ---------------------------------------------------------------------

CHANGES = (-2, -1, 1, 2)  # staff steps by which a note is moved to see which rules watch it


def unexercised_rules(piece: Piece, style: str = "strict") -> Answer:
    """Which rules of a style an exercise does not exercise.

    A rule is exercised if the piece breaks it, or would break it were one note a step or two
    elsewhere in its scale. What cannot be judged, for want of what it needs, is not exercised.
    """
    judge = load_style(style)
    seen = exercised_rules(piece, judge)
    skipped = {each.rule: each.reason for each in check(piece, judge).skipped}
    active = [name for name in rules() if judge.severities[name] != "-"]
    rows = [
        {
            "rule": name,
            "name": rules()[name].name,
            "why": skipped.get(name, "nothing here calls for it"),
        }
        for name in active
        if name not in seen
    ]
    text = f"{len(active) - len(rows)} of {len(active)} rules of {style} are exercised."
    return answer("unexercised", text, rows, (), ["BX"])


def exercised_rules(piece: Piece, style: Style, among: Sequence[str] = ()) -> frozenset[str]:
    """Rules of a style that a piece exercises, see `unexercised_rules`.

    Args:
        piece: the exercise, or its answer.
        style: whose severities and parameters hold.
        among: only these are asked, which is quicker; all where none is named.
    """
    judge = _alone(style, *among) if among else style
    return frozenset(
        name
        for each in (piece, *_neighbours(piece))
        for finding in check(each, judge).findings
        for name in (finding.rule, *finding.also)
    )


def _neighbours(piece: Piece) -> Iterator[Piece]:
    """The piece with one note moved by a step or two, for each note."""
    for place, voice in zip(*np.nonzero(piece.surface["attack"]), strict=True):
        for steps in CHANGES:
            yield _moved(piece, int(place), int(voice), steps)


def _moved(piece: Piece, place: int, voice: int, steps: int) -> Piece:
    surface = piece.surface.copy()
    pitch = _in_scale(surface[place], int(surface["step"][place, voice]) + steps)
    stop = place + 1
    while stop < len(surface) and not surface["attack"][stop, voice]:
        stop += 1
    surface["step"][place:stop, voice], surface["semitone"][place:stop, voice] = (
        pitch.step,
        pitch.semitone,
    )
    harmonic = None if piece.harmonic is None else _follow(piece.harmonic.copy(), surface, voice)
    return replace(piece, surface=_relabelled(surface), harmonic=harmonic)


def _in_scale(moment: np.void, step: int) -> Pitch:
    """The pitch of a step in the scale of the moment's key, natural where no key is known."""
    natural = Pitch(step, 12 * (step // 7 + 1) + (0, 2, 4, 5, 7, 9, 11)[step % 7])
    if moment["tonic"] == NONE:
        return natural
    key = Key(PitchClass(int(moment["tonic"])), "minor" if moment["mode"] == 1 else "major")
    scale = range(-1, 6) if key.mode == "major" else range(-4, 3)
    for place in scale:
        tone = key.tonic.transposed(place)
        if tone.letter == step % 7:
            return Pitch(step, natural.semitone + tone.alteration)
    return natural


def _follow(harmonic: Moments, surface: Moments, voice: int) -> Moments:
    """Harmonic moments with the voice as the changed surface has it at their onsets."""
    at = np.searchsorted(surface["onset"], harmonic["onset"])
    for name in ("step", "semitone"):
        harmonic[name][:, voice] = surface[name][at, voice]
    return _relabelled(harmonic)


def _relabelled(moments: Moments) -> Moments:
    """Moments with degrees and chord members set anew from their harmony."""
    from theory_kb.chords import every_chord, set_harmony

    chords = every_chord()
    for place in np.flatnonzero(moments["chord"] >= 0):
        row = moments[place : place + 1]
        mode = "minor" if row["mode"][0] == 1 else "major"
        key = Key(PitchClass(int(row["tonic"][0])), mode)
        set_harmony(row, chords[int(row["chord"][0])], key)
    return moments


def distance_from_bach(piece: Piece) -> Answer:
    """How far a piece is from Bach's norms: breaches against what so many notes of his would hold.

    z is the deviation from the count expected of Bach, in standard deviations of a Poisson count.
    """
    norms = catalogue()["norm"]
    judge = _alone(load_style("bach"), *norms)
    report = check(piece, judge)
    skipped = {each.rule for each in report.skipped}
    counts = {name: 0 for name in norms if name not in skipped}
    for finding in report.findings:
        for name in (finding.rule, *finding.also):
            counts[name] = counts.get(name, 0) + 1
    trials = _trials(piece)
    rows = []
    for name, count in counts.items():
        expected = norms[name]["count"] / norms[name]["trials"] * trials[norms[name]["per"]]
        spread = sqrt(max(expected, 1 / norms[name]["trials"] * trials[norms[name]["per"]], 1e-9))
        rows.append(
            {
                "rule": name,
                "count": count,
                "expected": round(expected, 3),
                "z": round((count - expected) / spread, 2),
            }
        )
    rows.sort(key=lambda row: -abs(float(str(row["z"]))))
    far = [str(row["rule"]) for row in rows if abs(float(str(row["z"]))) > 2]
    text = f"{len(far)} of {len(rows)} rates lie more than two deviations from Bach's"
    text += f": {', '.join(far)}." if far else "."
    evidence = [edge for name in far for edge in statements(("rule", name), "counted_in")]
    return answer("norms", text, rows, evidence, ["BX"])


def _half_cadences(piece: Piece) -> int:
    if piece.harmonic is None:
        return 0
    return sum(kind in HALF_CADENCES for _, kind in phrase_cadences(piece))


HALF_CADENCES = ("cad-hc", "cad-phrygian")


def _trials(piece: Piece) -> Mapping[str, float]:
    """How often each thing happens in a piece that norms are counted by."""
    surface = piece.surface
    voices = len(piece.voices)
    sounding = surface["semitone"][:, :voices] != REST
    attack = surface["attack"][:, :voices].astype(bool)
    semitone = surface["semitone"][:, :voices]
    moved = np.zeros_like(attack)
    inside = surface["boundary"][1:, None] == 0
    moved[1:] = attack[1:] & (semitone[1:] != semitone[:-1]) & sounding[1:] & sounding[:-1] & inside
    each = moved.sum(axis=1)
    harmonic = piece.harmonic
    dominant = 0 if harmonic is None else int((harmonic["leading"] == 5).sum())
    sevenths = (
        0
        if harmonic is None
        else int(((harmonic["leading"] == 5) & (harmonic["seventh"] != NONE)).sum())
    )
    return {
        "moves of two voices": float((each * (each - 1) // 2).sum()),
        "moves of the outer voices": float((moved[:, 0] & moved[:, -1]).sum()),
        "moves of four voices": float((each >= 4).sum()),
        "sonorities": float(len(surface)),
        "sonorities on beats": float((surface["position"] % piece.beat_ticks == 0).sum()),
        "notes": float(attack.sum()),
        "phrase ends": float(surface["boundary"].sum()),
        "half cadences": float(_half_cadences(piece)),
        "melodic moves": float(moved.sum()),
        "dominant chords": float(dominant),
        "dominant sevenths": float(sevenths),
    }
