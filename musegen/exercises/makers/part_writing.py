"""Exercises in part-writing: figured basses, numerals, inner voices, cadences, melodies and basses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from musegen.exercises.grading.task import Task
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.faults import twins
from musegen.exercises.makers.phrases import (
    Phrase,
    Voiced,
    draw_key,
    draw_phrase,
    joined,
    phrase_of,
    search_style,
    voiced,
)
from musegen.exercises.makers.score_drafts import Labels, Sheet, score_draft
from musegen.plan.ensemble import ensemble
from musegen.score import FigureMark, Note
from theory_kb.chords import Chord, chord
from theory_kb.pitch import Key, Pitch
from theory_kb.thoroughbass import figures_of

__all__ = [
    "complete_texture",
    "connect_chords",
    "figured_words",
    "figures_under",
    "first_of",
    "harmonise_bass",
    "harmonise_melody",
    "is_tune",
    "outer_voices",
    "realise_figures",
    "realise_hands",
    "realise_numerals",
    "rearrange_chord",
    "voice_chord",
    "write_cadence",
]

SOPRANO, ALTO, TENOR, BASS = range(4)
CADENTIAL = {"major": "cad64=I64", "minor": "cad64=i64"}

Pitches = tuple[Pitch | None, ...]


# --- what several kinds share ---------------------------------------------------------------


def _first(model: Sequence[Sequence[Pitch]], voices: Sequence[int]) -> dict[int, Pitches]:
    """Only the first note of some voices."""
    return {voice: (model[voice][0], *(None,) * (len(model[voice]) - 1)) for voice in voices}


def _whole(model: Sequence[Sequence[Pitch]], voices: Sequence[int]) -> dict[int, Pitches]:
    return {voice: tuple(model[voice]) for voice in voices}


def _notes(phrase: Phrase, given: Mapping[int, Pitches]) -> dict[int, tuple[Note, ...]]:
    """Given pitches as the search takes them."""
    return {
        voice: tuple(
            Note(slot.onset, slot.duration, pitch)
            for slot, pitch in zip(phrase.slots, line, strict=True)
            if pitch is not None
        )
        for voice, line in given.items()
    }


def _counted(work: Work, found: Voiced, given: Mapping[int, Pitches]) -> Voiced:
    """The same phrase around what is given: the model, and how many ways there are."""
    style = search_style(work.kind.rubric)
    return voiced(found.phrase, style, work.rng, given=_notes(found.phrase, given))


def _symbols(phrase: Phrase) -> str:
    """Numerals for reading, turns of key named."""
    return f"{phrase.key.name}: {' '.join(each.chord.symbol for each in phrase.harmonies)}"


def _numerals(phrase: Phrase) -> Labels:
    """The numerals as a typed answer; a cadential six-four may be called I64 too."""
    symbols = [each.chord.symbol for each in phrase.harmonies]
    ways = [CADENTIAL[phrase.key.mode] if each == "cad64" else each for each in symbols]
    return Labels((" ".join(ways),))


def figures_under(phrase: Phrase) -> tuple[FigureMark, ...]:
    """The figures under a bass."""
    marks = []
    for slot, each in zip(phrase.slots, phrase.harmonies, strict=True):
        text = figures_of(each.chord, each.key, phrase.key.signature).text
        if text:
            marks.append(FigureMark(slot.onset, slot.duration, text))
    return tuple(marks)


def figured_words(phrase: Phrase, bass: Sequence[Pitch]) -> str:
    """A figured bass in words."""
    rows = []
    for pitch, each in zip(bass, phrase.harmonies, strict=True):
        text = figures_of(each.chord, each.key, phrase.key.signature).text
        rows.append(f"{pitch}[{text}]" if text else pitch.name)
    return " ".join(rows)


def _nodes(phrase: Phrase) -> tuple[str, ...]:
    """Chords of the knowledge graph that a phrase exercises."""
    return tuple(dict.fromkeys(f"chord:{e.chord.mode} {e.chord.symbol}" for e in phrase.harmonies))


def _told(found: Voiced) -> dict[str, str | Text]:
    """What the sentences of the catalogue may name."""
    phrase = found.phrase
    upper = found.pitches[SOPRANO]
    return {
        "key": phrase.key.name,
        "count": str(len(phrase.harmonies)),
        "numerals": " ".join(each.chord.symbol for each in phrase.harmonies),
        "last": " ".join(each.chord.symbol for each in phrase.harmonies[-2:]),
        "soprano": " ".join(pitch.name for pitch in upper),
        "second": " ".join(line[min(1, len(line) - 1)].name for line in found.pitches),
        "ways": f"{found.count:,}",
    }


def _free(work: Work, key: Key | None = None, *, uniform: bool = False) -> Voiced:
    """A phrase of the level in its best voices, or in any that lose no points."""
    phrase = draw_phrase(work, key)
    return voiced(phrase, search_style(work.kind.rubric), work.rng, uniform=uniform)


# --- figured bass and numerals --------------------------------------------------------------


def realise_figures(work: Work) -> Draft:
    """A figured bass with its first chord: three voices above, and the numerals."""
    found = _free(work)
    given = _whole(found.pitches, (BASS,)) | _first(found.pitches, (SOPRANO, ALTO, TENOR))
    again = _counted(work, found, given)
    sheet = replace(
        Sheet.of(again.phrase, again.pitches, given),
        figures=figures_under(again.phrase),
        words=f"figured bass: {figured_words(again.phrase, again.pitches[BASS])}",
    )
    return score_draft(
        work,
        sheet,
        _told(again),
        labels=_numerals(again.phrase),
        count=again.count,
        kg=_nodes(again.phrase),
    )


def realise_numerals(work: Work) -> Draft:
    """Numerals with their first chord: four voices."""
    found = _free(work)
    given = _first(found.pitches, (SOPRANO, ALTO, TENOR, BASS))
    again = _counted(work, found, given)
    sheet = replace(
        Sheet.of(again.phrase, again.pitches, given),
        shown_chords=True,
        words=_symbols(again.phrase),
    )
    return score_draft(work, sheet, _told(again), count=again.count, kg=_nodes(again.phrase))


def realise_hands(work: Work) -> Draft:
    """A figured bass for two hands: three notes in the right one."""
    phrase = draw_phrase(work)
    players = ensemble("keyboard", 4)
    style = search_style(work.kind.rubric, players.style)
    found = voiced(phrase, style, work.rng, ensemble=players)
    given = _whole(found.pitches, (BASS,)) | _first(found.pitches, (SOPRANO, ALTO, TENOR))
    sheet = replace(
        Sheet.of(phrase, found.pitches, given),
        hands=3,
        figures=figures_under(phrase),
        words=f"figured bass: {figured_words(phrase, found.pitches[BASS])}",
        facts={"style": players.style, "hands": "3"},
    )
    return score_draft(work, sheet, _told(found), kg=_nodes(phrase))


# --- some voices given ----------------------------------------------------------------------


def complete_texture(work: Work) -> Draft:
    """Some voices of a phrase are given whole: write the others. Parameter `given`: voices."""
    found = _free(work, uniform=bool(work.params.get("uniform")))
    names = ("soprano", "alto", "tenor", "bass")
    kept = tuple(names.index(each) for each in work.params["given"])
    given = _whole(found.pitches, kept)
    again = _counted(work, found, given)
    shown = bool(work.params.get("numerals", True))
    figured = bool(work.params.get("figured"))
    words = _symbols(again.phrase) if shown else f"{again.phrase.key.name}"
    sheet = replace(
        Sheet.of(again.phrase, again.pitches, given),
        shown_chords=shown,
        asked_chords=not (shown or figured),
        figures=figures_under(again.phrase) if figured else (),
        words=words,
    )
    return score_draft(work, sheet, _told(again), count=again.count, kg=_nodes(again.phrase))


def write_cadence(work: Work) -> Draft:
    """The chords of a cadence are named: write them in four voices."""
    key = draw_key(work)
    rows = work.params[f"cadences_{key.mode}"]
    row = rows[int(work.rng.integers(len(rows)))]
    kind, chords = row.split(": ")
    phrase = phrase_of(key, [chord(key.mode, each) for each in chords.split()])
    found = voiced(phrase, search_style(work.kind.rubric), work.rng)
    sheet = replace(Sheet.of(phrase, found.pitches, {}), shown_chords=True, words=_symbols(phrase))
    told = {**_told(found), "cadence": CADENCES[kind]}
    return score_draft(work, sheet, told, count=found.count, kg=(f"cadence:{kind}",))


CADENCES: Mapping[str, Text] = {
    "pac": Text("a perfect authentic cadence", "完全终止（正格完满终止）"),
    "iac": Text("an imperfect authentic cadence", "不完满正格终止"),
    "hc": Text("a half cadence", "半终止"),
    "pc": Text("a plagal cadence", "变格终止"),
    "dc": Text("a deceptive cadence", "阻碍终止"),
    "phrygian": Text("a Phrygian half cadence", "弗里几亚半终止"),
}


# --- one chord or two -----------------------------------------------------------------------


def voice_chord(work: Work) -> Draft:
    """One chord with some voices given: write the others."""
    key = draw_key(work, [mode for mode in ("major", "minor") if work.params.get(mode)])
    each = _drawn_chord(work, key)
    phrase = phrase_of(key, [each])
    found = voiced(phrase, search_style(work.kind.rubric), work.rng, uniform=True)
    names = ("soprano", "alto", "tenor", "bass")
    given = _whole(found.pitches, [names.index(voice) for voice in work.params["given"]])
    again = _counted(work, found, given)
    sheet = replace(
        Sheet.of(phrase, again.pitches, given),
        metre=None,
        shown_chords=True,
        words=_symbols(phrase),
    )
    return _with_twins(work, score_draft(work, sheet, _told(again), count=again.count), again)


def connect_chords(work: Work) -> Draft:
    """The first of two chords is given: write the next. Parameters `pairs_major`, `pairs_minor`."""
    key = draw_key(work, [m for m in ("major", "minor") if work.params.get(f"pairs_{m}")])
    pairs = work.params[f"pairs_{key.mode}"]
    symbols = pairs[int(work.rng.integers(len(pairs)))].split()
    phrase = phrase_of(key, [chord(key.mode, each) for each in symbols])
    found = voiced(phrase, search_style(work.kind.rubric), work.rng, uniform=True)
    given = _first(found.pitches, (SOPRANO, ALTO, TENOR, BASS))
    again = _counted(work, found, given)
    sheet = replace(
        Sheet.of(phrase, again.pitches, given), shown_chords=True, words=_symbols(phrase)
    )
    draft = score_draft(work, sheet, _told(again), count=again.count, kg=_nodes(phrase))
    return _with_twins(work, draft, again)


def _with_twins(work: Work, draft: Draft, model: Voiced) -> Draft:
    """A draft with wrong answers that each break one rule."""
    wrong = twins(Task.of(draft), model.lines, work.kind.rubric, work.rng)
    return replace(draft, distractors=tuple(wrong))


def rearrange_chord(work: Work) -> Draft:
    """One chord again in new positions under a soprano that is given."""
    key = draw_key(work, [mode for mode in ("major", "minor") if work.params.get(mode)])
    each = _drawn_chord(work, key)
    times = int(work.params["times"])
    phrase = phrase_of(key, [each] * times)
    style = search_style(work.kind.rubric)
    found = first_of(
        lambda: voiced(phrase, style, work.rng, uniform=True),
        lambda each: len(set(each.pitches[SOPRANO])) == times,
        "the soprano does not move",
    )
    given = _whole(found.pitches, (SOPRANO,)) | _first(found.pitches, (ALTO, TENOR, BASS))
    again = _counted(work, found, given)
    sheet = replace(
        Sheet.of(phrase, again.pitches, given), shown_chords=True, words=_symbols(phrase)
    )
    return score_draft(work, sheet, _told(again), count=again.count, kg=_nodes(phrase))


def _drawn_chord(work: Work, key: Key) -> Chord:
    symbols = work.params[key.mode].split()
    return chord(key.mode, symbols[int(work.rng.integers(len(symbols)))])


# --- melodies and basses --------------------------------------------------------------------


def harmonise_melody(work: Work) -> Draft:
    """A melody: three voices below, and the key. The chords are the student's."""
    found = _melodious(work)
    given = _whole(found.pitches, (SOPRANO,))
    sheet = replace(Sheet.of(found.phrase, found.pitches, given), asked_chords=True, asked_key=True)
    labels = Labels((found.phrase.key.name,), "key", "key", Text("key", "调性"), 2)
    return score_draft(work, sheet, _told(found), labels=labels, kg=_nodes(found.phrase))


def harmonise_bass(work: Work) -> Draft:
    """A bass without figures: three voices above, and the key. The chords are the student's."""
    found = _free(work)
    given = _whole(found.pitches, (BASS,))
    sheet = replace(Sheet.of(found.phrase, found.pitches, given), asked_chords=True, asked_key=True)
    labels = Labels((found.phrase.key.name,), "key", "key", Text("key", "调性"), 2)
    return score_draft(work, sheet, _told(found), labels=labels, kg=_nodes(found.phrase))


def outer_voices(work: Work) -> Draft:
    """A melody of one phrase or several: a bass line below, and the numerals."""
    phrases = int(work.params.get("phrases", 1))
    key = draw_key(work, [mode for mode in ("major", "minor") if work.params.get(mode)])

    def drawn() -> Voiced:
        rows = [draw_phrase(work, key, last=number == phrases - 1) for number in range(phrases)]
        return voiced(joined(rows), search_style(work.kind.rubric), work.rng)

    found = first_of(drawn, is_tune, "the soprano is no tune")
    model = (found.pitches[SOPRANO], found.pitches[BASS])
    sheet = replace(
        Sheet.of(found.phrase, model, {0: tuple(model[0])}),
        voices=("Soprano", "Bass"),
        asked_chords=True,
        phrases=found.phrase.ends,
    )
    symbols = " ".join(each.chord.symbol for each in found.phrase.harmonies)
    labels = Labels((symbols,), points=0)
    return score_draft(work, sheet, _told(found), labels=labels, kg=_nodes(found.phrase))


LEAST_NOTES, WIDEST_STEPS = 3, 5
DRAWS = 12  # of a phrase, before a maker gives up


def _melodious(work: Work) -> Voiced:
    """A phrase whose soprano is a tune: it moves, and mostly by step."""
    return first_of(lambda: _free(work), is_tune, "the soprano is no tune")


def first_of(draw: Callable[[], Voiced], fits: Callable[[Voiced], bool], problem: str) -> Voiced:
    """The first of some draws that fits; raises DiscardError if none does."""
    for _ in range(DRAWS):
        found = draw()
        if fits(found):
            return found
    raise DiscardError(problem)


def is_tune(found: Voiced) -> bool:
    """Whether the upper voice moves, and mostly by step."""
    line = found.pitches[SOPRANO]
    moves = [abs(second.step - first.step) for first, second in pairwise(line)]
    few_skips = sum(move > 2 for move in moves) * 3 <= len(moves)
    return len(set(line)) >= LEAST_NOTES and max(moves) <= WIDEST_STEPS and few_skips
