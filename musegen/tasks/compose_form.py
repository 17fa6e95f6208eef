"""Compose by any form, in the texture that its template names, from one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

import musegen
from musegen.emotion import mood_of
from musegen.errors import OptionError
from musegen.io.midi import program_of
from musegen.originality import MOST_NOTES
from musegen.plan.form_schema import CHORALE, DYNAMICS, FORM_TEXTURES, IMITATION
from musegen.plan.template import Template, load_template
from musegen.provenance import RHYTHMS, WEIGHTS, file_sum
from musegen.score import Direction, Note, Score
from musegen.tasks.compose import Request, draw_key
from musegen.tasks.form import Character, FormDraft, compose_form
from musegen.tasks.writing import Options
from musegen.textures.expression import expressed
from musegen.textures.playing import played
from theory_kb.pitch import Key

__all__ = [
    "FormRequest",
    "FormWork",
    "as_played",
    "coloured",
    "form_work",
    "home_of",
    "in_mood",
    "is_chorale",
    "is_woven",
    "parted",
    "provenance_of",
    "template_of",
]

PLAIN, EXPRESSIVE = "plain", "expressive"
SURFACE_STYLE = "pop"  # rules of tunes over chords, whole or broken


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRequest(Request):
    """What is asked for, beyond the options of a chorale; the same request gives the same bytes."""

    theme: tuple[Note, ...] = ()  # the beginning of the first theme
    character: Character = field(default_factory=Character)
    choices: tuple[str, ...] = ()  # what emotion chose, in words
    tempo: float | None = None  # quarter notes a minute; None takes the template's
    mode: str | None = None  # of the home key, where the key is open
    feeling: str = ""  # name of the emotion, for the folder
    dynamics: str = ""  # where the piece begins; empty: as the template says
    words: str = ""  # how it is to be played
    expression: bool | None = None  # whether it is marked and played with it; None: tunes are
    program: int | None = None  # General MIDI instrument, from 0; None: as the texture says
    most_overlap: int | None = MOST_NOTES  # in a row that stand in the training corpus; None: any

    @property
    def playing(self) -> str:
        """How it is played where that is not the usual way, for the folder."""
        if self.program is not None:
            return f"program-{self.program + 1}"
        return {None: "", True: EXPRESSIVE, False: PLAIN}[self.expression]


@dataclass(frozen=True, slots=True)
class FormWork:
    """A piece by a form with every decision on the way."""

    request: FormRequest
    drawn: FormDraft
    score: Score
    surface_style: str
    choices: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def template_of(request: FormRequest) -> Template:
    """The template of a request, its settings in place.

    Raises:
        UnknownNameError: form, metre or parameter that does not exist.
        FactError: a template that is wrong.
        OptionError: a setting that is not allowed.
    """
    return load_template(request.form, metre=request.metre, settings=request.settings)


def parted(
    settings: Mapping[str, str], *, key: str | None = None, metre: str | None = None
) -> dict[str, Any]:
    """Settings, key and metre as fields of a request; a key or metre among the settings holds."""
    rest = dict(settings)
    return {"key": rest.pop("key", key), "metre": rest.pop("metre", metre), "settings": rest}


def as_played(play: str | None) -> dict[str, Any]:
    """How a piece is played, as fields of a request.

    Args:
        play: `plain`, `expressive`, or an instrument of General MIDI by its name or its number from
            1, which is played with expression; None: tunes are expressive, four voices plain.

    Raises:
        OptionError: it is none of these.
    """
    if play in (None, PLAIN, EXPRESSIVE):
        return {"expression": None if play is None else play == EXPRESSIVE}
    return {"expression": True, "program": program_of(str(play))}


def is_chorale(request: FormRequest) -> bool:
    """Whether the texture is that of four voices in one rhythm, which `musegen.tasks.compose` writes."""
    return template_of(request).texture == CHORALE


def is_woven(request: FormRequest) -> bool:
    """Whether the form has a technique that `musegen.tasks.compose_woven` writes."""
    return template_of(request).technique not in ("", IMITATION)


def in_mood(
    emotion: str | None = None,
    *,
    valence: float | None = None,
    arousal: float | None = None,
    settings: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What an emotion chooses, as fields of a request; a tempo or dynamics that is set stays.

    Raises:
        UnknownNameError: an emotion that is in no table.
        OptionError: see `musegen.emotion.mood_of`.
    """
    mood = mood_of(emotion, valence=valence, arousal=arousal)
    asked = settings or {}
    name = emotion or f"valence {valence or 0:g} arousal {arousal or 0:g}"
    return {
        "mode": asked.get("mode", mood.mode),
        "tempo": None if "tempo" in asked else mood.tempo,
        "dynamics": "" if "dynamics" in asked else mood.dynamics,
        "words": mood.words,
        "character": mood.character,
        "choices": mood.facts,
        "feeling": name.replace(" ", "-"),
    }


def form_work(request: FormRequest) -> FormWork:
    """Compose one piece.

    Args:
        request: what is asked for. The lower voices are searched by cost alone: no model takes part.

    Raises:
        UnknownNameError: form, metre, parameter or texture that does not exist.
        FactError: a template that is wrong.
        OptionError: a setting that is not allowed, or a texture of four voices.
        InfeasibleError: the rules leave no piece; names the place.
    """
    template = template_of(request)
    if template.texture == CHORALE:
        allowed = ", ".join(each for each in FORM_TEXTURES if each != CHORALE)
        raise OptionError("texture", CHORALE, f"one of {allowed}; four voices are another task")
    if is_woven(request):
        raise OptionError("technique", template.technique, "none: lines are woven by another task")
    rng = np.random.default_rng(request.seed)
    home = home_of(request, template, rng)
    tempo = request.tempo or template.tempo
    options = Options(seed=request.seed, models=(), temperature=0.0, figures=False)
    drawn = compose_form(
        replace(template, tempo=tempo),
        home,
        options,
        character=request.character,
        theme=request.theme,
    )
    score = played(drawn.draft.score, drawn.layout, drawn.draft.plan, drawn.draft.skeleton)
    score = replace(score, tempo=tempo, directions=coloured(score.directions, request))
    if request.expression is not False:
        score = expressed(score, words=request.words, program=request.program)
    provenance = provenance_of(request, template, home)
    return FormWork(request, drawn, score, SURFACE_STYLE, request.choices, provenance)


def coloured(directions: Sequence[Direction], request: FormRequest) -> tuple[Direction, ...]:
    """Directions with the loudness and the words of an emotion: all marks louder or softer alike."""
    marks = [each for each in directions if each.kind == "dynamics"]
    if not request.dynamics or not marks:
        return tuple(directions)
    shift = DYNAMICS.index(request.dynamics) - DYNAMICS.index(marks[0].text)
    last = len(DYNAMICS) - 1
    found = [
        replace(each, text=DYNAMICS[min(last, max(0, DYNAMICS.index(each.text) + shift))])
        if each.kind == "dynamics"
        else each
        for each in directions
        if each.kind != "words" or not request.words
    ]
    words = [Direction(Fraction(0), "words", request.words)] if request.words else []
    return (*words, *found)


def home_of(request: FormRequest, template: Template, rng: np.random.Generator) -> Key:
    """The key that is asked for, or one that is drawn in the mode that fits."""
    if request.key is not None:
        return Key.parse(request.key)
    drawn = draw_key(rng)
    wanted = template.mode or request.mode or drawn.mode
    return drawn if drawn.mode == wanted else drawn.relative


def provenance_of(request: FormRequest, template: Template, home: Key) -> dict[str, Any]:
    """Where a piece comes from: all that is needed to make it again."""
    return {
        "musegen": musegen.__version__,
        "task": "compose",
        "form": request.form,
        "template": template.id,
        "metre": template.metre,
        "key": home.name,
        "seed": request.seed,
        "parameters": {name: str(value) for name, value in sorted(template.parameters.items())},
        "theme": [[str(note.onset), str(note.duration), note.pitch.name] for note in request.theme],
        "feeling": request.feeling,
        "play": request.playing or EXPRESSIVE,
        "rhythms": "counted on folk songs and dance tunes that come with music21",
        "counted": {RHYTHMS: file_sum(WEIGHTS / RHYTHMS)},
        "models": "none",
    }
