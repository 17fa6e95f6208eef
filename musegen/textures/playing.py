"""From a tune with its chords to what is played: section by section the texture that the form asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from musegen.plan.layout import Layout
from musegen.plan.plan import Harmony, Plan
from musegen.plan.template import Section
from musegen.score import ChordSymbol, Direction, Note, Part, Score
from musegen.sounding import spelled
from musegen.textures.accompaniment import LANES, Sonority, left_hand, walking_bass
from theory_kb.catalogue import catalogue
from theory_kb.chords import chord, spell
from theory_kb.moment import Moments
from theory_kb.pitch import Key, Pitch, ScaleDegree

__all__ = ["played"]

MELODY, WALKING, FIGURAL = "melody", "walking", "figural"
FIGURE = (3, 2, 1, 0, 1, 2, 1, 0)  # voices of a prelude's figure, 0 the highest
NAMES = ("Left hand 1", "Left hand 2", "Left hand")
SYMBOLS = frozenset({MELODY, "stride", "walking"})  # textures of songs, with chord symbols
LONGEST_FIGURE = Fraction(2)  # quarter notes
SPAN = range(1, 6)  # octaves of a scale


def played(
    score: Score,
    layout: Layout,
    plan: Plan,
    skeleton: Moments,
    *,
    textures: Mapping[str, str] | None = None,
) -> Score:
    """The score as it is played.

    Args:
        score: the tune above, the lower voices chord by chord.
        layout: the form.
        plan: the slots.
        skeleton: (T,) what each slot sounds.
        textures: in place of those of the form, by section; see `FORM_TEXTURES`.
    """
    sections = _sections(layout, textures or {})
    closes = {each.slots[-1].onset for each in layout.phrases if each.close is not None}
    sonorities = [
        replace(each, rests=each.onset in closes) for each in _sonorities(score, plan, skeleton)
    ]
    lanes: list[list[Note]] = [[] for _ in range(LANES)]
    tune: list[Note] = []
    for _, texture, start, end in sections:
        inside = [each for each in sonorities if start <= each.onset < end]
        own = [note for note in score.parts[0].notes if start <= note.onset < end]
        if texture == FIGURAL:
            own, low = _figural(inside, own)
            lanes[-1] += low
        elif texture == WALKING:
            following = [each for each in sonorities if each.onset >= end][:1]
            bass = walking_bass([*inside, *following], layout.metre)
            lanes[-1] += [note for note in bass if note.onset < end]
        elif texture != MELODY:
            for lane, notes in enumerate(left_hand(inside, texture, layout.metre)):
                lanes[lane] += notes
        tune += own
    used = [Part(NAMES[lane], tuple(notes)) for lane, notes in enumerate(lanes) if notes]
    named = [(start, end) for _, texture, start, end in sections if texture in SYMBOLS]
    return replace(
        score,
        parts=(Part("Melody", tuple(tune)), *used),
        hands=1 if used else None,
        directions=tuple(_directions(sections, layout)),
        repeats=layout.repeats,
        endings=layout.endings,
        symbols=tuple(symbol for span in named for symbol in _symbols(score, span)),
    )


_Section = tuple[Section, str, Fraction, Fraction]


def _sections(layout: Layout, textures: Mapping[str, str]) -> list[_Section]:
    """Sections with their texture, start and end."""
    return [
        (each, textures.get(each.id) or each.texture or layout.template.texture, start, end)
        for each, start, end in layout.spans
    ]


def _sonorities(score: Score, plan: Plan, skeleton: Moments) -> list[Sonority]:
    scales: dict[Key, tuple[Pitch, ...]] = {}
    found = []
    for label, slot, moment in zip(score.chords, plan.slots, skeleton, strict=True):
        alto, tenor, bass = spelled(moment)[1:4]
        scale = scales.setdefault(label.key, _scale(label.key))
        ends = slot is plan.slots[-1]
        found.append(Sonority(slot.onset, slot.duration, alto, tenor, bass, scale, ends))
    return found


def _scale(key: Key) -> tuple[Pitch, ...]:
    """The tones of a key through which a bass walks; in minor with both leading tone and seventh."""
    classes = {key.degree(ScaleDegree(number)) for number in range(1, 8)} | {key.leading_tone}
    found = [Pitch.of(each, octave) for each in classes for octave in SPAN]
    return tuple(sorted(found, key=lambda pitch: (pitch.semitone, pitch.step)))


def _figural(sonorities: Sequence[Sonority], tune: Sequence[Note]) -> tuple[list[Note], list[Note]]:
    """One figure over and over, the tune's notes its highest; upper voices in the right hand."""
    right: list[Note] = []
    left: list[Note] = []
    for each in sonorities:
        heard = [note for note in tune if note.onset <= each.onset < note.end]
        top = heard[0].pitch if heard else each.alto
        voices = (top, *each.voices)
        if each.ends:
            right.append(Note(each.onset, each.duration, top))
            left.append(Note(each.onset, each.duration, each.bass))
            continue
        length = min(LONGEST_FIGURE, each.duration)
        for start in range(int(each.duration / length)):
            for place, voice in enumerate(FIGURE):
                onset = each.onset + start * length + place * length / len(FIGURE)
                hand = right if voice < 2 else left
                hand.append(Note(onset, length / len(FIGURE), voices[voice]))
    return right, left


# --- what stands above the notes ------------------------------------------------------------


def _directions(sections: Sequence[_Section], layout: Layout) -> Iterator[Direction]:
    loudness, tempo, words = "", layout.template.tempo, ""
    many = len(sections) > 1
    for section, texture, start, _ in sections:
        if section.tempo and section.tempo != tempo:
            tempo = section.tempo
            yield Direction(start, "tempo", f"{tempo:g}")
        if many:
            yield Direction(start, "section", section.words or section.name)
        wanted = section.dynamics or ("" if loudness else layout.template.dynamics)
        if wanted and wanted != loudness:
            loudness = wanted
            yield Direction(start, "dynamics", wanted)
        fact = catalogue()["accompaniment"].get(texture)
        said = "" if fact is None else str(fact.get("words", ""))
        if said and said != words:
            yield Direction(start, "words", said)
        words = said


def _symbols(score: Score, span: tuple[Fraction, Fraction]) -> Iterator[ChordSymbol]:
    """The chords of a section, each where it is another one than before."""
    last: tuple[object, ...] = ()
    for label in score.chords:
        if not span[0] <= label.onset < span[1]:
            continue
        harmony = Harmony(label.key, chord(label.key.mode, label.numeral))
        members = spell(harmony.chord, harmony.key)
        bass = members[harmony.chord.inversion]
        told = (members[0], harmony.chord.quality, bass)
        if told != last:
            yield ChordSymbol(label.onset, members[0], harmony.chord.quality, bass)
        last = told
