"""Typed answers in one spelling: full width, Unicode signs, words of either language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from musegen.exercises.item import Text
from theory_kb.pitch import Interval, Key, PitchError

__all__ = ["REMEMBERED", "interval_words", "named_interval", "named_key", "named_pitch", "plain"]

REMEMBERED = 4096  # texts: answers of a class are much alike, and so are distractors
SIGNS = str.maketrans(
    {"♯": "#", "♭": "b", "𝄪": "x", "𝄫": "bb", "−": "-", "–": "-", "、": ",", "\u3000": " "}
)
CHINESE_SIGN = re.compile(r"(重升|重降|升|降|还原)\s*([A-Ga-g])")
CHINESE_SIGNS: Mapping[str, str] = {"重升": "x", "重降": "bb", "升": "#", "降": "b", "还原": ""}
ENGLISH_SIGN = re.compile(
    r"\b([A-Ga-g])[\s-]*(double[\s-]sharp|double[\s-]flat|sharp|flat|natural)\b", re.IGNORECASE
)
ENGLISH_SIGNS: Mapping[str, str] = {
    "doublesharp": "x",
    "doubleflat": "bb",
    "sharp": "#",
    "flat": "b",
    "natural": "",
}


@lru_cache(maxsize=REMEMBERED)
def plain(text: str) -> str:
    """A typed answer with one sign for what has several."""
    found = unicodedata.normalize("NFKC", text.translate(SIGNS))  # wide, small and Roman signs
    found = CHINESE_SIGN.sub(lambda match: match[2] + CHINESE_SIGNS[match[1]], found)
    found = ENGLISH_SIGN.sub(
        lambda match: match[1] + ENGLISH_SIGNS[re.sub(r"[\s-]", "", match[2].lower())], found
    )
    return re.sub(r"\s+", " ", found).strip()


@lru_cache(maxsize=REMEMBERED)
def named_pitch(text: str) -> str:
    """A note's name with a capital letter."""
    clean = plain(text)
    return clean[:1].upper() + clean[1:]


# --- intervals ------------------------------------------------------------------------------

QUALITIES: Mapping[str, str] = {
    "doubly augmented": "AA",
    "doubly diminished": "dd",
    "perfect": "P",
    "major": "M",
    "minor": "m",
    "augmented": "A",
    "diminished": "d",
    "倍增": "AA",
    "倍减": "dd",
    "纯": "P",
    "大": "M",
    "小": "m",
    "增": "A",
    "减": "d",
    "perf": "P",
    "maj": "M",
    "min": "m",
    "aug": "A",
    "dim": "d",
}
ORDINALS = [
    "unison|prime|first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "octave|eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
]
NUMBERS: Mapping[str, int] = {
    word: number for number, words in enumerate(ORDINALS, start=1) for word in words.split("|")
}
HAN: Mapping[str, int] = {
    word: number
    for number, word in enumerate(
        [
            "一",
            "二",
            "三",
            "四",
            "五",
            "六",
            "七",
            "八",
            "九",
            "十",
            "十一",
            "十二",
            "十三",
            "十四",
            "十五",
        ],
        start=1,
    )
}
LONGEST_FIRST = "|".join(sorted(QUALITIES, key=len, reverse=True))
WORDED = re.compile(
    rf"({LONGEST_FIRST})\.?\s*(?:([a-z]+)|(\d+)(?:st|nd|rd|th|度)?|([一二三四五六七八九十]+)度?)",
    re.IGNORECASE,
)


@lru_cache(maxsize=REMEMBERED)
def named_interval(text: str) -> Interval:
    """An interval from `m3`, `minor third` or `小三度`; raises PitchError."""
    clean = plain(text)
    match = WORDED.fullmatch(clean)
    if match is not None:
        word, digits, han = match[2], match[3], match[4]
        number = int(digits) if digits else NUMBERS.get((word or "").lower()) or HAN.get(han or "")
        if number is not None:
            return Interval.parse(f"{QUALITIES[match[1].lower()]}{number}")
    return Interval.parse(clean)


def interval_words(interval: Interval) -> Text:
    """What an interval is called, `minor third`; its size, whichever way it leads."""
    quality, number = interval.quality, interval.number
    en, zh = (
        next(
            word for word, sign in QUALITIES.items() if sign == quality and word.isascii() == latin
        )
        for latin in (True, False)
    )
    ordinal = ORDINALS[number - 1].partition("|")[0]
    han = next(word for word, value in HAN.items() if value == number)
    return Text(f"{en} {ordinal}", f"{zh}{han}度")


# --- keys -----------------------------------------------------------------------------------

CHINESE_KEY = re.compile(r"([A-Ga-g](?:#|b|x|bb)?)\s*(大调|小调|大|小)")


def named_key(text: str) -> Key:
    """A key from `D minor`, `d`, `Dm` or `D小调`; raises PitchError."""
    clean = plain(text)
    match = CHINESE_KEY.fullmatch(clean)
    if match is not None:
        return Key.parse(f"{match[1][0].upper()}{match[1][1:]} {_MODES[match[2][0]]}")
    if re.fullmatch(r"[A-Ga-g][#b]?m", clean):
        clean = f"{clean[:-1].capitalize()} minor"
    if not clean:
        raise PitchError("a key is wanted, such as 'D minor'")
    return Key.parse(clean)


_MODES: Mapping[str, str] = {"大": "major", "小": "minor"}
