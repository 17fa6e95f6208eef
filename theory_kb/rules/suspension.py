"""Rules on suspensions: preparation, resolution, metre, figures, doubling, chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from theory_kb.moment import REST
from theory_kb.rules.dissonance import (
    FREE,
    ORNAMENT_NOTES,
    SUSPENSIONS,
    NonChordTone,
    non_chord_tones,
)
from theory_kb.rules.engine import piece_rule
from theory_kb.rules.piece import LineNote, Offence, Piece, line_notes

__all__: list[str] = []

RETARDATION = "nct-retardation"
ABOVE = {2: "9-8", 4: "4-3", 7: "7-6", 6: "6-5"}  # number above the bass: figure
BELOW = {2: "2-3", 4: "4-5", 5: "5-6"}  # number of an upper voice above a suspended bass
NO_FIGURE = ((0, 0), (2, 3), (2, 4), (4, 7))  # consonant with the bass: it clashes elsewhere
RARE = ("6-5", "2-1", "4-5", "5-6")
CHAINED = ("7-6", "2-3")
SHORTEST_CHAIN = 3  # two suspensions that follow one another are no chain yet
NINTH, SEVENTH = 8, 6  # staff steps
SUSPENDING_SPECIES = (4, 5)


def _suspensions(piece: Piece) -> Iterator[NonChordTone]:
    return (tone for tone in non_chord_tones(piece) if tone.kind in SUSPENSIONS)


def _bass(piece: Piece) -> int:
    return len(piece.voices) - 1


def _steps_above(piece: Piece, tone: NonChordTone, voice: int) -> int | None:
    """Staff steps from a voice up to a tone when it becomes dissonant, None over a rest."""
    if piece.surface["semitone"][tone.moment, voice] == REST:
        return None
    return tone.tone.step - int(piece.surface["step"][tone.moment, voice])


@piece_rule()
def suspension_preparation(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A suspension or retardation holds on to a note that was dissonant already."""
    for tone in non_chord_tones(piece):
        if tone.kind in (*SUSPENSIONS, RETARDATION) and not tone.prepared:
            yield Offence(tone.moment, (tone.voice,))


@piece_rule()
def suspension_resolution(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A dissonance held onto an accent does not fall by step."""
    for tone in non_chord_tones(piece):
        if not tone.held or not tone.accented:
            continue
        if tone.kind == FREE or (tone.kind == RETARDATION and not _is_seven_eight(piece, tone)):
            yield Offence(tone.moment, (tone.voice,))


def _is_seven_eight(piece: Piece, tone: NonChordTone) -> bool:
    """Whether a retardation rises from the seventh above the bass to the octave."""
    steps = _steps_above(piece, tone, _bass(piece))
    return tone.voice != _bass(piece) and steps is not None and steps % 7 == SEVENTH


@piece_rule()
def suspension_metre(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A suspension is on no stronger place than its resolution."""
    strengths = piece.surface["strength"]
    for tone in non_chord_tones(piece):
        if tone.kind in (*SUSPENSIONS, RETARDATION) and tone.resolution is not None:
            if strengths[tone.moment] <= strengths[tone.resolution]:
                yield Offence(tone.moment, (tone.voice,))


@piece_rule("shortest")
def suspension_rhythm(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """The preparation of a suspension is shorter than a part of its dissonance."""
    species = piece.context.species
    for tone in _suspensions(piece):
        if species and species.get(tone.voice) not in SUSPENDING_SPECIES:
            continue
        if tone.prepared and tone.preparation < p["shortest"] * tone.ticks:
            yield Offence(tone.moment, (tone.voice,))


# ----------------------------------------------------------------------------------- figures


@piece_rule("rare_allowed")
def suspension_figure(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A suspension resolves by a figure that is not in use, such as 7-8 below."""
    for tone in _suspensions(piece):
        found = _figures(piece, tone)
        bad = [figure for figure, used in found.items() if not used]
        bad += [figure for figure in found if figure in RARE and not p["rare_allowed"]]
        if bad:
            yield Offence(tone.moment, (tone.voice,), {"figure": bad[0]})


def _figures(piece: Piece, tone: NonChordTone) -> dict[str, bool]:
    """The figures that a suspension makes with the bass, or as the bass, and which are in use."""
    if tone.voice == _bass(piece):
        return _figures_below(piece, tone)
    steps = _steps_above(piece, tone, _bass(piece))
    if steps is None:
        return {}
    semitones = tone.tone.semitone - int(piece.surface["semitone"][tone.moment, _bass(piece)])
    if (steps % 7, semitones % 12) in NO_FIGURE:
        return {}
    if steps == 1:
        return {"2-1": True}
    number = steps % 7 + 1
    return {ABOVE.get(number, f"{number}-{number - 1 or 7}"): number in ABOVE}


def _figures_below(piece: Piece, tone: NonChordTone) -> dict[str, bool]:
    found = {}
    for voice in range(_bass(piece)):
        steps = _steps_above(piece, tone, voice)
        number = None if steps is None else -steps % 7 + 1
        if number in (2, 4, 5, 7):
            found[BELOW.get(number, "7-8")] = number in BELOW
    if "2-3" in found:  # a fourth or fifth above the bass is no agent beside a second
        found = {name: used for name, used in found.items() if name in ("2-3", "7-8")}
    return found


@piece_rule()
def suspension_note_doubled(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """Another voice sounds the note that a suspension resolves to."""
    for tone in _suspensions(piece):
        following = (tone.near(places) for places in range(1, ORNAMENT_NOTES + 1))
        goal = next((note for note in following if note and note.start == tone.resolution), None)
        if goal is None:
            continue
        for voice in range(len(piece.voices)):
            if voice != tone.voice and _doubles(piece, tone, goal, voice):
                yield Offence(tone.moment, (min(voice, tone.voice), max(voice, tone.voice)))
                break


def _doubles(piece: Piece, tone: NonChordTone, goal: LineNote, voice: int) -> bool:
    """Whether a voice may not sound what it sounds when a tone is suspended above that note."""
    surface = piece.surface
    semitone = int(surface["semitone"][tone.moment, voice])
    step = int(surface["step"][tone.moment, voice])
    if semitone == REST or (goal.step - step) % 7 or (goal.semitone - semitone) % 12:
        return False
    if voice == _bass(piece):
        is_root = surface["member"][tone.moment, voice] == 0
        return not (is_root and tone.tone.step - step >= NINTH)
    return voice == 0 or not _passes(piece, voice, tone.moment)


def _passes(piece: Piece, voice: int, moment: int) -> bool:
    """Whether a voice goes by step one way through the note that it holds at a moment."""
    notes = line_notes(piece, voice)
    place = next(index for index, note in enumerate(notes) if note.start <= moment < note.stop)
    if not 0 < place < len(notes) - 1:
        return False
    before, now, after = notes[place - 1 : place + 2]
    return (
        before.stop == now.start
        and abs(now.step - before.step) == 1
        and (now.stop == after.start and after.step - now.step == now.step - before.step)
    )


# ------------------------------------------------------------------------------------- chains


@piece_rule("longest")
def suspension_chain(piece: Piece, p: Mapping[str, float]) -> Iterator[Offence]:
    """A chain of suspensions changes its figure, has another than 7-6 or 2-3, or is too long."""
    for chain in _chains(piece):
        figures = [next(iter(_figures(piece, tone)), "") for tone in chain]
        for place, (tone, figure) in enumerate(zip(chain, figures, strict=True)):
            if figure not in CHAINED or figure != figures[0] or place >= p["longest"]:
                yield Offence(tone.moment, (tone.voice,), {"figures": ", ".join(figures)})
                break


def _chains(piece: Piece) -> Iterator[list[NonChordTone]]:
    """Suspensions of which each resolves to the preparation of the next."""
    chain: list[NonChordTone] = []
    for tone in _suspensions(piece):
        linked = chain and chain[-1].voice == tone.voice
        if not linked or chain[-1].resolution != tone.tone.start:
            if len(chain) >= SHORTEST_CHAIN:
                yield chain
            chain = []
        chain.append(tone)
    if len(chain) >= SHORTEST_CHAIN:
        yield chain
