"""Applied chords, pivots of modulations, mixture, the Neapolitan and the augmented sixths."""

from __future__ import annotations

from collections.abc import Sequence

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Given, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.chords import (
    chords_of,
    from_bass,
    functional_or_blank,
    names_of,
    writable,
)
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key, keys_within
from musegen.exercises.makers.keys import near_keys
from musegen.exercises.makers.music import Phrase, draw_modulation
from musegen.exercises.names import key_text
from theory_kb.chords import Chord, every_chord, read_chord, spell, vocabulary
from theory_kb.pitch import Key, PitchClass, ScaleDegree
from theory_kb.stored import degree_name

__all__ = ["applied_chord", "find_pivot", "pivot_places", "spell_chromatic"]

NOTES = Text("notes", "各音")
CHORD = Text("goes to", "解决到")


def applied_chord(work: Work) -> Draft:
    """An applied chord: its notes and where it goes."""
    key = draw_key(work)
    chord = work.pick(chords_of(key, work))
    tones = spell(chord, key)
    if not writable(tones) or chord.leading is None or chord.target is None:
        raise DiscardError("triple accidentals")
    answer = names_of(tones)
    goals = _goals(chord)
    leading = key.tonic.transposed(chord.leading)
    words: Words = {
        "key": key_text(key),
        "symbol": chord.symbol,
        "functional": functional_or_blank(chord),
        "target": key.tonic.transposed(chord.target).name,
        "leading": leading.name,
        "root": tones[0].name,
        "answer": answer,
    }
    flat = [tone.transposed(-7) if tone == leading else tone for tone in tones]
    wrong = [Wrong(names_of(flat), "D9", NOT_RAISED)]
    wrong.append(Wrong(names_of([tone.transposed(1) for tone in tones]), "D2"))
    spelled = Part((answer,), "pitch-set", NOTES, wrong, len(tones), id="notes")
    home = "I" if key.mode == "major" else "i"
    astray = [Wrong(each, "D11") for each in ("V", home, "vi", "IV") if each not in goals[0]]
    parts = (spelled, Part(goals, "label", CHORD, astray, 1, id="goal"))
    given = Given(f"{key}: {chord.symbol}")
    kg = (f"numeral:{key.mode} {chord.numeral}",)
    return draft_of(work, given, parts, words, key=key, kg=kg)


NOT_RAISED = Text("the leading tone of the target is not raised", "离调导音未升高")


def _goals(chord: Chord) -> tuple[str, ...]:
    """Positions of the target that an inversion goes to by step or stays over."""
    target = str(chord.applied_to)
    third = f"{target}6"
    table = {0: (target,), 1: (target,), 2: (target, third), 3: (third,)}
    if chord.numeral.startswith("vii"):
        table = {0: (target,), 1: (third, target), 2: (third, target), 3: (f"{target}64",)}
    found = tuple(each for each in table[chord.inversion] if in_any(chord.mode, each))
    if not found:
        raise DiscardError("a target without that position")
    return found


def in_any(mode: str, symbol: str) -> bool:
    """Whether a symbol is a chord that is known."""
    return any(each.mode == mode and each.symbol == symbol for each in every_chord())


# --- pivots ---------------------------------------------------------------------------------


def find_pivot(work: Work) -> Draft:
    """A modulation: its pivot in both keys; or a chord that two keys hear differently."""
    way = work.params["to"]
    if way == "chromatic":
        return _chromatic_pivot(work)
    if way == "enharmonic":
        return _enharmonic_pivot(work)
    key = draw_key(work)
    target = {"dominant": Key(key.tonic.transposed(1), "major"), "relative": key.relative}.get(way)
    target = target or work.pick(near_keys(key))
    phrase, _ = draw_modulation(key, target, 4, work.rng)
    places = pivot_places(phrase, key, target)
    if not places:
        raise DiscardError("no chord belongs to both keys")
    in_home, in_target = phrase.symbols_in(key), phrase.symbols_in(target)
    rows = tuple(f"{place + 1} {in_home[place]}>{in_target[place]}" for place in reversed(places))
    words: Words = {
        "task": Text(
            f"The phrase goes from {key} to {target}. Which chord is the pivot? Give its number and "
            f"its label in both keys, such as 4 vi>ii.",
            f"乐句由{key_text(key).zh}转到{key_text(target).zh}。哪个和弦是共同和弦？写出序号与在两调中的标记，如 4 vi>ii。",
        ),
        "foreign": Text("", ""),
        "first": Text(f"It is chord {places[-1] + 1}.", f"是第 {places[-1] + 1} 个和弦。"),
        "reason": Text(f"Pivot: {' or '.join(rows)}.", f"共同和弦：{'，或 '.join(rows)}。"),
    }
    late = places[-1] + 2
    wrong = [Wrong(f"{late} {in_home[places[-1]]}>{in_target[places[-1]]}", "D8")]
    part = Part(rows, "pivot", Text("pivot", "共同和弦"), wrong, 3)
    text = f"{key} to {target}: {phrase.notes_text()}"
    facts = {"key.away": target.name}
    return draft_of(work, phrase.given(text), part, words, key=key, facts=facts)


def pivot_places(phrase: Phrase, key: Key, target: Key) -> list[int]:
    """Places where a chord belongs to both keys, all before to the old, all after to the new."""
    old = [_belongs(each, own, key) for each, own in zip(phrase.chords, phrase.keys, strict=True)]
    new = [
        _belongs(each, own, target) for each, own in zip(phrase.chords, phrase.keys, strict=True)
    ]
    return [
        place
        for place in range(1, len(old) - 1)
        if all(old[: place + 1]) and all(new[place:]) and _carries(phrase, place, key, target)
    ]


def _carries(phrase: Phrase, place: int, key: Key, target: Key) -> bool:
    """Whether a chord can carry a modulation: a triad, and a dominant of neither key (KP 18)."""
    readings = [read_chord(one.mode, phrase.symbols_in(one)[place]) for one in (key, target)]
    return all(len(each.members) == TRIAD and each.function != "D" for each in readings)


TRIAD = 3  # tones


def _belongs(chord: Chord, own: Key, key: Key) -> bool:
    """Whether a chord is diatonic in a key: its tones over its bass are one of the key's."""
    tones = {tone.fifths for tone in spell(chord, own)}
    bass = own.tonic.fifths + chord.bass
    return any(
        each.mode == key.mode
        and each.origin in ("diatonic", "minor-form", "cadential")
        and {tone.fifths for tone in spell(each, key)} == tones
        and key.tonic.fifths + each.bass == bass
        for each in vocabulary()
    )


CHROMATIC = ("N", "iv", "bVI", "bIII", "V7/V", "V7/ii", "V7/vi", "i", "iiø7")


def _chromatic_pivot(work: Work) -> Draft:
    """A chord that is chromatic in one key and at home in another."""
    key = draw_key(work)
    chords = [each for each in every_chord() if each.mode == key.mode and each.numeral in CHROMATIC
              and not each.inversion and each.origin != "diatonic"]  # fmt: skip
    chord = work.pick(chords)
    tones = spell(chord, key)
    keys = [each for each in keys_within(min(6, work.setting.key_range), ("major", "minor"))
            if abs(each.signature - key.signature) > 1]  # fmt: skip
    readings = [(other, each) for other in keys for each in vocabulary()
                if each.mode == other.mode and each.origin == "diatonic" and not each.inversion
                and set(spell(each, other)) == set(tones)]  # fmt: skip
    if not readings:
        raise DiscardError("a chord of no other key")
    other, reading = work.pick(readings)
    words: Words = {
        "task": Text(
            f"{chord.symbol} of {key} ({names_of(tones)}) leads to {other}. What is it there?",
            f"{key_text(key).zh}的 {chord.symbol}（{names_of(tones)}）引向{key_text(other).zh}。它在那里是什么？",
        ),
        "foreign": names_of(tones),
        "first": Text(f"Its root is {tones[0]}.", f"根音是 {tones[0]}。"),
        "reason": Text(f"{names_of(tones)} is {chord.symbol} of {key} and {reading.symbol} of {other}.",
                       f"{names_of(tones)} 在{key_text(key).zh}是 {chord.symbol}，在{key_text(other).zh}是 {reading.symbol}。"),
    }  # fmt: skip
    wrong = [Wrong(each.symbol, "D11") for each in vocabulary()
             if each.mode == other.mode and each.function == reading.function
             and not each.inversion and each.numeral != reading.numeral]  # fmt: skip
    part = Part((reading.symbol,), "label", Text("label", "标记"), wrong)
    facts = {f"key.{part.id}": other.name}
    given = Given(f"{key}: {chord.symbol} = {names_of(tones)}; {other}: ?")
    return draft_of(work, given, part, words, key=key, facts=facts)


def _enharmonic_pivot(work: Work) -> Draft:
    """A dominant seventh heard as German sixth, or a diminished seventh in another key."""
    key = draw_key(work)
    name = work.pick(("V7", "viio7"))
    chord = read_chord(key.mode, name)
    tones = spell(chord, key)
    if not writable(tones):
        raise DiscardError("triple accidentals")
    sound = {tone.semitone for tone in tones}
    other = "Ger65" if name == "V7" else "viio7"
    found = [each for each in keys_within(min(6, work.setting.key_range), ("major", "minor"))
             if each.tonic.semitone != key.tonic.semitone
             and {tone.semitone for tone in spell(read_chord(each.mode, other), each)} == sound]  # fmt: skip
    if not found:
        raise DiscardError("no key hears it so")
    names = tuple(each.name for each in found)
    words: Words = {
        "task": Text(
            f"{name} of {key} ({names_of(tones)}) is respelled as {other}. Name a key in which it is that.",
            f"{key_text(key).zh}的 {name}（{names_of(tones)}）等音改记为 {other}。写出它所属的一个调。",
        ),
        "foreign": names_of(tones),
        "first": Text(f"One tonic is {found[0].tonic}.", f"其中一个主音是 {found[0].tonic}。"),
        "reason": Text(f"The same sound is {other} of {', '.join(names)}.",
                       f"同一音响是 {', '.join(names)} 的 {other}。"),
    }  # fmt: skip
    wrong = [Wrong(each.name, "D7") for one in found for each in (one.relative, _fifth_up(one))
             if abs(each.signature) <= 7]  # fmt: skip
    part = Part(names, "key", Text("key", "调"), wrong)
    given = Given(f"{key}: {name} = {names_of(tones)}")
    return draft_of(work, given, part, words, key=key)


def _fifth_up(key: Key) -> Key:
    return Key(key.tonic.transposed(1), key.mode)


# --- mixture, Neapolitan, augmented sixths --------------------------------------------------

RECIPES = {
    "N": Text("A major triad on the lowered second degree.", "降二级上的大三和弦。"),
    "It": Text("Lowered 6 in the bass, 1, raised 4.", "低音降六级，加主音与升四级。"),
    "Fr7": Text("Lowered 6 in the bass, 1, 2, raised 4.", "低音降六级，加一、二级与升四级。"),
    "Ger7": Text(
        "Lowered 6 in the bass, 1, lowered 3, raised 4.", "低音降六级，加一级、降三级与升四级。"
    ),
    "Sw7": Text("As the German, with raised 2 for lowered 3.", "同德国增六，以升二级代降三级。"),
}
MIXTURE = Text("Take the chord from the parallel minor key.", "取自同主音小调。")


def spell_chromatic(work: Work) -> Draft:
    """A borrowed or chromatic chord: its notes from the bass up."""
    key = draw_key(work)
    symbols = [each for each in work.params["symbols"] if in_any(key.mode, each)]
    if not symbols:
        raise DiscardError("no chord of the level in this mode")
    chord = read_chord(key.mode, work.pick(symbols))
    tones = spell(chord, key)
    if not writable(tones):
        raise DiscardError("triple accidentals")
    notes = from_bass(chord, key)
    answer = names_of(notes)
    words: Words = {
        "key": key_text(key),
        "symbol": chord.symbol,
        "recipe": RECIPES.get(chord.numeral, MIXTURE),
        "degree": degree_name(chord.bass),
        "bass": notes[0].name,
        "letters": " ".join(note.name[0] for note in notes),
        "answer": answer,
    }
    part = Part((answer,), "pitch-classes", NOTES, _misspelled(notes, key), len(notes))
    kg = (f"numeral:{key.mode} {chord.numeral}",)
    return draft_of(work, Given(f"{key}: {chord.symbol}"), part, words, key=key, kg=kg)


AS_SEVENTH = Text("it sounds so, but the note a semitone below 5 is #4",
                  "音响相同，但属音下方半音应记为升四级")  # fmt: skip


def _misspelled(notes: Sequence[PitchClass], key: Key) -> list[Wrong]:
    """The augmented sixth as a seventh, other respellings, the signs of the key."""
    found = []
    for place, note in enumerate(notes):
        for shift in (-12, 12):
            changed = [*notes[:place], note.transposed(shift), *notes[place + 1 :]]
            if writable(changed):
                raised = note.fifths - key.tonic.fifths == 6
                found.append(Wrong(names_of(changed), "D4", AS_SEVENTH if raised else None))
    plain = [
        next((own for own in _scale(key) if own.letter == note.letter), note) for note in notes
    ]
    found.append(Wrong(names_of(plain), "D9"))
    return found


def _scale(key: Key) -> list[PitchClass]:
    return [key.degree(ScaleDegree(number)) for number in range(1, 8)]
