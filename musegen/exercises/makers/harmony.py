"""Exercises on chords in a row: analysed, spelled, translated, completed."""

from __future__ import annotations

from collections.abc import Sequence

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.chords import (
    chords_of,
    from_bass,
    functional_or_blank,
    in_mode,
    names_of,
    writable,
    wrong_chords,
)
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.keys import APPLIED, near_keys
from musegen.exercises.makers.music import Phrase, draw_modulation, draw_phrase, walk_to
from musegen.exercises.names import key_text
from theory_kb.cadences import cadence_formulas
from theory_kb.chord_symbols import ChordSymbol, chord_qualities
from theory_kb.chords import Chord, chord, read_chord, spell
from theory_kb.errors import MusegenError
from theory_kb.labels import View, label
from theory_kb.pitch import Key
from theory_kb.query import may_follow

__all__ = [
    "analyse",
    "drawn_phrase",
    "fill_progression",
    "labels_part",
    "spell_numeral",
    "translate_labels",
]

LABELS = Text("labels", "标记")
NOTES = Text("notes", "各音")
NOWHERE = Text("", "")
AWAY = "away"  # part whose labels belong to the key that is reached


def analyse(work: Work) -> Draft:
    """A phrase in four parts: a label for each chord, in Roman numerals or in T S D."""
    key = draw_key(work)
    if work.params.get("modulates"):
        return _analyse_modulation(work, key)
    phrase = work.settle(lambda: drawn_phrase(work, key))
    view: View = work.params["view"]
    part = labels_part(key, phrase.chords, view)
    words = _label_words(phrase, view)
    text = f"{key}: {phrase.notes_text()}"
    return draft_of(work, phrase.given(text), part, words, key=key, kg=_nodes(phrase.chords))


def drawn_phrase(work: Work, key: Key) -> Phrase:
    """A phrase of the level's chords, with an applied chord where the level has one."""
    through = work.pick(APPLIED[key.mode]) if work.params.get("applied") else ()
    return draw_phrase(
        key,
        in_mode(key.mode, work.params["pool"]),
        work.params["chords"],
        work.rng,
        cadences=("cad-pac", "cad-pac", "cad-hc", "cad-plagal", "cad-deceptive"),
        figures=bool(work.params.get("figures")),
        through=through,
    )


def labels_part(key: Key, chords: Sequence[Chord], view: View, name: str = "answer") -> Part:
    """The labels of a row of chords; the cadential six-four may be called I64 or V64 too."""
    answer = " ".join(_ways(each, view) for each in chords)
    plain = [label(each, view) for each in chords]
    wrong = []
    for place, each in enumerate(chords):
        for other in list(wrong_chords(key, each))[:2]:
            row = [*plain[:place], label_of(key, other.value, view), *plain[place + 1 :]]
            wrong.append(Wrong(" ".join(row), other.op))
    return Part((answer,), "labels", LABELS, wrong, len(chords), id=name)


def label_of(key: Key, symbol: str, view: View) -> str:
    """A symbol in a view, or as it is where the view has no label for it."""
    try:
        return label(read_chord(key.mode, symbol), view)
    except KeyError:
        return symbol


def _ways(each: Chord, view: View) -> str:
    """A label, with its other name where books differ."""
    if each.cadential:
        tonic = "I64" if each.mode == "major" else "i64"
        return f"{label(each, view)}={tonic}=V64"
    return label(each, view)


def _label_words(phrase: Phrase, view: View) -> Words:
    key = phrase.key
    bass = [str((spell(each, key)[each.inversion].letter - key.tonic.letter) % 7 + 1)
            for each in phrase.chords]  # fmt: skip
    return {
        "key": key_text(key),
        "places": NOWHERE,
        "count": str(len(phrase.chords)),
        "bass": " ".join(bass),
        "second": label_of(key, phrase.chords[1].symbol, view),
        "roman": " ".join(phrase.symbols),
        "functional": " ".join(functional_or_blank(each) for each in phrase.chords),
    }


def _nodes(chords: Sequence[Chord]) -> tuple[str, ...]:
    """Nodes of the graph for numerals, each once."""
    return tuple(dict.fromkeys(f"numeral:{each.mode} {each.numeral}" for each in chords))


def _analyse_modulation(work: Work, key: Key) -> Draft:
    """A phrase that modulates: labels in both keys, the pivot in each."""
    target = work.pick(near_keys(key))
    phrase, pivot = draw_modulation(key, target, work.params["chords"], work.rng)
    home = phrase.chords[: pivot + 1]
    away = tuple(read_chord(target.mode, symbol) for symbol in phrase.symbols_in(target)[pivot:])
    view: View = work.params["view"]
    parts = (labels_part(key, home, view, "home"), labels_part(target, away, view, AWAY))
    words = dict(_label_words(phrase, view))
    words["places"] = Text(
        f"It modulates to {target}: chords 1 to {pivot + 1} in {key}; the pivot, chord {pivot + 1}, "
        f"and all after it in {target}.",
        f"转入{key_text(target).zh}：第 1–{pivot + 1} 个和弦按{key_text(key).zh}；共同和弦（第 {pivot + 1} 个）"
        f"及其后按{key_text(target).zh}。",
    )
    text = f"{key} to {target}: {phrase.notes_text()}"
    return draft_of(work, phrase.given(text), parts, words, key=key, kg=_nodes(home),
                    facts={f"key.{AWAY}": target.name})  # fmt: skip


# --- spelling and translating ---------------------------------------------------------------


def spell_numeral(work: Work) -> Draft:
    """A numeral in a key: its notes from the bass."""
    key = draw_key(work)
    each = work.pick(chords_of(key, work))
    tones = spell(each, key)
    if not writable(tones):
        raise DiscardError("triple accidentals")
    notes = from_bass(each, key)
    answer = names_of(notes)
    words: Words = {
        "symbol": each.symbol,
        "functional": functional_or_blank(each),
        "key": key_text(key),
        "degree": str((tones[0].letter - key.tonic.letter) % 7 + 1),
        "bass": notes[0].name,
        "answer": answer,
    }
    wrong = [Wrong(names_of(tones), "D10")] if each.inversion else []
    natural = [tone.transposed(-7) if tone == key.leading_tone else tone for tone in notes]
    wrong.append(Wrong(names_of(natural), "D5", RAISED))
    for place in range(len(notes)):
        for shift in (12, -12):
            changed = [*notes[:place], notes[place].transposed(shift), *notes[place + 1 :]]
            if writable(changed):
                wrong.append(Wrong(names_of(changed), "D4"))
    part = Part((answer,), "pitch-classes", NOTES, wrong, len(notes))
    kg = (f"numeral:{key.mode} {each.numeral}",)
    return draft_of(work, Given(f"{key}: {each.symbol}"), part, words, key=key, kg=kg)


RAISED = Text("in minor the leading tone is raised", "小调中导音须升高")


def translate_labels(work: Work) -> Draft:
    """Labels in one view: the same chords in another, or as lead-sheet symbols."""
    key = draw_key(work)
    symbols = [each for each in work.params["symbols"] if _readable(key.mode, each)]
    count = min(int(work.params["count"]), len(symbols))
    row = [symbols[place] for place in work.rng.permutation(len(symbols))[:count]]
    chords = [read_chord(key.mode, symbol) for symbol in row]
    ways = ["functional", "roman"] + (["lead-sheet"] if work.level == 5 else [])
    way = work.pick(ways)
    if way == "lead-sheet":
        chords = [each for each in chords if _as_symbol(each, key) is not None]
        if len(chords) < 2:
            raise DiscardError("chords without a lead-sheet symbol")
    shown = [each.symbol if way != "roman" else label(each, "functional") for each in chords]
    answers = [_translated(each, key, way) for each in chords]
    reader = {"functional": "functional", "roman": "roman", "lead-sheet": "symbols"}[way]
    words: Words = {
        "key": key_text(key),
        "shown": " ".join(shown),
        "as": WAYS[way],
        "first": answers[0],
        "answer": " ".join(answers),
    }
    wrong = []
    for place, each in enumerate(chords):
        for other in list(wrong_chords(key, each))[:2]:
            value = _translated(read_chord(key.mode, other.value), key, way, blank="?")
            if value != "?":
                changed = [*answers[:place], value, *answers[place + 1 :]]
                wrong.append(Wrong(" ".join(changed), other.op))
    part = Part((" ".join(answers),), reader, LABELS, wrong, len(answers))
    return draft_of(work, Given(f"{key}: {' '.join(shown)}"), part, words, key=key)


WAYS = {
    "functional": Text("in T S D", "功能标记（T S D）"),
    "roman": Text("in Roman numerals", "罗马数字级数"),
    "lead-sheet": Text(
        "as lead-sheet symbols with the bass after a stroke", "和弦标记（低音写在斜线后）"
    ),
}


def _readable(mode: str, symbol: str) -> bool:
    try:
        return label(read_chord(mode, symbol), "functional") != ""
    except (MusegenError, KeyError):
        return False


def _as_symbol(each: Chord, key: Key) -> ChordSymbol | None:
    """A chord as lead-sheet symbol; None where its quality has none."""
    if each.quality not in chord_qualities():
        return None
    tones = spell(each, key)
    return ChordSymbol(tones[0], each.quality, tones[each.inversion] if each.inversion else None)


def _translated(each: Chord, key: Key, way: str, blank: str = "") -> str:
    if way == "lead-sheet":
        symbol = _as_symbol(each, key)
        return str(symbol) if symbol else blank
    try:
        return label(each, "roman" if way == "roman" else "functional")
    except KeyError:
        return blank


# --- progressions ---------------------------------------------------------------------------

GOOD = ("A", "B")


def fill_progression(work: Work) -> Draft:
    """A progression with a gap: the chords of a pool that may stand there."""
    key = draw_key(work)
    pool = in_mode(key.mode, work.params["pool"])
    formula = work.pick([each.chords for each in cadence_formulas("cad-pac", key.mode)
                         if all(one in pool for one in each.chords)] or [_plain_close(key)])  # fmt: skip
    row, gap, right = work.settle(lambda: _gapped(work, key, formula, pool))
    before, after = row[gap - 1], row[gap + 1]
    right.sort(key=lambda each: each != row[gap])
    shown = " ".join("___" if place == gap else each for place, each in enumerate(row))
    verdict = may_follow(chord(key.mode, before), chord(key.mode, row[gap]))
    words: Words = {
        "key": key_text(key),
        "pool": ", ".join(pool),
        "row": shown,
        "before": before,
        "after": after,
        "function": chord(key.mode, row[gap]).function,
        "answer": ", ".join(right),
        "reason": f"{', '.join(right)}: {verdict.text}.",
    }
    wrong = [Wrong(each, _op(key.mode, before, each)) for each in pool if each not in right]
    part = Part(tuple(right), "label", Text("chord", "和弦"), wrong)
    given = Given(f"{key}: {shown}")
    return draft_of(work, given, part, words, key=key, kg=_nodes([chord(key.mode, row[gap])]))


def _gapped(
    work: Work, key: Key, formula: Sequence[str], pool: tuple[str, ...]
) -> tuple[list[str], int, list[str]]:
    """A progression, the place of its gap, and the chords that may stand there."""
    row = list(walk_to(key, formula, pool, work.params["chords"], work.rng))
    places = list(range(1, len(row) - 1))
    if work.params.get("applied"):
        places = [at for at in places if "/" in row[at] or "/" in row[at - 1]] or places
    gap = int(work.pick(places))
    right = [each for each in pool if _fits(key.mode, row[gap - 1], each, row[gap + 1])]
    if row[gap] not in right or len(right) > len(pool) - 3:
        raise DiscardError("a gap that almost anything fills")
    return row, gap, right


def _plain_close(key: Key) -> tuple[str, ...]:
    return ("V", "I") if key.mode == "major" else ("V", "i")


def _fits(mode: str, before: str, here: str, after: str) -> bool:
    one, two, three = (chord(mode, symbol) for symbol in (before, here, after))
    return (
        here not in (before, after)
        and may_follow(one, two).grade in GOOD
        and may_follow(two, three).grade in GOOD
    )


def _op(mode: str, before: str, here: str) -> str:
    """A chord that cannot be reached is a retrogression; one that cannot go on leads nowhere."""
    reached = may_follow(chord(mode, before), chord(mode, here)).grade in GOOD
    return "D11" if reached else "D12"
