"""A modulation to be composed: two keys, a number of chords, and the place of the pivot."""

from __future__ import annotations

from dataclasses import replace

from musegen.exercises.grading.rubric import load_rubric, rubric_style
from musegen.exercises.grading.task import CHOIR
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import draw_key
from musegen.exercises.makers.keys import near_keys
from musegen.exercises.makers.music import Phrase as Walk
from musegen.exercises.makers.music import draw_modulation
from musegen.exercises.makers.phrases import Phrase, Voiced, search_style, voiced
from musegen.exercises.makers.score_drafts import Labels, Sheet, score_draft
from musegen.exercises.names import key_text
from musegen.plan.plan import Harmony
from musegen.score import ChordLabel, Part, Score
from musegen.slices import piece
from theory_kb.check import check
from theory_kb.pitch import Key

__all__ = ["compose_modulation"]

MOST_SIGNATURE = 5


def compose_modulation(work: Work) -> Draft:
    """The first chord, two keys and the place of the pivot: chords in four voices, and their numerals.

    Parameters: `goals` (fifths from the signature of the first key, and `relative`), `before` (chords
    up to the pivot).
    """
    key = draw_key(work, most=3)
    target = work.pick(_goals(work, key))
    walk, pivot, found = work.settle(lambda: _drawn(work, key, target))
    given = {
        voice: (line[0], *(None,) * (len(line) - 1)) for voice, line in enumerate(found.pitches)
    }
    count = len(walk.chords)
    words: dict[str, str | Text] = {
        "key": key_text(key),
        "target": key_text(target),
        "count": str(count),
        "pivot": str(pivot + 1),
        "before": walk.symbols[pivot],
        "after": walk.symbols_in(target)[pivot],
        "close": " ".join(walk.symbols[-2:]),
        "numerals": " ".join(walk.symbols),
    }
    sheet = replace(
        Sheet.of(found.phrase, found.pitches, given),
        asked_chords=True,
        phrases=(count,),
        words=f"{count} chords from {key} to {target}, the pivot is chord {pivot + 1}",
    )
    labels = Labels((" ".join(walk.symbols),), points=0)
    kg = (f"key:{key.name}", f"key:{target.name}", "rule:mod-no-pivot")
    return score_draft(work, sheet, words, labels=labels, kg=kg)


def _goals(work: Work, key: Key) -> list[Key]:
    """Keys of the level that may be reached."""
    wanted = work.params["goals"]
    found = [
        each
        for each in near_keys(key)
        if abs(each.signature) <= MOST_SIGNATURE
        and (each == key.relative) == ("relative" in wanted)
        and (each == key.relative or each.signature - key.signature in wanted)
        and ("same mode" not in wanted or each.mode == key.mode)
    ]
    if not found:
        raise DiscardError("no key to go to")
    return found


def _drawn(work: Work, key: Key, target: Key) -> tuple[Walk, int, Voiced]:
    """Chords that modulate, the place of the pivot, and voices without fault."""
    walk, pivot = draw_modulation(key, target, int(work.params["before"]), work.rng)
    harmonies = tuple(Harmony(own, each) for own, each in zip(walk.keys, walk.chords, strict=True))
    beats = [1] * len(harmonies)
    beats[-1] += -sum(beats) % 4
    phrase = Phrase(key, harmonies, tuple(beats))
    found = voiced(phrase, search_style(work.kind.rubric), work.rng)
    style = rubric_style(load_rubric(work.kind.rubric))
    parts = tuple(Part(name, line) for name, line in zip(CHOIR, found.lines, strict=True))
    labels = tuple(ChordLabel(s.onset, s.duration, s.key, s.numeral) for s in phrase.slots)
    score = Score(
        "", key, parts, (phrase.metre,), chords=labels, phrase_ends=(phrase.slots[-1].end,)
    )
    if any(each.severity in "EW" for each in check(piece(score), style).findings):
        raise DiscardError("voices that rules on the whole phrase refuse")
    return walk, pivot, found
