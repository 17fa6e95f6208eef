"""Judging scores: read, analyse as far as it can be known, check by a style, one file or many.

The harmony of a score without labels is analysed where the piece is like a chorale in four parts,
or where the caller asks for it; else rules that need it are skipped and said to be. Nothing is
guessed: what the caller declares (key, cantus firmus, species) and what the notation says
(fermatas, bars, staves) is all that the rules see beside the notes.
"""

from __future__ import annotations

import signal
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from musegen.analysis.key import estimate_key
from musegen.analysis.label import label, phrase_ends
from musegen.analysis.texture import why_no_chorale
from musegen.errors import MusegenError, OptionError, ScoreError
from musegen.io.files import check_file_target
from musegen.io.pieces import Reading
from musegen.io.reading import read_pieces
from musegen.report import SEVERITIES, CheckReport, Place, PlacedFinding, SkippedRule, Unreadable
from musegen.score import Note, Score
from musegen.slices import check_voices, piece, sounding, ticks
from musegen.species.given import named_mode
from theory_kb.check import Finding, Style, check, load_style
from theory_kb.metre import beat_ticks, is_known
from theory_kb.moment import MAX_VOICES, REST, TICKS, Moments
from theory_kb.pitch import Key
from theory_kb.rules.context import Context, WrittenNote, combination
from theory_kb.rules.piece import Piece, write_declared
from theory_kb.rules.records import rule

__all__ = [
    "CheckOptions",
    "Judged",
    "Output",
    "both_move",
    "check_files",
    "check_one",
    "check_reading",
    "check_single",
    "checked_output",
    "judge",
    "place_of",
    "placed",
]

SPECIES = range(1, 6)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How to check.

    Attributes:
        style: name of a style, or the path of a style file.
        harmony: analyse the harmony; None does so where the piece is like a chorale.
        key: declared key, such as `D minor`; else the file's, or an estimate for the analysis.
        cantus: name of the voice that has the cantus firmus.
        species: species of the counterpoint by name of voice; several of shorter notes than the
            cantus's are a declared combination.
        mode: church mode on the last note of the cantus, or `major` or `minor`.
    """

    style: str = "bach"
    harmony: bool | None = None
    key: str | None = None
    cantus: str | None = None
    species: Mapping[str, int] = field(default_factory=dict)
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A piece as the rules saw it, and what they said."""

    reading: Reading
    score: Score  # with labels, as far as they are known
    piece: Piece
    style: Style
    report: CheckReport


@dataclass(frozen=True, slots=True)
class Output:
    """What is wanted of the findings, and where the files go.

    Attributes:
        severity: the least grave that is told, E, W or I.
        rules: ids of the rules that are told of, all if there are none.
        html: path of the page.
        annotated: path of the coloured score.
        force: overwrite what is there.
    """

    severity: str = "I"
    rules: tuple[str, ...] = ()
    html: Path | None = None
    annotated: Path | None = None
    force: bool = False

    def kept(self, outcome: CheckReport | Unreadable) -> CheckReport | Unreadable:
        """An outcome without the findings that are not wanted."""
        if isinstance(outcome, Unreadable):
            return outcome
        return outcome.only(severity=self.severity, rules=self.rules)

    def single(self, outcomes: Sequence[CheckReport | Unreadable]) -> CheckReport | None:
        """The one report that files are written of; None where it could not be made.

        Raises:
            OptionError: the file holds several pieces.
        """
        if len(outcomes) > 1:
            raise OptionError(self.file_option, str(self.html or self.annotated), ONE_PIECE)
        each = outcomes[0]
        return each if isinstance(each, CheckReport) else None

    @property
    def file_option(self) -> str:
        """The option that asks for a file."""
        return "--html" if self.html else "--annotated"


ONE_PIECE = "left out unless one piece is checked"


def checked_output(output: Output, paths: Sequence[Path]) -> None:
    """Refuse early what could not be done after the check.

    Raises:
        OptionError: a severity that is none, a file asked for where several scores are checked, or
            one that would take a checked score's place.
        UnknownNameError: a rule that is none.
        OutputError: a file that is there already, or could not be written.
    """
    if output.severity not in SEVERITIES:
        raise OptionError("--severity", output.severity, f"one of {', '.join(SEVERITIES)}")
    for name in output.rules:
        rule(name)
    targets = [path for path in (output.html, output.annotated) if path is not None]
    if targets and len(paths) != 1:
        raise OptionError(output.file_option, str(targets[0]), ONE_PIECE)
    for path in targets:
        if any(path.resolve() == each.resolve() for each in paths):
            raise OptionError(output.file_option, str(path), "another file than the checked one")
        check_file_target(path, force=output.force)
    if len({path.resolve() for path in targets}) < len(targets):
        raise OptionError("--annotated", str(output.annotated), "another file than --html")


# --- files ----------------------------------------------------------------------------------


def check_files(
    paths: Sequence[Path], options: CheckOptions, *, jobs: int = 1
) -> Iterator[tuple[CheckReport | Unreadable, ...]]:
    """What comes of each file, in their order, as soon as it is there.

    Args:
        paths: files; a folder's are found by `musegen.io.reading.score_files`.
        options: how to check.
        jobs: processes at work at a time.

    Raises:
        OptionError: fewer jobs than one.
        UnknownNameError: no such style.
    """
    if jobs < 1:
        raise OptionError("--jobs", jobs, "at least 1")
    load_style(options.style)
    if jobs == 1 or len(paths) < 2:
        yield from (check_one(path, options) for path in paths)
        return
    workers = ProcessPoolExecutor(
        min(jobs, len(paths)), get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        waiting = [workers.submit(check_one, path, options) for path in paths]
        for each in waiting:
            yield each.result()
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts() -> None:
    """An interrupt ends the process that printed what is finished, and that ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def check_one(path: Path, options: CheckOptions) -> tuple[CheckReport | Unreadable, ...]:
    """A report for each piece of a file, or why there is none."""
    try:
        readings = read_pieces(path)
    except ScoreError as error:
        return (Unreadable(str(path), str(error)),)
    return tuple(_report(path, reading, options) for reading in readings)


def check_single(path: Path, options: CheckOptions, *, number: int | None = None) -> Judged:
    """Judge the one piece of a file, or one of several by its number.

    Args:
        path: the file.
        options: how to check.
        number: of the piece in the file, from 1.

    Raises:
        ScoreError: the piece cannot be read or checked.
        OptionError: the file holds several pieces and no number is given, or one that is none.
    """
    readings = read_pieces(path)
    if number is None and len(readings) > 1:
        raise OptionError("piece", None, f"a number from 1 to {len(readings)} of those in {path}")
    place = 1 if number is None else number
    if not 1 <= place <= len(readings):
        raise OptionError("piece", place, f"from 1 to {len(readings)}")
    reading = readings[place - 1]
    if isinstance(reading, ScoreError):
        raise reading
    return check_reading(reading, options, file=str(path))


def _report(
    path: Path, reading: Reading | ScoreError, options: CheckOptions
) -> CheckReport | Unreadable:
    if isinstance(reading, ScoreError):
        return Unreadable(str(path), str(reading))
    try:
        return check_reading(reading, options, file=str(path)).report
    except MusegenError as error:
        return Unreadable(str(path), str(error))


# --- one piece ------------------------------------------------------------------------------


def check_reading(reading: Reading, options: CheckOptions, *, file: str = "") -> Judged:
    """Judge a piece that has been read.

    Raises:
        ScoreError: more voices than a moment can hold, or a harmony that cannot be analysed.
        OptionError: a declared voice that the piece has not, or a species that is none.
        PitchError: a declared key that is none.
    """
    if len(reading.score.parts) > MAX_VOICES:
        problem = f"{len(reading.score.parts)} voices, at most {MAX_VOICES} can be checked"
        raise ScoreError(reading.name, problem)
    check_voices(reading.score)
    score, harmony = _labelled(reading, options)
    seen = _seen(reading, score, options)
    return judge(replace(reading, score=score), seen, load_style(options.style), harmony, file)


def judge(reading: Reading, seen: Piece, style: Style, harmony: str, file: str) -> Judged:
    """Judge a piece as the rules see it, and place what they say in its score.

    Args:
        reading: the score with its labels.
        seen: the same as arrays.
        style: by which to judge.
        harmony: how the harmony is known, or why it is not.
        file: path that the report names.
    """
    score = reading.score
    found = check(seen, style)
    report = CheckReport(
        file,
        reading.name,
        score,
        style.name,
        tuple(placed(number, finding, score) for number, finding in enumerate(found.findings, 1)),
        tuple(SkippedRule(each.rule, each.reason) for each in found.skipped),
        sum(level != "-" for level in style.severities.values()) - len(found.skipped),
        int(both_move(seen.surface).sum()),
        harmony,
        _remarks(reading, score),
    )
    return Judged(reading, score, seen, style, report)


def _labelled(reading: Reading, options: CheckOptions) -> tuple[Score, str]:
    """The score with phrases, and with key and chords if they are analysed; and a word on it."""
    score = reading.score
    if options.key is not None:
        score = replace(score, key=Key.parse(options.key))
    if any(note.fermata for part in score.parts for note in part.notes):
        score = replace(score, phrase_ends=phrase_ends(score))
    if options.harmony is False:
        return score, "not known: its analysis is switched off"
    problem = why_no_chorale(score)
    if problem and options.harmony is None:
        return score, f"not known: {problem}; --harmony analyses it all the same"
    if any(not is_known(metre.beats, metre.unit) for metre in score.metres):
        raise ScoreError(reading.name, f"the harmony cannot be analysed: {problem}")
    if options.key is None:
        score = replace(score, key=estimate_key(score.parts, score.key.signature))
    labelled = label(score)
    if not score.phrase_ends:
        labelled = replace(labelled, phrase_ends=())
    why = problem or "the piece is like a chorale in four parts"
    return labelled, f"analysed in {score.key} ({why})"


def _seen(reading: Reading, score: Score, options: CheckOptions) -> Piece:
    """The arrays that the rules see, with all that is declared."""
    seen = piece(score)
    surface, beat, bar = seen.surface, seen.beat_ticks, seen.bar_ticks
    if not reading.metre:
        surface["strength"], beat, bar = 0, 0, 0
    if options.key is not None and not score.chords:
        _declare_key(surface, score.key, len(score.parts))
    context = _declared(seen.context, reading, score, options)
    write_declared(surface, context)
    return replace(seen, surface=surface, beat_ticks=beat, bar_ticks=bar, context=context)


def _declare_key(surface: Moments, key: Key, voices: int) -> None:
    """One key for the whole of a piece whose chords are not known."""
    surface["tonic"] = key.tonic.fifths
    surface["mode"] = ("major", "minor").index(key.mode)
    for voice in range(voices):
        steps = surface["step"][:, voice].astype(np.int64)
        letters = steps % 7
        alterations = (
            surface["semitone"][:, voice] - 12 * (steps // 7 + 1) - np.take(NATURAL, letters)
        )
        fifths = np.take(FIFTHS, letters) + 7 * alterations - key.tonic.fifths
        sounding = surface["semitone"][:, voice] != REST
        surface["degree"][sounding, voice] = fifths[sounding]


NATURAL = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones of C D E F G A B
FIFTHS = np.array([0, 2, 4, -1, 1, 3, 5])  # their places on the line of fifths


def _declared(context: Context, reading: Reading, score: Score, options: CheckOptions) -> Context:
    """The context with what the file and the caller state."""
    voices = [part.name for part in score.parts]
    context = replace(context, hands=reading.hands)
    if len({str(metre) for metre in score.metres}) == 1:
        context = replace(context, bars=_bars(reading, score), written=_written(reading, score))
    if not reading.tempo:
        context = replace(context, tempo=None)
    if not (reading.key_declared or options.key or score.chords):
        context = replace(context, home=None)
    if options.cantus is not None:
        context = _with_cantus(context, score, options.cantus, options.mode)
    elif options.mode is not None:
        raise OptionError("--mode", options.mode, "left out unless --cantus names a voice")
    strange = [number for number in options.species.values() if number not in SPECIES]
    if strange:
        raise OptionError("--species", strange[0], "from 1 to 5")
    species = {_voice(name, voices, "--species"): of for name, of in options.species.items()}
    return replace(context, species=species, devices=context.devices | combination(species))


def _with_cantus(context: Context, score: Score, name: str, mode: str | None) -> Context:
    """The context with a cantus firmus, its final, and the mode on that."""
    voice = _voice(name, [part.name for part in score.parts], "--cantus")
    final = score.parts[voice].notes[-1].pitch.pitch_class
    declared = None if mode is None else named_mode(mode, final).name
    return replace(context, cantus=voice, final=final.fifths, mode=declared)


def _bars(reading: Reading, score: Score) -> tuple[tuple[int, int], ...]:
    """Number and ticks of each bar as the file draws it; rules compare them with one metre."""
    return tuple((score.bar_and_beat(onset)[0], ticks(length)) for onset, length in reading.bars)


def _written(reading: Reading, score: Score) -> tuple[WrittenNote, ...]:
    """The noteheads of the file, each in the voice whose note it belongs to."""
    seen: Counter[Note] = Counter()  # two voices may have the same note
    found = []
    for head, tied in ((each.note, each.tied) for each in reading.written):
        voices = [
            voice
            for voice, part in enumerate(score.parts)
            if (note := sounding(part.notes, head.onset)) is not None
            and note.pitch == head.pitch
            and head.end <= note.end
        ]
        voice = voices[seen[head] % len(voices)]
        seen[head] += 1
        found.append(WrittenNote(voice, ticks(head.onset), ticks(head.duration), tied))
    return tuple(sorted(found, key=lambda each: (each.onset, each.voice)))


def _voice(name: str, voices: Sequence[str], option: str) -> int:
    lowered = [voice.lower() for voice in voices]
    if name.lower() not in lowered:
        raise OptionError(option, name, f"one of the voices {', '.join(voices)}")
    return lowered.index(name.lower())


def _remarks(reading: Reading, score: Score) -> tuple[str, ...]:
    remarks = list(reading.remarks)
    if not reading.metre:
        remarks.append("no time signature: bars are counted as 4/4, no rule on metre is judged")
    strange = [str(metre) for metre in score.metres if not is_known(metre.beats, metre.unit)]
    if strange:
        remarks.append(f"the metre {strange[0]} is not known: no rule on metre is judged")
    if reading.irregular:
        bars = dict.fromkeys(score.bar_and_beat(onset)[0] for onset in reading.irregular)
        listed = ", ".join(str(bar) for bar in list(bars)[:8]) + (", ..." if len(bars) > 8 else "")
        plural = len(bars) > 1
        remarks.append(
            f"bar{'s' * plural} {listed} {'do' if plural else 'does'} not fill the metre; "
            "beats are counted from the next bar line"
        )
    if not score.phrase_ends:
        remarks.append("no phrase is marked: the piece is taken as one phrase")
    return tuple(remarks)


# --- places ---------------------------------------------------------------------------------


def place_of(score: Score, onset: Fraction) -> Place:
    """Bar and beat of a time, in beats of the metre there."""
    bar, units = score.bar_and_beat(onset)
    metre = score.metre_at(onset)
    length = Fraction(4, metre.unit)
    if is_known(metre.beats, metre.unit):
        length = Fraction(beat_ticks(metre.beats, metre.unit), TICKS)
    return Place(bar, float((units - 1) * Fraction(4, metre.unit) / length) + 1)


def placed(number: int, finding: Finding, score: Score) -> PlacedFinding:
    """A finding with its place in a score and the ids of its notes."""
    onset = Fraction(finding.onset, TICKS)
    voices = tuple(score.parts[voice].name for voice in finding.voices)
    return PlacedFinding(
        number,
        finding.rule,
        finding.severity,
        place_of(score, onset),
        onset,
        voices,
        finding.message,
        finding.repair,
        finding.source,
        finding.also,
        _notes(finding, score),
    )


def _notes(finding: Finding, score: Score) -> tuple[str, ...]:
    """Ids of the notes that the voices of a finding sound from where it starts to where it stands."""
    found = []
    for voice in finding.voices:
        notes = score.parts[voice].notes
        first = bisect_right(notes, finding.start, key=lambda note: ticks(note.end))
        last = bisect_right(notes, finding.onset, key=lambda note: ticks(note.onset))
        found += [f"p{voice}n{number}" for number in range(first, last)]
    return tuple(found)


def both_move(surface: Moments) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each moment, how many pairs of voices both go on from one note to another there."""
    count = np.zeros(len(surface), np.int64)
    if not len(surface):
        return count
    voices = int(surface["voices"][0])
    semitones, attacks = surface["semitone"], surface["attack"]
    moved = np.zeros((len(surface), voices), bool)
    sounded = (semitones[1:, :voices] != REST) & (semitones[:-1, :voices] != REST)
    other = semitones[1:, :voices] != semitones[:-1, :voices]
    moved[1:] = sounded & other & (attacks[1:, :voices] == 1)
    for upper, lower in combinations(range(voices), 2):
        count += moved[:, upper] & moved[:, lower]
    return count
