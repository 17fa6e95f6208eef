"""musegen composes symbolic music under the laws of music theory.

    from musegen import compose
    piece = compose(form="chorale", key="D minor", seed=7)
    piece.save("my-chorale")

    from musegen import check_file
    report = check_file("exercise.musicxml", style="strict")
    print(report.counts, [finding.message for finding in report.findings])

    from musegen import analyse_file
    analysis = analyse_file("chorale.musicxml")
    print([(chord.key, chord.numeral, chord.probability) for chord in analysis.chords])

Importing this package is light: models, search and engraving are loaded by the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musegen.analysis.result import Analysis
    from musegen.form_result import FormPiece
    from musegen.report import CheckReport
    from musegen.result import Composition
    from musegen.woven_result import WovenPiece

__all__ = ["__version__", "analyse_file", "check_file", "compose", "compose_form"]

__version__ = "0.1.0"


def compose(  # noqa: PLR0913 - one keyword an option, each with a default
    form: str = "chorale",
    *,
    key: str | None = None,
    metre: str | None = None,
    seed: int = 0,
    style: str = "bach",
    models: tuple[str, ...] = ("hmm", "rbm", "lstm"),
    weights: Mapping[str, float] | None = None,
    width: int = 32,
    strategy: str = "beam",
    temperature: float = 1.3,
    top_k: int | None = None,
    top_p: float = 1.0,
    time_limit: float | None = None,
    play: str | None = None,
) -> Composition:
    """Compose a piece; the same arguments give the same bytes.

    Args:
        form: a form's name, or the path of a form template (TOML).
        key: such as `"D minor"` or `"Bb"`; None lets the seed choose.
        metre: one of the form's metres, such as `"3/4"`; None takes its first.
        seed: whole number from 0.
        style: a style's name, or the path of a style file (TOML).
        models: which proposers take part; an empty tuple leaves the rules alone.
        weights: weight of a model's log-scores, by name, over the defaults.
        width: hypotheses that the beam keeps.
        strategy: `"beam"`, `"exact"` (cheapest by the rules, models not asked) or `"sample"`.
        temperature: of the draw; 0 takes the best that the beam finds.
        top_k: candidates that a sample chooses among; None: all.
        top_p: share of probability that a sample chooses among.
        time_limit: seconds of search, in which beams widen; what is found then depends on the
            machine.
        play: `"plain"`, `"expressive"`, or an instrument of General MIDI, which is played with
            expression; None: plain.

    Returns:
        The piece: `score`, `findings`, `explanation`, `save(folder)`.

    Raises:
        MusegenError: an argument that is not allowed, or no piece under the hard rules.
    """
    from musegen.result import Composition
    from musegen.tasks.compose import Request, draft
    from musegen.tasks.compose_form import as_played

    how = as_played(play)
    request = Request(
        form=form,
        key=key,
        metre=metre,
        seed=seed,
        style=style,
        models=tuple(models),
        weights=dict(weights or {}),
        width=width,
        strategy=strategy,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        time_limit=time_limit,
    )
    return Composition(draft(request), bool(how["expression"]), how.get("program"))


def compose_form(  # noqa: PLR0913 - one keyword an option, each with a default
    form: str,
    *,
    key: str | None = None,
    metre: str | None = None,
    seed: int = 0,
    settings: Mapping[str, str] | None = None,
    theme: str | None = None,
    emotion: str | None = None,
    valence: float | None = None,
    arousal: float | None = None,
    play: str | None = None,
) -> FormPiece | WovenPiece:
    """Compose by a form, a tune above chords or lines that imitate; the same arguments, the same bytes.

    Args:
        form: a form's name, or the path of a form template (TOML); not one for four voices.
        key: such as `"D minor"` or `"Bb"`; None lets the seed choose.
        metre: one of the form's metres, such as `"3/4"`; None takes its first.
        seed: whole number from 0.
        settings: as text by name: parameters of the form, fields of its head, `bars`.
        theme: how the first theme begins, such as `"E4:q F4:e G4:e"`.
        emotion: name of an emotion that the knowledge base knows, such as `"tender"`.
        valence: from -1 to 1, in place of a name.
        arousal: from -1 to 1, in place of a name.
        play: `"plain"`, `"expressive"`, or an instrument of General MIDI, which is played with
            expression; None: expressive, by a piano.

    Returns:
        The piece: `score`, `findings`, `explanation`, `summary`, `save(folder)`.

    Raises:
        MusegenError: an argument that is not allowed, or no piece under the hard rules.
    """
    from musegen.form_result import FormPiece
    from musegen.motive import read_theme
    from musegen.tasks.compose_form import (
        FormRequest,
        as_played,
        form_work,
        in_mood,
        is_woven,
        parted,
    )

    felt = emotion is not None or valence is not None or arousal is not None
    mood = in_mood(emotion, valence=valence, arousal=arousal, settings=settings) if felt else {}
    request = FormRequest(
        form=form,
        seed=seed,
        theme=read_theme(theme) if theme is not None else (),
        **as_played(play),
        **parted(settings or {}, key=key, metre=metre),
        **mood,
    )
    if is_woven(request):
        from musegen.tasks.compose_woven import woven_work
        from musegen.woven_result import WovenPiece

        return WovenPiece(woven_work(request))
    return FormPiece(form_work(request))


def check_file(
    path: str | Path,
    *,
    style: str = "bach",
    harmony: bool | None = None,
    key: str | None = None,
    cantus: str | None = None,
    species: Mapping[str, int] | None = None,
    mode: str | None = None,
) -> CheckReport:
    """Check a score by the rules of a style.

    Args:
        path: a file of MusicXML, MIDI, Humdrum kern or ABC that holds one piece.
        style: a style's name, or the path of a style file (TOML).
        harmony: analyse the harmony; None does so where the piece is like a chorale in four parts.
        key: declared key, such as `"D minor"`.
        cantus: name of the voice that has the cantus firmus.
        species: species of the counterpoint, 1 to 5, by name of voice.
        mode: church mode on the last note of the cantus, `"major"` or `"minor"`.

    Returns:
        The report: `findings`, `skipped`, `counts`; a notebook shows it as coloured score.

    Raises:
        MusegenError: the file cannot be read or checked, holds several pieces, or an argument is
            not allowed.
    """
    from musegen.tasks.check import CheckOptions, check_single

    options = CheckOptions(str(style), harmony, key, cantus, dict(species or {}), mode)
    return check_single(Path(path), options).report


def analyse_file(path: str | Path, *, key: str | None = None) -> Analysis:
    """Analyse the harmony of the one piece of a score file.

    Args:
        path: MusicXML, MIDI, kern or ABC.
        key: home key, such as `"D minor"`; None estimates it.

    Returns:
        Keys, chords with probabilities, non-chord tones, cadences, phrases.

    Raises:
        MusegenError: the file cannot be read, holds several pieces or no notes, or the key is none.
    """
    from musegen.analysis.analyse import analyse
    from musegen.io.reading import read_piece
    from theory_kb.pitch import Key

    return analyse(read_piece(Path(path)), key=Key.parse(key) if key else None)
