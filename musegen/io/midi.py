"""MIDI: out with a track a voice, named, with tempo, key and time signature; in with spelling.

A MIDI file knows keys of a keyboard, not notes: reading spells them by `musegen.io.spelling` and
says so in the score's credit. So the law of this pair is weaker than that of MusicXML: the same
keys at the same onsets.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from math import ceil, lcm
from pathlib import Path
from typing import Any

from musegen.errors import OptionError, ScoreError
from musegen.io.limits import (
    BROKEN,
    MOST_NOTES,
    UNITS,
    brief,
    checked_metre,
    checked_parts,
    checked_tempo,
)
from musegen.io.lines import Staff, named_parts, separate
from musegen.io.pieces import Reading
from musegen.io.spelling import KeyStroke, likeliest_key, nearest_key, spell_voices
from musegen.score import Metre, Note, Score
from musegen.unfolding import unfolded
from theory_kb.catalogue import entry
from theory_kb.pitch import Key, Pitch

__all__ = ["LARGEST", "PROGRAM", "program_of", "read_midi", "read_performance", "write_midi"]

PROGRAM = 52  # Choir Aahs, counted from 0
VELOCITY = 80
DIVISION = 480  # ticks a quarter note, or a multiple where tuplets need it
FINEST_DIVISION = 32_767  # the file has 15 bits for it
RELEASE = Fraction(1, 32)  # quarter notes by which a note is let go early, to set off the next
LARGEST = 5_000_000  # bytes of a file
SNAP = (Fraction(1, 8), Fraction(1, 6))  # a release is read as the next multiple of one of these
LEGATO = Fraction(1, 8)  # quarter notes by which a note may miss or overlap the next and meet it
MINOR_NUMBER = 12  # pretty_midi numbers keys by pitch class, 12 more for minor
PROGRAMS = 128  # of General MIDI
MINUTE = 60_000_000  # microseconds
CHANNELS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)  # all but that of percussion
KEY_NAMES = {  # by pitch class: the signatures that a file can name, flats where there are two
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("Cm", "C#m", "Dm", "D#m", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
}


def write_midi(score: Score, *, program: int | None = None) -> bytes:
    """The score as a standard MIDI file; the same score gives the same bytes.

    Repeats are played. Loudness, tempo and touches are those of the score's expression; a score
    without one is played at one loudness and tempo.

    Args:
        score: what to write.
        program: General MIDI instrument of all voices, counted from 0; None: that of the score's
            expression, else a choir.

    Raises:
        OptionError: there is no such program.
    """
    import mido

    how = score.expression
    usual = PROGRAM if how is None else how.program
    number = usual if program is None else program
    if not 0 <= number < PROGRAMS:
        raise OptionError("program", number, "from 0 to 127")
    played = unfolded(score)
    division = _division(played)
    file = mido.MidiFile(ticks_per_beat=division)
    file.tracks.append(_track(_timing(played, division)))
    for part in range(len(played.parts)):
        file.tracks.append(_track(_voice(played, part, number, division)))
    target = BytesIO()
    file.save(file=target)
    return target.getvalue()


def program_of(name: str) -> int:
    """The number of a General MIDI instrument, from 0, by its name or its number from 1.

    Raises:
        OptionError: there is no such instrument.
    """
    import pretty_midi

    names = [pretty_midi.program_to_instrument_name(number) for number in range(PROGRAMS)]
    known = {each.casefold(): number for number, each in enumerate(names)}
    known |= {str(number + 1): number for number in range(PROGRAMS)}
    if name.casefold() not in known:
        near = get_close_matches(name, names, 1, 0)[0]
        allowed = f"plain, expressive, a number from 1 to {PROGRAMS}, or a name such as {near!r}"
        raise OptionError("play", name, allowed)
    return known[name.casefold()]


def _track(events: Iterable[tuple[int, Any]]) -> Any:
    """A track of messages at their ticks, and its end a tick after the last."""
    import mido

    track = mido.MidiTrack()
    now = 0
    for tick, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=1))
    return track


def _timing(score: Score, division: int) -> Iterator[tuple[int, Any]]:
    """Tempo, metre and key, in this order where they stand together."""
    import mido

    how = score.expression
    tempos = ((Fraction(0), score.tempo),) if how is None else how.tempos
    events = [
        (round(onset * division), 0, mido.MetaMessage("set_tempo", tempo=int(MINUTE / tempo)))
        for onset, tempo in tempos
    ]
    for metre in _written_metres(score):
        signature = mido.MetaMessage(
            "time_signature", numerator=metre.beats, denominator=metre.unit
        )
        events.append((round(metre.onset * division), 1, signature))
    tonic = KEY_NAMES[score.key.mode][score.key.tonic.semitone % 12]
    events.append((0, 2, mido.MetaMessage("key_signature", key=tonic)))
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        yield tick, message


def _voice(score: Score, number: int, program: int, division: int) -> Iterator[tuple[int, Any]]:
    """Name, instrument and notes of a part; at one time keys are let go before they are struck."""
    import mido

    part, how = score.parts[number], score.expression
    channel = CHANNELS[number % len(CHANNELS)]
    if part.name:
        yield 0, mido.MetaMessage("track_name", name=part.name)
    yield 0, mido.Message("program_change", program=program, channel=channel)
    velocities = [VELOCITY] * len(part.notes) if how is None else how.velocities[number]
    keys = []
    for note, velocity, sounding in zip(
        part.notes, velocities, _sounding(score, number), strict=True
    ):
        key = note.pitch.semitone
        keys.append((round(note.onset * division), key, velocity))
        keys.append((round((note.onset + sounding) * division), key, 0))
    for tick, key, velocity in sorted(keys):
        yield tick, mido.Message("note_on", note=key, velocity=velocity, channel=channel)


def _sounding(score: Score, number: int) -> Iterator[Fraction]:
    """How long each note of a part is heard, in quarter notes."""
    how = score.expression
    slurs = [] if how is None else [each for each in how.slurs if each.part == number]
    touches = {} if how is None else {t.onset: t.kind for t in how.touches if t.part == number}
    for note in score.parts[number].notes:
        if any(each.start <= note.onset < each.end for each in slurs):
            yield note.duration * _share("legato")
        elif touches.get(note.onset) == "staccato":
            yield note.duration * _share("staccato")
        else:
            yield note.duration - min(RELEASE, note.duration / 4)


def _share(touch: str) -> Fraction:
    return Fraction(str(entry("touch", touch)["sounds"]))


def _division(score: Score) -> int:
    """Ticks a quarter note, so many that each onset is a whole number of them if it can be."""
    onsets = [note.onset.denominator for part in score.parts for note in part.notes]
    division = lcm(DIVISION, *onsets)
    return division if division <= FINEST_DIVISION else DIVISION


def _written_metres(score: Score) -> Iterator[Metre]:
    """Time signatures; an upbeat is a short bar of its own, if any metre has such a bar."""
    if score.upbeat:
        unit = score.metre.unit
        while (score.upbeat * unit / 4).denominator != 1 and unit < UNITS[-1]:
            unit *= 2
        beats = score.upbeat * unit / 4
        short = Metre(int(beats), unit) if beats.denominator == 1 else score.metre
        yield short
        yield Metre(score.metre.beats, score.metre.unit, score.upbeat)
        yield from score.metres[1:]
    else:
        yield from score.metres


# --- reading --------------------------------------------------------------------------------


def read_midi(path: str | Path, *, key: Key | None = None) -> Score:
    """Read a MIDI file; its keys are spelled, and the credit says so.

    Onsets are those of the file; releases are read as the next eighth, sixth or onset. Tracks
    keep their order; one with several notes at once is set apart as voices.

    Args:
        path: the file.
        key: how to spell; else the file's key signature, else the key that its notes fit best.

    Raises:
        ScoreError: the file cannot be read, is too large, or has percussion.
    """
    return _performance(Path(path), key, None).score


def read_performance(path: str | Path, *, key: Key | None = None) -> Reading:
    """Read a MIDI file with what it does not say, and remarks on what was left out.

    Arguments and errors as `read_midi`, but percussion beside other tracks is no reason.
    """
    return _performance(Path(path), key, [])


def _performance(path: Path, key: Key | None, remarks: list[str] | None) -> Reading:
    midi = _opened(path)
    tracks = [track for track in midi.instruments if track.notes]
    if not tracks:
        raise ScoreError(path.name, "holds no note")
    if remarks is not None and not all(track.is_drum for track in tracks):
        drums = [(n, track) for n, track in enumerate(tracks, 1) if track.is_drum]
        remarks += [f"{_track_name(track, n)}: percussion left out" for n, track in drums]
        tracks = [track for track in tracks if not track.is_drum]
    played = [
        _lines(midi, track, f"{path.name}, {brief(_track_name(track, n), 40)}")
        for n, track in enumerate(tracks, 1)
    ]
    voices = [line for lines in played for line in lines]
    source, key = _key(midi, voices, key)
    pitches = iter(spell_voices(voices, key))
    staves = [
        Staff(
            _track_name(track, number),
            tuple(_notes(line, next(pitches)) for line in lines),
        )
        for number, (track, lines) in enumerate(zip(tracks, played, strict=True), 1)
    ]
    metres, upbeat = _metres(midi, path.name)
    tempi = midi.get_tempo_changes()[1]
    credit = f"from {path.name}, spelled from MIDI keys in {key} ({source})"
    tempo = checked_tempo(round(float(tempi[0]), 3) if len(tempi) else 120.0, path.name)
    parts = checked_parts(named_parts(staves), path.name)
    return Reading(
        path.stem,
        Score(path.stem, key, parts, metres, upbeat, tempo, credit=credit),
        (f"pitches are spelled from MIDI keys in {key} ({source})", *(remarks or ())),
        metre=bool(midi.time_signature_changes),
        tempo=True,
        key_declared=source != "estimated",
    )


def _notes(line: Sequence[KeyStroke], pitches: Sequence[Pitch]) -> tuple[Note, ...]:
    return tuple(
        Note(stroke.onset, stroke.duration, pitch)
        for stroke, pitch in zip(line, pitches, strict=True)
    )


def _opened(path: Path) -> Any:
    """The file as pretty_midi reads it; whatever it raises on a broken file is a refusal."""
    import pretty_midi

    mido = pretty_midi.pretty_midi.mido
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ScoreError(str(path), f"cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise ScoreError(path.name, f"is larger than {LARGEST} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a tempo outside the first track, which is not read
            content: Any = mido.MidiFile(file=BytesIO(data))
            _check(content, path.name)
            return pretty_midi.PrettyMIDI(mido_object=content)
    except EOFError as error:
        raise ScoreError(
            path.name, "is no MIDI file that can be read: it ends too early"
        ) from error
    except (OSError, mido.KeySignatureError, *BROKEN) as error:
        reason = brief(error) or type(error).__name__
        raise ScoreError(path.name, f"is no MIDI file that can be read: {reason}") from error


def _check(file: Any, name: str) -> None:
    """Refuse what pretty_midi would count wrong or leave out unsaid."""
    if file.ticks_per_beat <= 0:
        raise ScoreError(name, "counts no ticks of quarter notes; SMPTE time is not read")
    begun, ended = 0, 0
    for track in file.tracks:
        sounding: dict[tuple[int, int], list[int]] = {}
        time = 0
        for event in track:
            time += event.time
            if event.type == "note_on" and event.velocity:
                sounding.setdefault((event.channel, event.note), []).append(time)
                begun += 1
            elif event.type in ("note_on", "note_off"):
                key = event.channel, event.note
                begins = sounding.pop(key, [])
                ended += sum(begin < time for begin in begins)
    if not begun:
        raise ScoreError(name, "holds no note")
    if begun > MOST_NOTES:
        raise ScoreError(name, f"holds {begun} notes, at most {MOST_NOTES} are read")
    if begun != ended:
        raise ScoreError(name, f"of {begun} notes {begun - ended} never end or last no time")


def _track_name(track: Any, number: int) -> str:
    return " ".join(track.name.split()) or f"Track {number}"


def _lines(midi: Any, track: Any, where: str) -> tuple[tuple[KeyStroke, ...], ...]:
    """The notes of a track in lines of one at a time."""
    if track.is_drum:
        raise ScoreError(where, "is percussion; take the track out")
    played = sorted(
        (_time(midi, note.start), _time(midi, note.end), note.pitch) for note in track.notes
    )
    if all(
        after[0] > before[0] and before[1] - after[0] <= LEGATO
        for before, after in pairwise(played)
    ):
        onsets = [*(note[0] for note in played[1:]), None]
        return (
            tuple(
                KeyStroke(begin, _snapped(begin, end, following), semitone)
                for (begin, end, semitone), following in zip(played, onsets, strict=True)
            ),
        )
    return _voices(played, where)


def _voices(
    played: Sequence[tuple[Fraction, Fraction, int]], where: str
) -> tuple[tuple[KeyStroke, ...], ...]:
    """Notes that sound together in lines; a release meets the onset nearest to it."""
    onsets = sorted({begin for begin, _, _ in played})
    notes = []
    for begin, end, semitone in played:
        near = onsets[bisect_right(onsets, end - LEGATO) : bisect_left(onsets, end + LEGATO)]
        after = onsets[bisect_left(onsets, end) :][:1]
        meets = [onset for onset in near if onset > begin] or after
        nearest = min(meets, key=lambda onset: abs(onset - end), default=None)
        duration = _snapped(begin, end, nearest)
        notes.append(Note(begin, duration, Pitch(semitone * 7 // 12, semitone)))
    return tuple(
        tuple(KeyStroke(note.onset, note.duration, note.pitch.semitone) for note in line)
        for line in separate(notes, where)
    )


def _time(midi: Any, seconds: float) -> Fraction:
    """Quarter notes from the start, exact to the tick."""
    return Fraction(int(midi.time_to_tick(seconds)), int(midi.resolution))


def _snapped(begin: Fraction, end: Fraction, following: Fraction | None) -> Fraction:
    """Duration of a note whose release was played a little early or late."""
    if following is not None and abs(following - end) < LEGATO:
        return following - begin
    later = min(ceil(end / grid) * grid for grid in SNAP)
    return (later if following is None else min(later, following)) - begin


def _metres(midi: Any, name: str) -> tuple[tuple[Metre, ...], Fraction]:
    """Time signatures, and the upbeat: a first bar that is shorter than what follows it."""
    found = [
        checked_metre(Metre(each.numerator, each.denominator, _time(midi, each.time)), name)
        for each in midi.time_signature_changes
    ]
    if not found or found[0].onset:
        found.insert(0, Metre(4, 4))
    first, second = found[0], found[1] if len(found) > 1 else None
    if second is None or second.onset != first.bar or first.bar >= second.bar:
        return tuple(found), Fraction(0)
    return (Metre(second.beats, second.unit), *found[2:]), first.bar


# --- the key --------------------------------------------------------------------------------


def _key(midi: Any, voices: Sequence[Sequence[KeyStroke]], given: Key | None) -> tuple[str, Key]:
    """Where the key comes from, and the key."""
    if given is not None:
        return "given", given
    if midi.key_signature_changes:
        number = midi.key_signature_changes[0].key_number
        mode = "minor" if number >= MINOR_NUMBER else "major"
        return "its key signature", nearest_key(number % MINOR_NUMBER, mode)
    return "estimated", likeliest_key(voices)
