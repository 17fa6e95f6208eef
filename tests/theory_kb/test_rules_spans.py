"""What the spans of chords tell: how a chord is left, what sounds in it, its neighbours."""

from __future__ import annotations

import numpy as np

from theory_kb.moment import LICENCES, NONE, UNSTEPPED, Moments
from theory_kb.rules.examples import read_piece
from theory_kb.rules.piece import Piece
from theory_kb.rules.spans import described

TEXT = (
    "key: C major | chords: I _ _ V _ I | time: 1/2 1/2 1 1/2 1/2 2 | marks: . . . . . b "
    "| S: C5 D5 E5 D5 B4 C5 | A: G4 _ _ G4 _ G4 | B: C3 _ _ G3 _ C3"
)


def skeletons(text: str) -> tuple[Piece, Moments, Moments]:
    """A described piece with its chords as they are entered and as they are left."""
    piece = described(read_piece(text))
    assert piece.harmonic is not None
    assert piece.closing is not None
    return piece, piece.harmonic, piece.closing


def test_a_chord_is_entered_on_its_first_tones_and_left_on_its_last() -> None:
    """C5-D5-E5 over I is entered on C and left on E; the passing D is neither."""
    _, entered, left = skeletons(TEXT)
    assert entered["semitone"][:, 0].tolist() == [72, 74, 72]
    assert left["semitone"][:, 0].tolist() == [76, 71, 72]
    assert left["member"][:, 0].tolist() == [1, 1, 0]


def test_members_heard_anywhere_in_a_span_are_known() -> None:
    """I sounds root, third and fifth; the V of two voices on G and D-B sounds all three as well."""
    _, entered, _ = skeletons(TEXT)
    assert entered["heard"].tolist() == [7, 7, 5]
    assert entered["florid"].tolist() == [1, 1, 0]


def test_an_arpeggio_within_a_beat_is_brief() -> None:
    """D-B in eighths is brief; C-E over two beats is not, and a note that stays is not."""
    _, entered, _ = skeletons(TEXT)
    assert entered["brief"][:, 0].tolist() == [0, 1, 0]
    assert entered["brief"][:, 1].tolist() == [0, 0, 0]


def test_neighbours_end_at_a_phrase_boundary() -> None:
    """Steps and roots lead from chord to chord, and not across the end of a phrase."""
    _, entered, _ = skeletons(TEXT)
    assert entered["entry"][:, 0].tolist() == [UNSTEPPED, -1, UNSTEPPED]
    assert entered["exit"][:, 2].tolist() == [4, UNSTEPPED, UNSTEPPED]
    assert entered["came_from"].tolist() == [NONE, 0, NONE]
    assert entered["goes_to"].tolist() == [1, NONE, NONE]


def test_what_is_declared_stands_in_every_moment() -> None:
    """Devices, doublings and hands are seen on the surface and on the chords."""
    declared = "devices: divisi | final: D | doublings: B S | hands: 2 | "
    piece, entered, _ = skeletons(declared + TEXT)
    for moments in (piece.surface, entered):
        assert set(moments["licences"].tolist()) == {LICENCES["divisi"] | LICENCES["modal"]}
        assert set(moments["doubles"][:, 2].tolist()) == {1}
        assert set(moments["hands"].tolist()) == {2}


def test_describing_changes_nothing_of_the_piece_given() -> None:
    """The piece is not written to, and describing twice is describing once."""
    piece = read_piece("devices: divisi | " + TEXT)
    assert piece.harmonic is not None
    surface, harmonic = piece.surface.copy(), piece.harmonic.copy()
    once = described(piece)
    assert described(once) is once
    assert np.array_equal(piece.surface, surface)
    assert np.array_equal(piece.harmonic, harmonic)
