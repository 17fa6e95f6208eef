"""Sentences for what was found, in both languages: where, what, why, how to mend it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from musegen.exercises.grading.observe import Defect, Observed
from musegen.exercises.item import Text
from theory_kb.moment import REST
from theory_kb.pitch import Pitch
from theory_kb.rules.records import rules

__all__ = ["named", "place", "sentence", "spelled", "term", "voice_names", "voice_zh"]

TERMS = Path(__file__).parent.parent / "terms_zh.toml"
VOICES_ZH = {
    "Soprano": "女高音",
    "Alto": "女低音",
    "Tenor": "男高音",
    "Bass": "男低音",
    "Counterpoint": "对位声部",
    "Cantus": "定旋律",
}


@cache
def _terms() -> Mapping[str, tuple[str, str]]:
    table = tomllib.loads(TERMS.read_text(encoding="utf-8"))
    return {name: (term, repair) for name, (term, repair) in table.items()}


def term(rule: str) -> Text:
    """What a rule is called."""
    name = rules()[rule].name
    return Text(name, _terms()[rule][0] if rule in _terms() else name)


def _repair(rule: str) -> Text:
    said = "; or ".join(rules()[rule].repair)
    return Text(said, _terms()[rule][1] if rule in _terms() else said)


def voice_names(defect: Defect, observed: Observed) -> tuple[str, ...]:
    """Voices of a defect, high to low."""
    return tuple(observed.task.voices[voice] for voice in defect.finding.voices)


def _voices(defect: Defect, observed: Observed) -> Text:
    names = voice_names(defect, observed)
    return Text("-".join(names), "、".join(voice_zh(name) for name in names))


def voice_zh(name: str) -> str:
    """What a voice is called in Chinese; a name that is not known stays."""
    return VOICES_ZH.get(name, name)


def place(defect: Defect, observed: Observed) -> Text:
    """Where a defect stands: chords of the exercise, and bar and beat where it is barred."""
    task, finding = observed.task, defect.finding
    if task.slots and defect.left != defect.slot:
        en, zh = (
            f"chords {defect.left + 1}-{defect.slot + 1}",
            (f"第 {defect.left + 1}-{defect.slot + 1} 和弦"),
        )
    elif task.slots:
        en, zh = f"chord {defect.slot + 1}", f"第 {defect.slot + 1} 和弦"
    else:
        en, zh = "", ""
    if task.metre is not None:
        bar, beat = finding.bar, f"{round(finding.beat, 3):g}"
        en = f"{en + ', ' if en else ''}bar {bar}, beat {beat}"
        zh = f"{zh}（第 {bar} 小节第 {beat} 拍）" if zh else f"第 {bar} 小节第 {beat} 拍"
    return Text(en, zh)


def spelled(defect: Defect, observed: Observed) -> tuple[str, ...]:
    """The notes that a defect speaks of: of each voice, where it comes from and where it is."""
    found = []
    for voice in defect.finding.voices:
        line = []
        for slot in dict.fromkeys((defect.finding.start, defect.finding.onset)):
            name = _pitch_at(observed, voice, slot)
            if name and name not in line:
                line.append(name)
        found.append("-".join(line))
    return tuple(each for each in found if each)


def _pitch_at(observed: Observed, voice: int, onset: int) -> str:
    moments = observed.piece.surface
    place = int(moments["onset"].searchsorted(onset, side="right")) - 1
    semitone = int(moments["semitone"][place, voice])
    return "" if semitone == REST else Pitch(int(moments["step"][place, voice]), semitone).name


def sentence(defect: Defect, observed: Observed, mend: Text | None = None) -> Text:
    """Where, what, why, and how to mend it.

    Args:
        defect: what was found.
        observed: the answer that it was found in.
        mend: a repair that was tried on this answer; else what the rule advises.
    """
    rule = rules()[defect.finding.rule]
    where, voices = place(defect, observed), _voices(defect, observed)
    how = mend or _repair(rule.id)
    en = f"{where.en}: {defect.finding.message} {_capital(rule.why)}. To mend it: {how.en}."
    notes = "，".join(spelled(defect, observed))
    zh = f"{where.zh}，{voices.zh}：{term(rule.id).zh}（{notes}）。改法：{how.zh}。"
    if defect.why is not None:
        en = f"{en} It follows from another fault: {defect.why.en}."
        zh = f"{zh}由前一错误引起：{defect.why.zh}。"
    return Text(en, zh)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def named(defects: Sequence[Defect], observed: Observed) -> Text:
    """The names of some defects with their voices, for a clause of the marking."""
    en, zh = [], []
    for defect in defects:
        said, voices = term(defect.finding.rule), _voices(defect, observed)
        en.append(f"{said.en} ({voices.en})")
        zh.append(f"{said.zh}（{voices.zh}）")
    return Text("; ".join(dict.fromkeys(en)), "；".join(dict.fromkeys(zh)))
