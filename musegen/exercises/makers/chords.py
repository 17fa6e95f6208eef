"""Exercises on single chords: named, spelled, figured, sorted by function, with their tendencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown_chords
from musegen.exercises.names import key_text
from theory_kb.chord_symbols import ChordSymbol
from theory_kb.chords import Chord, every_chord, read_chord, spell
from theory_kb.errors import MusegenError
from theory_kb.facts import USES
from theory_kb.labels import functional_label
from theory_kb.pitch import MODES, Key, Pitch, PitchClass
from theory_kb.questions_harmony import tendency_tones

__all__ = [
    "chords_of",
    "figure_chord",
    "find_tendencies",
    "from_bass",
    "functional_or_blank",
    "in_mode",
    "known_in",
    "name_chord",
    "names_of",
    "sort_functions",
    "spell_lead_sheet",
    "spell_symbol",
    "stacked",
    "writable",
    "wrong_chords",
]

CHORD = Text("chord", "和弦")
NOTES = Text("notes", "各音")
MOST_SIGNS = 2
LOWEST, MIDDLE = Pitch.parse("F2").step, Pitch.parse("G3").step


def names_of(tones: Sequence[PitchClass]) -> str:
    """Note names in a row."""
    return " ".join(tone.name for tone in tones)


def writable(tones: Sequence[PitchClass]) -> bool:
    """Whether no note has more than two signs."""
    return all(abs(tone.alteration) <= MOST_SIGNS for tone in tones)


def from_bass(chord: Chord, key: Key) -> list[PitchClass]:
    """The notes of a chord of a key, the bass first, then in the order of thirds."""
    tones = spell(chord, key)
    return [*tones[chord.inversion :], *tones[: chord.inversion]]


def stacked(
    tones: Sequence[PitchClass],
    bass: int,
    rng: np.random.Generator,
    *,
    spread: bool = False,
    voices: int = 0,
) -> list[Pitch]:
    """A chord from the bass up.

    Args:
        tones: from the root.
        bass: which of them lies lowest.
        rng: draws the order of the upper notes where they are spread.
        spread: open position, bass apart from the upper notes; else close.
        voices: so many in all, the root doubled or the fifth left out; 0: each tone once.
    """
    low = Pitch.of(tones[bass], 2 if spread else 4)
    while spread and low.step < LOWEST:
        low = Pitch.of(tones[bass], low.octave + 1)
    upper = [tone for place, tone in enumerate(tones) if place != bass]
    if voices and len(tones) > voices and len(upper) > voices - 1:
        upper = [tone for tone in upper if tone != tones[2]]
    if voices and len(upper) < voices - 1:
        upper.append(tones[0])
    if spread:
        upper = [upper[place] for place in rng.permutation(len(upper))]
    else:
        upper.sort(key=lambda tone: (tone.letter - tones[bass].letter) % 7)
    found = [low]
    floor = max(low.step + 1, MIDDLE) if spread else low.step + 1
    for tone in upper:
        pitch = Pitch.of(tone, floor // 7)
        while pitch.step < floor:
            pitch = Pitch.of(tone, pitch.octave + 1)
        found.append(pitch)
        floor = pitch.step + 1
    return found


# --- symbols --------------------------------------------------------------------------------


def _draw_symbol(work: Work) -> tuple[ChordSymbol, int]:
    """A symbol with its inversion, within two signs a note."""
    root = PitchClass(int(work.pick(work.params["roots"])))
    quality = work.pick(work.params["qualities"])
    plain = ChordSymbol(root, quality)
    places = [each for each in work.params.get("inversions", [0]) if each < len(plain.tones)]
    inversion = int(work.pick(places))
    if not writable(plain.tones):
        raise DiscardError("triple accidentals")
    bass = plain.tones[inversion] if inversion else None
    return ChordSymbol(root, quality, bass), inversion


LIKE = {  # qualities that are taken for one another
    "maj": ("min", "aug", "7"),
    "min": ("maj", "dim", "min7"),
    "dim": ("min", "dim7", "m7b5"),
    "aug": ("maj", "aug7"),
    "7": ("maj7", "min7", "maj"),
    "maj7": ("7", "min7", "maj"),
    "min7": ("7", "m7b5", "min"),
    "m7b5": ("dim7", "min7", "dim"),
    "dim7": ("m7b5", "dim", "min7"),
    "9": ("7", "maj9", "7b9"),
    "7b9": ("9", "dim7", "7#9"),
    "minmaj7": ("min7", "maj7", "min"),
}


def wrong_symbols(symbol: ChordSymbol) -> Iterator[Wrong]:
    """Quality mistaken, bass taken for the root, another inversion, another spelling."""
    for quality in LIKE.get(symbol.quality, ("maj", "min", "7")):
        yield Wrong(str(ChordSymbol(symbol.root, quality, symbol.bass)), "D1")
    if symbol.bass is not None:
        yield Wrong(str(ChordSymbol(symbol.bass, symbol.quality)), "D10")
        yield Wrong(str(ChordSymbol(symbol.root, symbol.quality)), "D3")
    for tone in symbol.tones[1:3]:
        if tone != symbol.bass:
            yield Wrong(str(ChordSymbol(symbol.root, symbol.quality, tone)), "D3")
    for shift in (12, -12):
        other = symbol.root.transposed(shift)
        if abs(other.alteration) <= 1:
            yield Wrong(str(ChordSymbol(other, symbol.quality)), "D4")


def name_chord(work: Work) -> Draft:
    """A chord on staves: its symbol."""
    symbol, inversion = _draw_symbol(work)
    tones = symbol.tones
    spread = bool(work.params.get("open"))
    pitches = stacked(
        tones, inversion, work.rng, spread=spread, voices=work.params.get("voices", 0)
    )
    words: Words = {
        "stack": names_of(tones),
        "root": symbol.root.name,
        "bass": symbol.lowest.name,
        "symbol": str(symbol),
    }
    given = shown_chords(" ".join(map(str, pitches)), [pitches])
    part = Part((str(symbol),), "symbol", CHORD, wrong_symbols(symbol))
    return draft_of(work, given, part, words, kg=(f"quality:{symbol.quality}",))


def spell_symbol(work: Work) -> Draft:
    """A symbol: its notes."""
    symbol, _ = _draw_symbol(work)
    tones = symbol.tones
    answer = names_of(tones)
    words: Words = {
        "symbol": str(symbol),
        "root": symbol.root.name,
        "letters": " ".join(tone.name[0] for tone in tones),
        "third": tones[1].name,
        "answer": answer,
    }
    part = Part((answer,), "pitch-set", NOTES, _wrong_tones(symbol), len(tones))
    return draft_of(work, Given(str(symbol)), part, words, kg=(f"quality:{symbol.quality}",))


def _wrong_tones(symbol: ChordSymbol) -> Iterator[Wrong]:
    """A like quality, a note respelled, signs left out."""
    for quality in LIKE.get(symbol.quality, ("maj", "min")):
        other = ChordSymbol(symbol.root, quality).tones
        if writable(other):
            yield Wrong(names_of(other), "D1")
    tones = list(symbol.tones)
    for place in range(1, len(tones)):
        for shift in (12, -12):
            changed = [*tones[:place], tones[place].transposed(shift), *tones[place + 1 :]]
            if writable(changed):
                yield Wrong(names_of(changed), "D4")
    yield Wrong(" ".join(tone.name[0] for tone in tones), "D9")


def spell_lead_sheet(work: Work) -> Draft:
    """A lead-sheet symbol: its notes in any spelling, the fifth of larger chords at will."""
    symbol, _ = _draw_symbol(work)
    if work.params.get("slash") and work.rng.integers(3) == 0:
        symbol = ChordSymbol(symbol.root, "maj", symbol.root.transposed(int(work.pick((4, 1, -2)))))
    tones = list(symbol.tones)
    if symbol.lowest not in tones:
        tones.insert(0, symbol.lowest)
    ways = [names_of(tones)]
    fifth = symbol.tones[2] if len(symbol.tones) > 3 else None
    if fifth is not None and fifth.fifths - symbol.root.fifths == 1:
        ways.append(names_of([tone for tone in tones if tone != fifth]))
    words: Words = {
        "symbol": str(symbol),
        "root": symbol.root.name,
        "third": symbol.tones[1].name,
        "count": str(len(tones)),
        "answer": ways[0],
    }
    part = Part(tuple(ways), "pitch-set", NOTES, _wrong_tones(symbol), len(tones))
    return draft_of(work, Given(str(symbol)), part, words, kg=(f"quality:{symbol.quality}",))


# --- chords of a key ------------------------------------------------------------------------


def chords_of(key: Key, work: Work) -> list[Chord]:
    """Chords of a key that the level names, in the inversions that it names."""
    names, places = work.params["numerals"], work.params["inversions"]
    found = [
        each
        for each in every_chord()
        if each.mode == key.mode and each.numeral in names and each.inversion in places
    ]
    if not found:
        raise DiscardError("no chord of the level in this mode")
    return found


def wrong_chords(key: Key, chord: Chord) -> Iterator[Wrong]:
    """Other inversions, chords of the same function, the chord whose root is in the bass."""
    others = [each for each in every_chord() if each.mode == key.mode]
    for each in others:
        if each.numeral == chord.numeral and each.inversion != chord.inversion:
            yield Wrong(each.symbol, "D3", FIGURES)
    for each in others:
        if each.root == chord.bass and chord.inversion and len(each.members) == len(chord.members):
            yield Wrong(each.symbol, "D10")
    near = [each for each in others if each.function == chord.function and each.use == "common"]
    for each in near:
        if each.numeral != chord.numeral and each.inversion == 0:
            yield Wrong(each.symbol, "D11")
    for each in others:
        same_root = each.root == chord.root and each.inversion == chord.inversion
        if same_root and each.numeral != chord.numeral:
            yield Wrong(each.symbol, "D9")


FIGURES = Text("the figures belong to another inversion", "转位数字不对")


def figure_chord(work: Work) -> Draft:
    """A chord in a key: numeral and figures."""
    key = draw_key(work)
    chord = work.pick(chords_of(key, work))
    tones = spell(chord, key)
    if not writable(tones):
        raise DiscardError("triple accidentals")
    pitches = stacked(tones, chord.inversion, work.rng, spread=True, voices=4)
    words: Words = {
        "key": key_text(key),
        "root": tones[0].name,
        "degree": str((tones[0].letter - key.tonic.letter) % 7 + 1),
        "bass": tones[chord.inversion].name,
        "numeral": chord.numeral,
        "stack": names_of(tones),
        "answer": chord.symbol,
        "functional": functional_or_blank(chord),
    }
    text = f"{key}: {' '.join(map(str, pitches))}"
    given = shown_chords(text, [pitches], sharps=key.signature)
    part = Part((chord.symbol,), "label", CHORD, wrong_chords(key, chord))
    return draft_of(work, given, part, words, key=key, kg=(f"numeral:{key.mode} {chord.numeral}",))


def functional_or_blank(chord: Chord) -> str:
    """The label of T S D, or a dash where the school has none."""
    try:
        return functional_label(chord)
    except KeyError:
        return "-"


FUNCTIONS = {"T": Text("T", "T"), "S": Text("S", "S"), "D": Text("D", "D")}
SORTED = 6  # chords of a row


def sort_functions(work: Work) -> Draft:
    """A row of chords in a key: the function of each."""
    key = draw_key(work)
    symbols = in_mode(key.mode, work.params["symbols"])
    row = [symbols[place] for place in work.rng.permutation(len(symbols))[:SORTED]]
    chords = [read_chord(key.mode, symbol) for symbol in row]
    if any(chord.function not in FUNCTIONS for chord in chords):
        raise DiscardError("a chord without one of the three functions")
    answer = " ".join(chord.function for chord in chords)
    pairs = ", ".join(f"{chord.symbol} {chord.function}" for chord in chords)
    words: Words = {
        "key": key_text(key),
        "chords": " ".join(row),
        "first": chords[0].function,
        "pairs": pairs,
    }
    trap = " ".join("T" if chord.cadential else chord.function for chord in chords)
    wrong = [Wrong(trap, "D11", TRAP)] if trap != answer else []
    swapped = " ".join({"T": "T", "S": "D", "D": "S"}[chord.function] for chord in chords)
    wrong.append(Wrong(swapped, "D11"))
    part = Part((answer,), "words", Text("functions", "功能"), wrong, len(row), labels=FUNCTIONS)
    given = Given(f"{key}: {' '.join(row)}")
    return draft_of(work, given, part, words, key=key)


TRAP = Text("the six-four of a cadence decorates the dominant", "终止四六和弦是属和弦的装饰")


def known_in(mode: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """Those symbols that are chords of the mode, borrowed ones too."""
    return tuple(symbol for symbol in symbols if _in(mode, symbol) is not None)


def in_mode(mode: str, symbols: Sequence[str]) -> tuple[str, ...]:
    """Those symbols that are meant for the mode: its chords, but not such as the other mode uses more.

    So a level whose pool has I, i, IV and iv draws no major tonic amid a phrase in minor. An applied
    chord is of every mode that has its target.
    """
    (other,) = set(MODES) - {mode}
    found = []
    for symbol in symbols:
        here, there = _in(mode, symbol), _in(other, symbol)
        if here is None:
            continue
        if there is None or here.applied_to is not None or _rarity(here) <= _rarity(there):
            found.append(symbol)
    return tuple(found)


def _in(mode: str, symbol: str) -> Chord | None:
    try:
        return read_chord(mode, symbol)
    except MusegenError:
        return None


def _rarity(found: Chord) -> int:
    return USES.index(found.use)


def find_tendencies(work: Work) -> Draft:
    """A chord in a key: its tendency tones and their goals."""
    key = draw_key(work)
    chord = read_chord(key.mode, work.pick(known_in(key.mode, work.params["symbols"])))
    tones = spell(chord, key)
    if not writable(tones):
        raise DiscardError("triple accidentals")
    found = tendency_tones(chord.symbol, key.name)
    pairs = [f"{row['note']}>{str(row['goes to']).partition(' ')[0]}" for row in found.values]
    if not pairs:
        raise DiscardError("a chord without tendency")
    answer = " ".join(pairs)
    words: Words = {
        "key": key_text(key),
        "chord": chord.symbol,
        "notes": names_of(tones),
        "goal": Text("the chord that follows", "后一和弦"),
        "first": pairs[0],
        "reasons": ", ".join(
            f"{pair} ({row['tendency']})" for pair, row in zip(pairs, found.values, strict=True)
        ),
    }
    held = " ".join(f"{pair[: pair.index('>')]}>{pair[: pair.index('>')]}" for pair in pairs)
    wrong = [Wrong(held, "D12"), Wrong(" ".join(_reversed(pair) for pair in pairs), "D3")]
    given = Given(f"{key}: {chord.symbol} = {names_of(tones)}")
    part = Part((answer,), "pairs", Text("pairs", "各对"), wrong, len(pairs))
    return draft_of(work, given, part, words, key=key)


def _reversed(pair: str) -> str:
    note, _, goal = pair.partition(">")
    return f"{goal}>{note}"
