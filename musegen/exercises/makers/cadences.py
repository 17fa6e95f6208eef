"""Cadences and sequences, named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import DiscardError, Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key, keys_within
from musegen.exercises.makers.keys import POOLS
from musegen.exercises.makers.music import Phrase, draw_phrase, set_chords, walk_to
from musegen.exercises.names import key_text
from theory_kb.catalogue import entry
from theory_kb.chords import chord
from theory_kb.pitch import Key

__all__ = ["SEQUENCES", "cadence_of", "name_cadence", "name_sequence"]

CADENCES: Mapping[str, Text] = {
    "cad-pac": Text("perfect authentic cadence (PAC)", "完满全终止"),
    "cad-iac": Text("imperfect authentic cadence (IAC)", "不完满全终止"),
    "cad-hc": Text("half cadence (HC)", "半终止"),
    "cad-phrygian": Text("Phrygian half cadence", "弗里几亚半终止"),
    "cad-plagal": Text("plagal cadence (PC)", "变格终止"),
    "cad-deceptive": Text("deceptive cadence (DC)", "阻碍终止"),
    "cad-evaded": Text("evaded cadence", "避免终止"),
}
FORMULAS: Mapping[str, tuple[str, ...]] = {  # kinds of the knowledge base that a name stands for
    "cad-iac": ("cad-iac-soprano", "cad-iac-inverted", "cad-iac-vii"),
}
EVADED = {"major": ("cad64", "V42", "I6"), "minor": ("cad64", "V42", "i6")}
TONICS = ("I", "i")


def cadence_of(phrase: Phrase) -> str:
    """The cadence that a phrase makes, by its last two chords and the soprano (KP 10)."""
    before, last = phrase.chords[-2:]
    soprano = phrase.score.parts[0].notes[-1].pitch.pitch_class
    if last.numeral in TONICS and before.function == "D":
        if before.symbol == "V42":
            return "cad-evaded"
        perfect = before.numeral in ("V", "V7") and not before.inversion and not last.inversion
        return "cad-pac" if perfect and soprano == phrase.key.tonic else "cad-iac"
    if last.numeral in ("vi", "VI") and before.numeral in ("V", "V7"):
        return "cad-deceptive"
    if last.numeral == "V":
        return "cad-phrygian" if before.symbol == "iv6" else "cad-hc"
    if last.numeral in TONICS and before.numeral in ("IV", "iv"):
        return "cad-plagal"
    raise DiscardError("a close of no kind")


def name_cadence(work: Work) -> Draft:
    """A phrase in four parts: the cadence that closes it."""
    kinds = work.params["kinds"]
    wanted = work.pick(kinds)
    modes = ("minor",) if wanted == "cad-phrygian" else work.params.get("modes", ("major", "minor"))
    key = work.pick([each for each in _keys(work) if each.mode in modes])
    phrase, found = work.settle(lambda: _closing(work, key, wanted))
    soprano = phrase.score.parts[0].notes[-1].pitch
    bass = [note.pitch.name for note in phrase.score.parts[-1].notes[-2:]]
    words: Words = {
        "key": key_text(key),
        "bass": " ".join(bass),
        "last": phrase.symbols[-1],
        "close": " ".join(phrase.symbols[-2:]),
        "soprano": soprano.name,
        "name": CADENCES[found],
    }
    others = list(dict.fromkeys((*kinds, *CADENCES)))
    wrong = [Wrong(each, "D13") for each in others if each != found]
    part = Part((found,), "choice", Text("cadence", "终止"), wrong, labels=CADENCES)
    text = f"{key}: {phrase.notes_text()}"
    return draft_of(work, phrase.given(text), part, words, key=key, kg=(f"cadence:{found}",))


def _closing(work: Work, key: Key, wanted: str) -> tuple[Phrase, str]:
    """A phrase that closes with a cadence of the level, and which it is."""
    pool = (*POOLS[key.mode], "V65", "viio6")
    count = int(work.params["chords"])
    if wanted == "cad-evaded":
        symbols = walk_to(key, EVADED[key.mode], pool, count, work.rng)
        score = set_chords([(key, symbols)], seed=int(work.rng.integers(1 << 30)))
        chords = tuple(chord(key.mode, symbol) for symbol in symbols)
        phrase = Phrase(key, chords, (key,) * len(chords), score)
    else:
        kinds = FORMULAS.get(wanted, (wanted,))
        figures = bool(work.params.get("figures"))
        phrase = draw_phrase(key, pool, count, work.rng, cadences=kinds, figures=figures)
    found = cadence_of(phrase)
    if found not in work.params["kinds"]:
        raise DiscardError("a cadence beyond the level")
    return phrase, found


def _keys(work: Work) -> list[Key]:
    limit = min(int(work.params["accidentals"]), work.setting.key_range)
    return keys_within(limit, ("major", "minor"))


# --- sequences ------------------------------------------------------------------------------

SEQUENCES: Mapping[str, Text] = {
    "desc-fifths": Text("descending fifths, triads", "五度下行（三和弦）"),
    "desc-fifths-7": Text("descending fifths, sevenths", "五度下行（七和弦）"),
    "desc-fifths-63": Text("descending fifths with sixth chords", "五度下行（含六和弦）"),
    "desc-fifths-applied": Text("descending fifths, applied dominants", "五度下行（离调属七）"),
    "asc-fifths": Text("ascending fifths", "五度上行"),
    "desc-thirds": Text("descending thirds (Pachelbel)", "三度下行（帕赫贝尔）"),
    "desc-5-6": Text("descending thirds with sixth chords (5-6)", "三度下行（5-6）"),
    "asc-5-6": Text("ascending 5-6", "5-6 上行"),
    "asc-5-6-applied": Text("ascending 5-6 with applied chords (Monte)", "5-6 上行（离调，蒙特）"),
    "parallel-63": Text("parallel sixth chords", "平行六和弦"),
}


def name_sequence(work: Work) -> Draft:
    """A sequence in four parts: its kind."""
    key = draw_key(work, modes=("major",))
    wanted = work.pick(work.params["kinds"])
    fact: Any = entry("sequence-kind", wanted)
    symbols = [str(each) for each in fact["outline"]]
    score = set_chords([(key, symbols)], seed=int(work.rng.integers(1 << 30)))
    chords = tuple(chord(key.mode, symbol) for symbol in symbols)
    phrase = Phrase(key, chords, (key,) * len(chords), score)
    words: Words = {
        "key": key_text(key),
        "chords": " ".join(symbols),
        "bass": str(fact["bass"]),
        "name": SEQUENCES[wanted],
    }
    near = [each for each in work.params["kinds"] if each != wanted]
    others = [each for each in SEQUENCES if each not in (*near, wanted)]
    wrong = [Wrong(each, "D13") for each in near] + [Wrong(each, "D2") for each in others]
    part = Part((wanted,), "choice", Text("sequence", "模进"), wrong, labels=SEQUENCES)
    text = f"{key}: {phrase.notes_text()}"
    kg = (f"sequence-kind:{wanted}",)
    return draft_of(work, phrase.given(text), part, words, key=key, kg=kg)
