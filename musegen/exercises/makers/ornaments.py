"""Ornaments written out, by tables of style.

Sources: C. P. E. Bach, Versuch (1753), ch. 2, for trill, turn and mordent; D'Anglebert, Pièces de
clavecin (1689), table of ornaments, for the French ones; modern practice (ABRSM) for acciaccatura.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from musegen.exercises.distractors import Wrong
from musegen.exercises.item import Draft, Text
from musegen.exercises.kinds import Work
from musegen.exercises.makers.drafting import Part, Words, draft_of, draw_key
from musegen.exercises.makers.showing import shown
from musegen.exercises.names import key_text
from musegen.io.examples import Example, ExampleStaff, Sign
from theory_kb.pitch import Key, Pitch, ScaleDegree

__all__ = ["ORNAMENTS", "write_out"]


@dataclass(frozen=True, slots=True)
class Ornament:
    """How an ornament is played: 0 the main note, 1 the one above, -1 the one below."""

    name: Text
    sign: str  # MusicXML's name; empty for a small note
    notes: tuple[tuple[int, ...], ...]  # ways to play it, the usual first
    manner: Text
    reason: Text


ORNAMENTS: Mapping[str, Ornament] = {
    "acciaccatura": Ornament(
        Text("acciaccatura", "短倚音"),
        "",
        ((1, 0),),
        Text("Give the two notes.", "写出两个音。"),
        Text("The small note is crushed in before the main note.", "小音符极短，紧接本音。"),
    ),
    "mordent": Ornament(
        Text("mordent", "下波音"),
        "mordent",
        ((0, -1, 0),),
        Text("Give three notes.", "写出三个音。"),
        Text(
            "The sign with a stroke goes to the note below and back.",
            "带竖线的记号向下方音再回来。",
        ),
    ),
    "inverted-mordent": Ornament(
        Text("upper mordent", "上波音"),
        "inverted-mordent",
        ((0, 1, 0),),
        Text("Give three notes.", "写出三个音。"),
        Text(
            "The sign without stroke goes to the note above and back.",
            "无竖线的记号向上方音再回来。",
        ),
    ),
    "turn": Ornament(
        Text("turn", "回音"),
        "turn",
        ((1, 0, -1, 0),),
        Text("Give four notes.", "写出四个音。"),
        Text("Above, main, below, main.", "上方音、本音、下方音、本音。"),
    ),
    "inverted-turn": Ornament(
        Text("inverted turn", "倒回音"),
        "inverted-turn",
        ((-1, 0, 1, 0),),
        Text("Give four notes.", "写出四个音。"),
        Text("Below, main, above, main.", "下方音、本音、上方音、本音。"),
    ),
    "trill": Ornament(
        Text("trill with termination, in the manner of Bach's time", "带结尾的颤音（巴赫时代）"),
        "trill-mark",
        ((1, 0, 1, 0, -1, 0),),
        Text("Give six notes, the last two the termination.", "写出六个音，末两音为结尾。"),
        Text(
            "It begins on the upper note and ends below and main.",
            "从上方音开始，以下方音、本音结束。",
        ),
    ),
    "trill-main": Ornament(
        Text("trill with termination, from the main note", "带结尾的颤音（从本音开始）"),
        "trill-mark",
        ((0, 1, 0, 1, 0, -1, 0),),
        Text("Give seven notes, the last two the termination.", "写出七个音，末两音为结尾。"),
        Text(
            "It begins on the main note and ends below and main.",
            "从本音开始，以下方音、本音结束。",
        ),
    ),
    "port-de-voix": Ornament(
        Text("port de voix et pincé", "上行倚音加下波音"),
        "mordent",
        ((-1, 0, -1, 0),),
        Text(
            "Give four notes: the leaning note, then the mordent.", "写出四个音：先倚音，后波音。"
        ),
        Text("It leans from below, then strikes a mordent.", "先由下方倚入，再奏下波音。"),
    ),
    "tremblement": Ornament(
        Text("tremblement (short)", "法式颤音（短）"),
        "trill-mark",
        ((1, 0, 1, 0), (1, 0, 1, 0, 1, 0)),
        Text("Give four notes.", "写出四个音。"),
        Text("A French trill begins on the upper note.", "法式颤音从上方音开始。"),
    ),
    "double": Ornament(
        Text("double cadence: trill and turn", "颤音接回音"),
        "trill-mark",
        ((1, 0, 1, 0, -1, 0),),
        Text("Give six notes: the trill, then the turn's close.", "写出六个音：颤音后接回音结尾。"),
        Text(
            "The trill from above closes with below and main.",
            "上方开始的颤音，以下方音、本音收束。",
        ),
    ),
}


def write_out(work: Work) -> Draft:
    """An ornament on a note of a key: the notes that sound."""
    key = draw_key(work)
    ornament = ORNAMENTS[work.pick(work.params["ornaments"])]
    step = int(work.rng.integers(30, 37))
    main = _of_key(key, step)
    ways = [" ".join(_of_key(key, step + move).name for move in way) for way in ornament.notes]
    notes = ways[0].split()
    words: Words = {
        "key": key_text(key),
        "ornament": ornament.name,
        "note": main.name,
        "manner": ornament.manner,
        "first": notes[0],
        "two": " ".join(notes[:2]),
        "reason": Text(f"{ornament.reason.en} ", ornament.reason.zh),
        "answer": ways[0],
    }
    turned = " ".join(_of_key(key, step - move).name for move in ornament.notes[0])
    plain = " ".join(_natural(step + move).name for move in ornament.notes[0])
    wrong = [Wrong(turned, "D3", TURNED), Wrong(plain, "D5")]
    grace = _of_key(key, step + ornament.notes[0][0]) if not ornament.sign else None
    if ornament.name.en.startswith("port"):
        grace = _of_key(key, step - 1)
    sign = Sign((main,), ornament=ornament.sign, grace=grace, slashed=not ornament.sign)
    example = Example((ExampleStaff("treble", ((sign,),)),), key.signature)
    given = shown(f"{key}: {ornament.name.en} on {main}", example)
    part = Part(tuple(ways), "pitches", Text("notes", "各音"), wrong, 2)
    return draft_of(work, given, part, words, key=key)


TURNED = Text("upper and lower neighbour were exchanged", "上、下邻音颠倒了")


def _of_key(key: Key, step: int) -> Pitch:
    """The note of the key signature on a step."""
    notes = [key.degree(ScaleDegree(number)) for number in range(1, 8)]
    return Pitch.of(next(note for note in notes if note.letter == step % 7), step // 7)


def _natural(step: int) -> Pitch:
    return Pitch.parse(f"{'CDEFGAB'[step % 7]}{step // 7}")
