"""Names of keys, degrees and modes in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from musegen.exercises.item import Text
from theory_kb.pitch import Key

__all__ = ["DEGREE_NAMES", "SCALE_NAMES", "key_text"]

MODE_WORDS: Mapping[str, str] = {"major": "大调", "minor": "小调"}


def key_text(key: Key) -> Text:
    """A key by name."""
    return Text(key.name, f"{key.tonic.name}{MODE_WORDS[key.mode]}")


DEGREE_NAMES: Mapping[int, Text] = {
    1: Text("tonic", "主音"),
    2: Text("supertonic", "上主音"),
    3: Text("mediant", "中音"),
    4: Text("subdominant", "下属音"),
    5: Text("dominant", "属音"),
    6: Text("submediant", "下中音"),
    7: Text("leading tone", "导音"),
}
SCALE_NAMES: Mapping[str, Text] = {
    "major": Text("major", "自然大调"),
    "natural-minor": Text("natural minor", "自然小调"),
    "harmonic-minor": Text("harmonic minor", "和声小调"),
    "melodic-minor": Text("melodic minor", "旋律小调"),
    "dorian": Text("Dorian", "多利亚"),
    "phrygian": Text("Phrygian", "弗里几亚"),
    "lydian": Text("Lydian", "利底亚"),
    "mixolydian": Text("Mixolydian", "混合利底亚"),
    "aeolian": Text("Aeolian", "爱奥利亚"),
    "ionian": Text("Ionian", "伊奥尼亚"),
    "locrian": Text("Locrian", "洛克里亚"),
    "major-pentatonic": Text("major pentatonic", "宫调式五声音阶"),
    "minor-pentatonic": Text("minor pentatonic", "羽调式五声音阶"),
    "hemitonic-pentatonic": Text("hemitonic pentatonic", "带半音的五声音阶"),
    "blues": Text("blues", "布鲁斯音阶"),
    "major-blues": Text("major blues", "大调布鲁斯音阶"),
    "octatonic-half-whole": Text("octatonic, semitone first", "八声音阶（半音开始）"),
    "octatonic-whole-half": Text("octatonic, tone first", "八声音阶（全音开始）"),
    "whole-tone": Text("whole-tone", "全音阶"),
    "chromatic": Text("chromatic", "半音阶"),
    "harmonic-major": Text("harmonic major", "和声大调"),
    "phrygian-dominant": Text("Phrygian dominant", "弗里几亚属音阶"),
    "acoustic": Text("acoustic (Lydian dominant)", "利底亚属音阶"),
    "hungarian-minor": Text("Hungarian minor", "匈牙利小调"),
}
