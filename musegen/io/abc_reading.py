"""ABC notation in, by our own reader, after the standard 2.1.

Read are notes, rests, chords, ties, tuplets, broken rhythm, fermatas, voices and overlays, bar
lines, and the fields of metre, unit, key, tempo, title and composer, inline too; repeats are not
expanded. Accidentals hold to the bar line as the standard says, in all octaves unless the file
asks otherwise. music21's reader was tried: it lets an accidental hold for one note only, so that
tunes of its own corpus come out wrong, and it names no line of a faulty file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from musegen.errors import ScoreError
from musegen.io.barlines import grid
from musegen.io.limits import (
    LONGEST,
    MOST_NOTES,
    brief,
    checked_metre,
    checked_parts,
    checked_tempo,
    text_of,
)
from musegen.io.lines import Staff, Written, join_ties, named_parts, staff_lines
from musegen.io.pieces import TEMPO, Reading, home_key, left_out
from musegen.score import Metre, Note, Score
from theory_kb.pitch import LETTER_FIFTHS, Pitch

__all__ = ["LARGEST", "read_abc"]

LARGEST = 5_000_000  # bytes of a file
MOST_TUNES = 5000
MOST_VOICES = 32
LONGEST_LINE = 10_000  # letters
MOST_HEAD = 200  # lines before the first tune that all tunes share
LETTERS = "CDEFGAB"
LETTER_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
SIGNS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
FIELD = re.compile(r"([A-Za-z+]):(?![|:])(.*)")
MODES = {
    "": "major",
    "maj": "major",
    "ion": "ionian",
    "m": "minor",
    "min": "minor",
    "aeo": "aeolian",
    "mix": "mixolydian",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "loc": "locrian",
}
MODE_SIGNATURES = {  # sharps of the mode on C
    "major": 0,
    "ionian": 0,
    "minor": -3,
    "aeolian": -3,
    "mixolydian": -1,
    "dorian": -2,
    "phrygian": -4,
    "lydian": 1,
    "locrian": -5,
}
KEY = re.compile(r"([A-G])([#b]?) *([A-Za-z]*)")
GLOBAL_SIGN = re.compile(r"(?<![A-Za-z])(\^\^|\^|=|__|_)([A-Ga-g])(?![A-Za-z])")
METRE = re.compile(r"\(?([\d+ ]+)\)? */ *(\d+)$")
LENGTH = re.compile(r"(\d+)/(\d+)$")
TEMPO_TEXT = re.compile(r"(?:(\d+)/(\d+) *(?:\d+/\d+ *)*= *)?(\d+)(?: *$|(?= *\"))")
OPTION = re.compile(r"(\w+)=(\"[^\"]*\"|\S+)")
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # notes in the time of; 5, 7 and 9 depend on the metre
FERMATA = ("!fermata!", "+fermata+", "H", "!invertedfermata!")
TOKENS = re.compile(
    r"""
    (?P<blank>[\s`]+|\\|\$)
  | (?P<inline>\[[A-Za-z]:[^\]]*\])
  | (?P<text>"[^"]*")
  | (?P<decoration>![^!\s]*!|\+[a-z<>()\d.]+\+|[.~H-Wh-w])
  | (?P<grace>\{[^{}]*\})
  | (?P<tuplet>\((?P<p>\d)(?P<q>:\d?)?(?P<r>:\d{0,2})?)
  | (?P<slur>[()])
  | (?P<bar>\[\||\|\]|:*\|+[\]:]*|::+)(?P<ending>(?:\[?\d[\d,.-]*)?)
  | (?P<volta>\[[\d,.-]+)
  | (?P<note>(?P<sign>\^\^|\^|=|__|_)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>[\d/]*)(?P<tie>-?))
  | (?P<rest>[zx](?P<rest_length>[\d/]*))
  | (?P<bars>[ZX](?P<bar_count>\d*))
  | (?P<open>\[)
  | (?P<close>\](?P<close_length>[\d/]*)(?P<close_tie>-?))
  | (?P<broken>>+|<+)
  | (?P<overlay>&+)
  | (?P<space>y[\d/]*)
  | (?P<hanging>-)
  | (?P<star>[*;?@#!:]+)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class _Voice:
    """What one voice has reached."""

    name: str = ""
    octave: int = 0  # octaves that its notes sound higher than they are written
    time: Fraction = Fraction(0)
    unit: Fraction = Fraction(0)  # quarter notes of a note without length; 0: the metre decides
    signature: dict[int, int] = field(default_factory=dict)  # letter: alteration
    carried: dict[int, int] = field(default_factory=dict)  # letter, or step: alteration
    tied: dict[int, int] = field(default_factory=dict)  # step: alteration carried by an open tie
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # factor, notes left
    broken: Fraction = Fraction(1)  # factor of the next note
    fermata: bool = False
    bar: Fraction = Fraction(0)  # where the bar began
    layers: list[list[Written]] = field(default_factory=lambda: [[]])
    layer: int = 0
    last: tuple[int, int] = (0, 0)  # slice of the layer that the last note or chord fills
    last_span: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    furthest: Fraction = Fraction(0)  # end of the longest overlay of the bar


@dataclass(slots=True)
class _Tune:
    """What has been read of a tune."""

    name: str
    place: str = ""  # line that is being read
    fields: dict[str, str] = field(default_factory=dict)
    voices: dict[str, _Voice] = field(default_factory=dict)
    current: str = ""
    metres: list[Metre] = field(default_factory=list)
    unit: Fraction = Fraction(0)
    key: tuple[str, str, str] | None = None
    sharps: int | None = None
    signature: dict[int, int] = field(default_factory=dict)
    tempo: float | None = None
    bars: list[Fraction] = field(default_factory=list)
    carry: str = "pitch"
    graces: int = 0
    first_grace: str = ""
    body: bool = False
    count: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        return f"{self.name}, {self.place}"

    @property
    def voice(self) -> _Voice:
        if self.current not in self.voices:
            if len(self.voices) == MOST_VOICES:
                raise ScoreError(self.where, f"more than {MOST_VOICES} voices")
            self.voices[self.current] = _Voice(signature=dict(self.signature))
        return self.voices[self.current]

    def unit_of(self, voice: _Voice) -> Fraction:
        """Quarter notes of a note without length: as stated, else by the metre."""
        if voice.unit or self.unit:
            return voice.unit or self.unit
        metre = self.metres[0] if self.metres else None
        short = metre is not None and Fraction(metre.beats, metre.unit) < Fraction(3, 4)
        return Fraction(1, 4) if short else Fraction(1, 2)


def read_abc(path: str | Path) -> tuple[Reading | ScoreError, ...]:
    """Read a file of ABC notation; it may hold many tunes.

    Voices keep the order of the file; overlays and notes of a chord become voices.

    Returns:
        For each tune what it gives, or why it gives nothing: the refusal names the line.

    Raises:
        ScoreError: the file cannot be read, is too large, or holds no tune with a note.
    """
    path = Path(path)
    tunes = [_tune(path, lines) for lines in _tunes(path)]
    found = tuple(tune for tune in tunes if tune is not None)
    if not found:
        raise ScoreError(path.name, "holds no tune")
    if len(found) == 1 and isinstance(found[0], Reading):
        return (replace(found[0], name=path.stem),)
    return found


def _tune(path: Path, lines: Sequence[tuple[int, str]]) -> Reading | ScoreError | None:
    """What comes of one tune, None of one without notes."""
    try:
        tune = _read_tune(path, lines)
        return _reading(tune, path) if tune.count else None
    except ScoreError as error:
        return error


# --- tunes ----------------------------------------------------------------------------------


def _tunes(path: Path) -> Iterator[list[tuple[int, str]]]:
    """The numbered lines of each tune, those before the first one put before each."""
    head: list[tuple[int, str]] = []
    tune: list[tuple[int, str]] = []
    count = 0
    for number, line in enumerate(text_of(path, LARGEST).splitlines(), 1):
        if line.startswith("X:"):
            if tune:
                yield [*head, *tune]
            count += 1
            if count > MOST_TUNES:
                raise ScoreError(path.name, f"holds more than {MOST_TUNES} tunes")
            tune = [(number, line)]
        elif tune:
            tune.append((number, line))
        elif FIELD.match(line) or line.startswith("%%"):
            head.append((number, line))
            if len(head) > MOST_HEAD:
                raise ScoreError(path.name, f"has more than {MOST_HEAD} lines before its tunes")
    if tune:
        yield [*head, *tune]


def _read_tune(path: Path, lines: Sequence[tuple[int, str]]) -> _Tune:
    tune = _Tune(path.name)
    for number, full in lines:
        tune.place = f"line {number}"
        if len(full) > LONGEST_LINE:
            raise ScoreError(tune.where, f"is longer than {LONGEST_LINE} letters")
        directive = re.match(r"(?:%%|I:) *propagate-accidentals +(\w+)", full)
        if directive:
            tune.carry = directive[1]
        line = re.sub(r"(?<!\\)%.*", "", full).rstrip()
        match = FIELD.match(line)
        if match:
            _read_field(tune, match[1], match[2].strip())
        elif line and tune.body:
            _read_music(tune, line)
    return tune


# --- fields ---------------------------------------------------------------------------------


def _read_field(tune: _Tune, letter: str, text: str) -> None:
    if letter in FIELDS:
        FIELDS[letter](tune, text)
    else:
        tune.fields.setdefault(letter, brief(text))


def _read_metre(tune: _Tune, text: str) -> None:
    metre = {"C": "4/4", "C|": "2/2"}.get(text, text)
    onset = tune.voice.time if tune.body else Fraction(0)
    if metre.lower() in ("none", ""):
        return
    match = METRE.match(metre)
    if match is None:
        tune.remarks.append(f"{tune.place}: {brief(text, 40)!r} is no metre; it is left out")
        return
    beats = sum(int(number[:4]) for number in re.findall(r"\d+", match[1]))
    found = checked_metre(Metre(beats, int(match[2][:4]), onset), tune.where)
    if found in tune.metres:
        return
    if onset == 0:
        tune.metres = [each for each in tune.metres if each.onset]
    tune.metres.append(found)


def _read_unit(tune: _Tune, text: str) -> None:
    match = LENGTH.match(text)
    if match is None or not 0 < int(match[2][:5]) <= 512 or not 0 < int(match[1][:5]) <= 8:
        raise ScoreError(tune.where, f"L: must be such as 1/8, got {brief(text, 40)!r}")
    unit = Fraction(4 * int(match[1]), int(match[2]))
    if tune.body:
        tune.voice.unit = unit
    else:
        tune.unit = unit


def _read_tempo(tune: _Tune, text: str) -> None:
    match = TEMPO_TEXT.search(re.sub(r'"[^"]*"', "", text).strip())
    if match is None or tune.tempo is not None:
        return
    beat = Fraction(1)
    if match[1] and int(match[2]):
        beat = Fraction(4 * int(match[1]), int(match[2]))
    tune.tempo = checked_tempo(float(match[3]) * float(beat), tune.where)


def _read_key(tune: _Tune, text: str) -> None:
    signature, sharps, stated = _signature(tune, text)
    if not tune.body:
        tune.signature, tune.key, tune.sharps = signature, stated, sharps
        tune.body = True
        for voice in tune.voices.values():
            voice.signature = dict(signature)
    else:
        tune.voice.signature = signature
    _read_options(tune, tune.voice if tune.voices else None, text)


def _signature(
    tune: _Tune, text: str
) -> tuple[dict[int, int], int | None, tuple[str, str, str] | None]:
    """Alterations by letter, sharps, and the key as letter, sign and mode."""
    plain = OPTION.sub("", text).strip()
    if plain.split(" ")[0] in ("HP", "Hp"):
        return ({0: 1, 3: 1} if plain.startswith("Hp") else {}), None, None
    match = KEY.match(plain)
    if match is None or plain.lower().startswith(("none", "clef")):
        return _global_signs({}, plain), None, None
    word = match[3].lower()
    explicit = word.startswith("exp")
    mode = MODES.get("m" if match[3] in ("m", "M") else word[:3], "" if word else "major")
    if match[3] in ("treble", "bass", "alto", "tenor", "exp") or explicit:
        mode = "major"
    if not mode:
        raise ScoreError(tune.where, f"K: must be such as G, Em or Ddor, got {brief(text, 40)!r}")
    letter = LETTERS.index(match[1])
    shift = {"#": 7, "b": -7}.get(match[2], 0)
    sharps = LETTER_FIFTHS[letter] + shift + MODE_SIGNATURES[mode]
    if explicit:
        return _global_signs({}, plain), None, None
    if abs(sharps) > 14:
        raise ScoreError(tune.where, f"K: {brief(text, 40)!r} has too many accidentals")
    return _global_signs(_alterations(sharps), plain), sharps, (match[1], match[2], mode)


def _alterations(sharps: int) -> dict[int, int]:
    """Alteration of each letter under a signature."""
    order = (3, 0, 4, 1, 5, 2, 6)
    found: dict[int, int] = {}
    for place in range(abs(sharps)):
        letter = order[place % 7] if sharps > 0 else order[-1 - place % 7]
        found[letter] = found.get(letter, 0) + (1 if sharps > 0 else -1)
    return found


def _global_signs(signature: dict[int, int], text: str) -> dict[int, int]:
    for sign, letter in GLOBAL_SIGN.findall(text):
        signature[LETTERS.index(letter.upper())] = SIGNS[sign]
    return signature


def _read_voice(tune: _Tune, text: str) -> None:
    name = text.split(maxsplit=1)[0] if text.split() else ""
    tune.current = brief(name, 20)
    _read_options(tune, tune.voice, text)


def _read_options(tune: _Tune, voice: _Voice | None, text: str) -> None:
    options = {name: value.strip('"') for name, value in OPTION.findall(text)}
    shift = options.get("transpose", options.get("t", "0"))
    if shift not in ("0", "+0"):
        raise ScoreError(tune.where, f"transpose={brief(shift, 20)} is not read; write what sounds")
    if voice is None:
        return
    voice.name = brief(options.get("name", options.get("nm", voice.name)), 40)
    if re.fullmatch(r"[+-]?\d", options.get("octave", "")):
        voice.octave = int(options["octave"])
    clef = options.get("clef", text)
    lowered = re.search(r"(?:treble|bass|alto|tenor|soprano|G|F|C)\d?([+-])8", clef)
    if lowered and "octave" not in options:
        voice.octave = {"+": 1, "-": -1}[lowered[1]]


FIELDS: Mapping[str, Callable[[_Tune, str], None]] = {
    "M": _read_metre,
    "L": _read_unit,
    "Q": _read_tempo,
    "K": _read_key,
    "V": _read_voice,
}

# --- music ----------------------------------------------------------------------------------


def _read_music(tune: _Tune, line: str) -> None:
    place = 0
    chord: list[re.Match[str]] | None = None
    while place < len(line):
        match = TOKENS.match(line, place)
        if match is None or match.end() == place:
            raise ScoreError(tune.where, f"{brief(line[place : place + 20])!r} cannot be read")
        place = match.end()
        kind = next(name for name in KINDS if match[name] is not None)
        if (kind == "open" and chord is not None) or (kind == "close" and chord is None):
            raise ScoreError(tune.where, f"{match[0]!r} opens or closes no chord")
        if kind == "open":
            chord = []
        elif kind == "close":
            _read_chord(tune, chord or (), match)
            chord = None
        elif kind == "note" and chord is not None:
            chord.append(match)
        elif kind in READERS:
            READERS[kind](tune, match)
    if chord is not None:
        raise ScoreError(tune.where, "a chord is not closed by ]")


def _length(tune: _Tune, text: str) -> Fraction:
    """A factor such as 3/2, // or nothing."""
    match = re.fullmatch(r"(\d{0,4})(?:(/+)(\d{0,4}))?", text)
    if match is None:
        raise ScoreError(tune.where, f"{brief(text, 20)!r} is no length of a note")
    top = int(match[1] or "1")
    bottom = int(match[3]) if match[3] else 2 ** min(len(match[2] or ""), 12)
    if not top or not bottom:
        raise ScoreError(tune.where, "a note or rest lasts no time")
    return Fraction(top, bottom)


def _take_time(tune: _Tune, factor: Fraction) -> tuple[Fraction, Fraction]:
    """Onset and duration of the next note or rest; the time of its voice goes on."""
    voice = tune.voice
    duration = factor * tune.unit_of(voice) * voice.broken
    voice.broken = Fraction(1)
    ratio, left = voice.tuplet
    if left:
        duration *= ratio
        voice.tuplet = ratio, left - 1
    onset = voice.time
    voice.time += duration
    if voice.time > LONGEST:
        raise ScoreError(tune.where, f"lasts longer than {LONGEST} quarter notes")
    voice.last_span = onset, duration
    return onset, duration


def _read_note(tune: _Tune, match: re.Match[str]) -> None:
    _write(tune, [match], _length(tune, match["length"]), bool(match["tie"]))


def _read_chord(tune: _Tune, chord: Sequence[re.Match[str]], close: re.Match[str]) -> None:
    if not chord:
        return
    factor = _length(tune, chord[0]["length"]) * _length(tune, close["close_length"])
    _write(tune, chord, factor, bool(close["close_tie"]))


def _write(tune: _Tune, notes: Sequence[re.Match[str]], factor: Fraction, tied: bool) -> None:
    voice = tune.voice
    span = _take_time(tune, factor)
    layer = voice.layers[voice.layer]
    first = len(layer)
    ties = {}
    for match in notes:
        pitch = _pitch(tune, match)
        held = tied or bool(match["tie"])
        if held:
            ties[pitch.step] = pitch.alteration
        layer.append(Written(Note(*span, pitch, voice.fermata), held, tune.place))
    voice.tied, voice.fermata = ties, False
    voice.last = first, len(layer)
    tune.count += len(notes)
    if tune.count > MOST_NOTES:
        raise ScoreError(tune.where, f"more than {MOST_NOTES} notes; no more are read")


def _pitch(tune: _Tune, match: re.Match[str]) -> Pitch:
    voice = tune.voice
    name = match["letter"]
    letter = LETTERS.index(name.upper())
    marks = match["octave"]
    octave = 4 + name.islower() + marks.count("'") - marks.count(",")
    octave += voice.octave
    if not 0 <= octave <= 9:
        raise ScoreError(tune.where, f"{match[0]!r} is none of the MIDI keys 0 to 127")
    step = 7 * octave + letter
    place = step if tune.carry == "octave" else letter
    if match["sign"]:
        alteration = SIGNS[match["sign"]]
        if tune.carry != "not":
            voice.carried[place] = alteration
    elif place in voice.carried:
        alteration = voice.carried[place]
    elif step in voice.tied:
        alteration = voice.tied[step]
    else:
        alteration = voice.signature.get(letter, 0)
    return Pitch(step, 12 * (octave + 1) + LETTER_SEMITONES[letter] + alteration)


def _read_rest(tune: _Tune, match: re.Match[str]) -> None:
    _take_time(tune, _length(tune, match["rest_length"]))
    _silent(tune)


def _read_bars_of_rest(tune: _Tune, match: re.Match[str]) -> None:
    metre = tune.metres[-1] if tune.metres else Metre(4, 4)
    count = min(int((match["bar_count"] or "1")[:5]), LONGEST)
    for _ in range(count):
        tune.bars.append(tune.voice.time)
        _take_time(tune, metre.bar / tune.unit_of(tune.voice))
    _silent(tune)


def _silent(tune: _Tune) -> None:
    voice = tune.voice
    size = len(voice.layers[voice.layer])
    voice.last, voice.tied, voice.fermata = (size, size), {}, False


def _read_broken(tune: _Tune, match: re.Match[str]) -> None:
    """`a>b`: the first note takes half of the second, `<` the other way."""
    voice = tune.voice
    small = Fraction(1, 2 ** min(len(match[0]), 4))
    first, voice.broken = (2 - small, small) if match[0][0] == ">" else (small, 2 - small)
    onset, duration = voice.last_span
    longer = duration * first
    layer = voice.layers[voice.layer]
    for place in range(*voice.last):
        each = layer[place]
        layer[place] = replace(each, note=replace(each.note, duration=longer))
    voice.time = onset + longer
    voice.last_span = onset, longer


def _read_tuplet(tune: _Tune, match: re.Match[str]) -> None:
    number = int(match["p"])
    metre = tune.metres[-1] if tune.metres else None
    compound = metre is not None and metre.unit == 8 and metre.beats % 3 == 0
    usual = TUPLETS.get(number, 3 if compound else 2)
    within = int((match["q"] or ":")[1:] or usual)
    count = int((match["r"] or ":")[1:] or str(number))
    if not number or not within:
        raise ScoreError(tune.where, f"{match[0]!r} is no tuplet")
    tune.voice.tuplet = Fraction(within, number), count


def _read_bar(tune: _Tune, match: re.Match[str]) -> None:
    voice = tune.voice
    voice.time = max(voice.time, voice.furthest)
    voice.furthest, voice.layer = Fraction(0), 0
    voice.bar = voice.time
    voice.carried = {}
    voice.tuplet = Fraction(1), 0
    voice.last = (len(voice.layers[0]),) * 2
    tune.bars.append(voice.time)


def _read_overlay(tune: _Tune, match: re.Match[str]) -> None:
    """Go back to the bar line with a layer of its own."""
    voice = tune.voice
    voice.furthest = max(voice.furthest, voice.time)
    voice.time, voice.carried, voice.tied = voice.bar, {}, {}
    voice.layer += 1
    if voice.layer >= MOST_VOICES:
        raise ScoreError(tune.where, f"more than {MOST_VOICES} voices")
    if voice.layer == len(voice.layers):
        voice.layers.append([])


def _read_inline(tune: _Tune, match: re.Match[str]) -> None:
    _read_field(tune, match[0][1], match[0][3:-1].strip())


def _read_decoration(tune: _Tune, match: re.Match[str]) -> None:
    if match[0] in FERMATA:
        tune.voice.fermata = True


def _read_grace(tune: _Tune, match: re.Match[str]) -> None:
    tune.graces += len(re.findall(r"[A-Ga-g]", match[0]))
    tune.first_grace = tune.first_grace or tune.place


def _read_hanging_tie(tune: _Tune, match: re.Match[str]) -> None:
    """A tie that stands apart from its note, as after a closing slur."""
    voice = tune.voice
    layer = voice.layers[voice.layer]
    for place in range(*voice.last):
        layer[place] = replace(layer[place], tied=True)
        pitch = layer[place].note.pitch
        voice.tied[pitch.step] = pitch.alteration


READERS: Mapping[str, Callable[[_Tune, re.Match[str]], None]] = {
    "note": _read_note,
    "rest": _read_rest,
    "bars": _read_bars_of_rest,
    "broken": _read_broken,
    "tuplet": _read_tuplet,
    "bar": _read_bar,
    "overlay": _read_overlay,
    "inline": _read_inline,
    "decoration": _read_decoration,
    "grace": _read_grace,
    "hanging": _read_hanging_tie,
}
KINDS = (*READERS, "open", "close", "blank", "text", "slur", "volta", "space", "star")

# --- the piece ------------------------------------------------------------------------------


def _reading(tune: _Tune, path: Path) -> Reading:
    remarks = list(tune.remarks)
    if tune.graces:
        remarks.append(f"{tune.first_grace}: {left_out(tune.graces, 'grace note')}")
    staves = []
    for name, voice in tune.voices.items():
        lines: list[tuple[Note, ...]] = []
        for layer in voice.layers:
            notes, hanging = join_ties(layer)
            remarks += hanging
            lines.append(notes)
        if any(lines):
            title = voice.name or (f"Voice {name}" if name else "")
            staves.append(Staff(title, staff_lines(lines, f"{path.name}, voice {name or 1}")))
    parts = checked_parts(named_parts(staves), path.name)
    end = max(part.notes[-1].end for part in parts)
    metres = tune.metres if tune.metres and not tune.metres[0].onset else []
    counted = grid(tune.bars, metres or [Metre(4, 4)], end, path.name)
    key, declared = home_key(parts, tune.sharps, tune.key)
    title = tune.fields.get("T", path.stem)
    score = Score(
        title,
        key,
        parts,
        counted.metres,
        counted.upbeat,
        tune.tempo or TEMPO,
        credit=tune.fields.get("C", ""),
    )
    return Reading(
        f"{path.stem} {tune.fields.get('X', '')}".strip(),
        score,
        tuple(remarks),
        metre=bool(metres),
        tempo=tune.tempo is not None,
        key_declared=declared,
        irregular=counted.irregular,
        bars=counted.bars,
    )
