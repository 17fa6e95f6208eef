"""Exercises on the surface of a texture: a plain one to be decorated, a figured bass to be played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from musegen.errors import ScoreError
from musegen.exercises.grading.asked import asked_points
from musegen.exercises.grading.asked_tones import wanted_words
from musegen.exercises.grading.task import CHOIR, given_words
from musegen.exercises.grading.voice_text import write_line
from musegen.exercises.item import Draft, Solutions, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.decorating import Surface, broad, decorated
from musegen.exercises.makers.drafting import Words
from musegen.exercises.makers.part_writing import first_of, is_tune
from musegen.exercises.makers.phrases import (
    Phrase,
    Voiced,
    draw_key,
    draw_phrase,
    joined,
    search_style,
    voiced,
)
from musegen.exercises.makers.score_drafts import SCORE, Sheet, score_draft
from musegen.exercises.names import key_text
from musegen.plan.ensemble import ensemble
from musegen.plan.thoroughbass import plan_of_figures
from musegen.score import FigureMark, Note, Part, Score
from theory_kb.pitch import Pitch
from theory_kb.thoroughbass import Figure, Figures, figures_of, scale_tone

__all__ = ["add_tones", "asked_draft", "figure_marks", "kinds_of", "lines_text", "play_continuo"]

STYLE = "teacher_chords"  # rubric whose rules the plain voices keep


def asked_draft(
    work: Work,
    sheet: Sheet,
    words: Words,
    lines: Sequence[Sequence[Note]],
    facts: Mapping[str, str],
    *,
    kg: Sequence[str] = (),
) -> Draft:
    """A draft of a score that is marked by its rules and by what is asked besides.

    Args:
        work: what the maker was given.
        sheet: what is given and what is to be written.
        words: for the names in braces of the kind's sentences.
        lines: the model answer, by voice.
        facts: of `musegen.exercises.grading.asked`.
        kg: nodes of the knowledge graph that it exercises.
    """
    draft = score_draft(work, replace(sheet, facts={**sheet.facts, **facts}), words, kg=kg)
    (part,) = draft.ask
    points = part.points + sum(asked_points(facts).values())
    text = lines_text(sheet, lines)
    return replace(
        draft, ask=(replace(part, points=points),), solutions=Solutions({SCORE: (text,)})
    )


def lines_text(sheet: Sheet, lines: Sequence[Sequence[Note]]) -> str:
    """Voices as text, every value stated."""
    assert sheet.metre is not None, "what moves stands in a metre"
    bar = sheet.metre.bar
    return "\n".join(
        f"{name}: {write_line(line, bar)}" for name, line in zip(sheet.voices, lines, strict=True)
    )


# --- non-chord tones ------------------------------------------------------------------------


def add_tones(work: Work) -> Draft:
    """A plain texture in four voices: the same with non-chord tones.

    Parameters: those of `draw_phrase`, and `wanted`: how many of which kind, `passing=1 suspension=1`.
    """
    wanted = str(work.params["wanted"])
    found, surface = work.settle(lambda: work.settle(lambda: _with_tones(work, wanted)))
    phrase = found.phrase
    sheet = replace(
        Sheet.of(phrase, found.pitches, dict(enumerate(found.pitches))),
        shown_chords=True,
        words=" ".join(slot.numeral for slot in phrase.slots),
        phrases=phrase.ends,
        facts={"given": "", "plain": given_words(dict(zip(CHOIR, found.pitches, strict=True)))},
    )
    (voice, place), fill = next(iter(surface.fills.items()))
    words: Words = {
        "key": key_text(phrase.key),
        "wanted": wanted_words(wanted),
        "voice": VOICES[voice],
        "chord": str(place + 1),
        "notes": " ".join(pitch.name for _, pitch in fill),
    }
    facts = {"asked": "kept=4 wanted=6", "wanted": wanted}
    kg = tuple(f"non-chord-tone:{node}" for node in _nodes(wanted))
    return asked_draft(work, sheet, words, surface.lines, facts, kg=kg)


VOICES = (
    Text("soprano", "女高音"), Text("alto", "女低音"), Text("tenor", "男高音"), Text("bass", "男低音"),
)  # fmt: skip
NODES = {
    "passing": "nct-passing",
    "neighbour": "nct-neighbor",
    "suspension": "nct-suspension",
    "chain": "nct-suspension",
}


def _nodes(wanted: str) -> list[str]:
    return list(dict.fromkeys(NODES[word.partition("=")[0]] for word in wanted.split()))


def kinds_of(wanted: str) -> list[str]:
    """Kinds one by one, a chain once; what has the fewest places first."""
    rows = [word.partition("=") for word in wanted.split()]
    rows.sort(key=lambda row: RARE.index(row[0]))
    return [name for name, _, count in rows for _ in range(1 if name == "chain" else int(count))]


RARE = ("chain", "suspension", "neighbour", "passing")


def _phrase(work: Work) -> Phrase:
    """Half notes of harmony: one phrase, or as many as the parameter `phrases` says."""
    count = int(work.params.get("phrases", 1))
    key = draw_key(work, [mode for mode in ("major", "minor") if work.params.get(mode)])
    rows = [broad(draw_phrase(work, key, last=each == count - 1)) for each in range(count)]
    return joined(rows) if count > 1 else rows[0]


def _with_tones(work: Work, wanted: str) -> tuple[Voiced, Surface]:
    """A phrase in voices, and the same decorated."""
    style = search_style(STYLE)
    found = first_of(
        lambda: voiced(_phrase(work), style, work.rng), is_tune, "the soprano is no tune"
    )
    plain = Surface(found.phrase, CHOIR, found.pitches, work.kind.rubric)
    return found, decorated(plain, kinds_of(wanted), range(len(CHOIR)), work.rng)


# --- thorough bass --------------------------------------------------------------------------


def play_continuo(work: Work) -> Draft:
    """A figured bass with suspensions in its figures: three notes in the right hand.

    Parameters: those of `draw_phrase`, `beats` (quarter notes of a chord, 4 in recitative), and
    `wanted`: how many suspensions, `suspension=2` or `chain=2`.
    """
    surface = work.settle(lambda: work.settle(lambda: _continuo(work)))
    phrase = surface.phrase
    marks = tuple(figure_marks(surface))
    bass = surface.plain[BASS]
    given = {BASS: bass} | {
        voice: (surface.plain[voice][0], *(None,) * (len(bass) - 1)) for voice in range(BASS)
    }
    row = " ".join(f"{mark.onset}={mark.text}" for mark in marks)
    sheet = replace(
        Sheet.of(phrase, surface.plain, given),
        hands=BASS,
        figures=marks,
        words=f"figured bass: {_said(phrase, bass, marks)}",
        facts=surface.facts,
    )
    (_, place), fill = min(surface.fills.items(), key=lambda each: each[0][1])
    words: Words = {
        "key": key_text(phrase.key),
        "chord": str(place + 1),
        "notes": " ".join(pitch.name for _, pitch in fill),
        "soprano": " ".join(note.pitch.name for note in surface.lines[0]),
        "numerals": " ".join(slot.numeral for slot in phrase.slots),
    }
    facts = {"asked": "figures=6", "figures": row}
    kg = ("non-chord-tone:nct-suspension",)
    return asked_draft(work, sheet, words, surface.lines, facts, kg=kg)


BASS = 3


def _continuo(work: Work) -> Surface:
    """A phrase for two hands with suspensions in the right one, each of which figures can ask for."""
    players = ensemble("keyboard", 4)
    phrase = broad(draw_phrase(work), int(work.params["beats"]))
    found = voiced(phrase, search_style(BASE, players.style), work.rng, ensemble=players)
    facts = {"style": players.style, "hands": str(BASS)}
    plain = Surface(phrase, CHOIR, found.pitches, work.kind.rubric, facts)
    kinds = kinds_of(str(work.params["wanted"]))
    return decorated(plain, kinds, range(BASS), work.rng, fits=_has_figures)


BASE = "keyboard"  # rubric whose rules the plain chords keep


def _has_figures(surface: Surface) -> bool:
    """Whether figures can say what its suspensions are, so that nothing else is read in them."""
    phrase = surface.phrase
    try:
        marks = tuple(figure_marks(surface))
        bass = Part("Bass", surface.lines[BASS])
        score = Score("", phrase.key, (bass,), (phrase.metre,), figures=marks)
        plan = plan_of_figures(score, ensemble=ensemble("keyboard", 4))
    except (DiscardError, ScoreError):
        return False
    read = {slot.onset for slot in plan.slots if slot.figured is not None and slot.figured.delays}
    return read == {phrase.slots[place].onset for _, place in surface.fills}


def figure_marks(surface: Surface) -> Iterator[FigureMark]:
    """The figures under the bass, those of suspensions with their resolution."""
    for place, slot in enumerate(surface.phrase.slots):
        harmony = surface.phrase.harmonies[place]
        figures = figures_of(harmony.chord, harmony.key, surface.phrase.key.signature)
        held = [
            fill for (voice, at), fill in surface.fills.items() if at == place and voice != BASS
        ]
        if not held:
            if figures.text:
                yield FigureMark(slot.onset, slot.duration, figures.text)
            continue
        if len(held) > 1:
            raise DiscardError("two suspensions at once")
        ((share, late), (_, pitch)) = held[0]
        first, second = _delayed(figures, late, pitch, surface, place)
        length = slot.duration * share
        yield FigureMark(slot.onset, length, first.text)
        yield FigureMark(slot.onset + length, slot.duration - length, second.text)


def _delayed(
    figures: Figures, late: Pitch, pitch: Pitch, surface: Surface, place: int
) -> tuple[Figures, Figures]:
    """The figures of a chord one of whose notes comes late: while it does, and when it has come."""
    bass, signature = surface.plain[BASS][place], surface.phrase.key.signature
    number = (pitch.step - bass.step) % 7 + 1
    number = 8 if number == 1 else number
    if late.pitch_class != scale_tone(late.step % 7, signature) or number + 1 not in SUSPENDED:
        raise DiscardError("a suspension that has no figure")
    kept = [each for each in figures.stack if each.number != number]
    sign = figures.written.get(number, "")
    waits, comes = [*kept, Figure(number + 1)], [*kept, Figure(number, sign)]
    return Figures(tuple(sorted(waits, reverse=True))), Figures(tuple(sorted(comes, reverse=True)))


SUSPENDED = (4, 7, 9)


def _said(phrase: Phrase, bass: Sequence[Pitch], marks: Sequence[FigureMark]) -> str:
    """A figured bass in words: `G3[4 3]`."""
    rows = []
    for slot, pitch in zip(phrase.slots, bass, strict=True):
        texts = [mark.text for mark in marks if slot.onset <= mark.onset < slot.end]
        rows.append(f"{pitch}[{' '.join(texts)}]" if texts else pitch.name)
    return " ".join(rows)
