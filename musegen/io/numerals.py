"""Roman numerals as they are printed, and where they stand under a score."""

from __future__ import annotations

from fractions import Fraction

from musegen.score import ChordLabel, Score

__all__ = ["numeral_text", "shown_numerals"]


def shown_numerals(score: Score) -> dict[Fraction, str]:
    """Roman numerals by onset: where the chord or the key changes, the key named where it does."""
    found: dict[Fraction, str] = {}
    last: ChordLabel | None = None
    for label in score.chords:
        text = numeral_text(label.numeral)
        if last is None or label.key != last.key:
            tonic = label.key.tonic.name
            name = tonic[0] if label.key.mode == "major" else tonic[0].lower()
            signs = tonic[1:].replace("#", "♯").replace("b", "♭")
            found[label.onset] = f"{name}{signs}: {text}"
        elif label.numeral != last.numeral:
            found[label.onset] = text
        last = label
    return found


def numeral_text(symbol: str) -> str:
    """A Roman numeral as it is printed: `viio6` as vii°6, `bVI` as ♭VI, `cad64` as Cad64."""
    if symbol.startswith("cad"):
        return symbol.capitalize()
    head, slash, target = symbol.partition("/")
    if head.startswith("b"):
        head = f"♭{head[1:]}"
    return head.replace("o", "°") + slash + target
