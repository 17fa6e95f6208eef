"""A note as MusicXML text in the manner of the notes that it replaces: layout, voice, staff."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from musegen.io.musicxml_text import Child, MusicXmlText, Place
from musegen.io.notation import ACCIDENTALS, Piece, value

__all__ = ["Manner", "aside", "note_text"]

LETTERS = "CDEFGAB"
FERMATAS = ("fermata", "other-notation")  # what belongs to the end of a note
LASTING = ("slur",)  # what belongs to its beginning and leads to another note


@dataclass(frozen=True, slots=True)
class Manner:
    """How the notes of a voice look in a measure."""

    text: MusicXmlText
    old: tuple[Place, ...]  # those that are replaced
    accidentals: Mapping[Fraction, int]  # shown, by onset
    beams: Mapping[Fraction, Sequence[str]]  # by onset
    stem: str | None  # of every note of the voice, if they are all alike
    numerals: Mapping[Fraction, str] | None  # Roman numerals by onset, if its lyrics are such

    @property
    def between(self) -> str:
        """White space between two notes."""
        child = self.old[0].child
        before = self.text.text(max(0, child.start - 400), child.start)
        return before[len(before.rstrip()) :] if before.strip() else ""

    @property
    def inside(self) -> str:
        """White space before a child of a note."""
        return self._gap(self.old[0].child)

    @property
    def closing(self) -> str:
        """White space before the end of a note."""
        child = self.old[0].child
        if not child.inner:
            return ""
        rest = self.text.text(child.inner[-1].end, child.end)
        return rest[: len(rest) - len(rest.lstrip())]

    @property
    def step(self) -> str:
        """By how much an inner element is indented."""
        last = self.closing.rpartition("\n")[2]
        deep = self.inside.rpartition("\n")[2]
        return deep[len(last) :] if deep.startswith(last) else ""

    def _gap(self, child: Child) -> str:
        if not child.inner:
            return ""
        head = self.text.text(child.start, child.inner[0].start)
        return head[head.rindex(">") + 1 :]

    def raw(self, child: Child) -> str:
        """An element as it stands in the file."""
        return self.text.text(child.start, child.end)

    def starting(self, onset: Fraction) -> Place | None:
        """The replaced note that began at a time."""
        return next((each for each in self.old if each.onset == onset and each.duration), None)

    def ending(self, time: Fraction) -> Place | None:
        """The replaced note that ended at a time."""
        return next((each for each in self.old if each.end == time and each.duration), None)


def aside(manner: Manner, tag: str, **values: Fraction) -> str:
    """An element of numbers, such as a `backup`."""
    inner = "".join(f"{manner.inside}<{name}>{each}</{name}>" for name, each in values.items())
    return f"<{tag}>{inner}{manner.closing}</{tag}>"


def note_text(piece: Piece, manner: Manner, divisions: Fraction) -> str:
    """A note as text.

    Args:
        piece: a note, at its written pitch.
        manner: of its voice in its measure.
        divisions: of a quarter note; the piece's length is a whole number of them.
    """
    old = manner.starting(piece.onset)
    name = old.child.element.get("id") if old is not None else None
    head = f'<note id="{name}">' if name else "<note>"
    children = "".join(manner.inside + each for each in _children(piece, manner, divisions, old))
    return f"{head}{children}{manner.closing}</note>"


def _children(
    piece: Piece, manner: Manner, divisions: Fraction, old: Place | None
) -> Iterator[str]:
    assert piece.note is not None, "rests are not written anew"
    model = manner.old[0]
    yield _nested("pitch", _pitch(piece), manner)
    yield f"<duration>{piece.duration * divisions}</duration>"
    for kind in _ties(piece):
        yield f'<tie type="{kind}"/>'
    yield from _same(model, ("instrument", "voice"), manner)
    yield from _look(piece, manner)
    yield from _same(model, ("staff",), manner)
    for level, state in enumerate(manner.beams.get(piece.onset, ()), 1):
        yield f'<beam number="{level}">{state}</beam>'
    notations = list(_notations(piece, manner, old))
    if notations:
        yield _nested("notations", notations, manner)
    if manner.numerals is None and old is not None:
        yield from _same(old, ("lyric",), manner)
    numeral = (manner.numerals or {}).get(piece.onset)
    if numeral is not None:
        yield _numeral(numeral, manner)


def _numeral(text: str, manner: Manner) -> str:
    syllable = ["<syllabic>single</syllabic>", f"<text>{text}</text>"]
    return _nested("lyric", syllable, manner).replace("<lyric>", '<lyric number="1">', 1)


def _pitch(piece: Piece) -> list[str]:
    assert piece.note is not None, "rests are not written anew"
    pitch = piece.note.pitch
    alter = [f"<alter>{pitch.alteration}</alter>"] if pitch.alteration else []
    return [
        f"<step>{LETTERS[pitch.step % 7]}</step>",
        *alter,
        f"<octave>{pitch.octave}</octave>",
    ]


def _ties(piece: Piece) -> list[str]:
    return ["stop"] * piece.tied_from + ["start"] * piece.tied_to


def _look(piece: Piece, manner: Manner) -> Iterator[str]:
    written = value(piece.duration)
    if written is not None:
        yield f"<type>{written.type}</type>"
        yield from ["<dot/>"] * written.dots
    shown = manner.accidentals.get(piece.onset)
    if shown is not None and not piece.tied_from:
        yield f"<accidental>{ACCIDENTALS[shown]}</accidental>"
    if written is not None and written.ratio:
        actual, normal = written.ratio
        counts = [
            f"<actual-notes>{actual}</actual-notes>",
            f"<normal-notes>{normal}</normal-notes>",
        ]
        yield _nested("time-modification", counts, manner)
    if manner.stem is not None:
        yield f"<stem>{manner.stem}</stem>"


def _notations(piece: Piece, manner: Manner, old: Place | None) -> Iterator[str]:
    for kind in _ties(piece):
        yield f'<tied type="{kind}"/>'
    if old is not None:
        yield from _marks(old, LASTING)
    last = manner.ending(piece.end)
    if last is not None:
        yield from _marks(last, FERMATAS)


def _marks(place: Place, tags: Sequence[str]) -> Iterator[str]:
    """Marks of a note that is replaced, without the white space around them."""
    for notations in place.child.element.iterfind("notations"):
        for mark in notations:
            if mark.tag in tags:
                yield ET.tostring(mark, encoding="unicode").strip()


def _same(place: Place, tags: Sequence[str], manner: Manner) -> Iterator[str]:
    """Children of a note of the file as they stand there."""
    for tag in tags:
        yield from (manner.raw(child) for child in place.child.inner if child.tag == tag)


def _nested(tag: str, children: Sequence[str], manner: Manner) -> str:
    inner = "".join(f"{manner.inside}{manner.step}{child}" for child in children)
    return f"<{tag}>{inner}{manner.inside}</{tag}>"
