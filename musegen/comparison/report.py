"""The report of a comparison: one page with tables, figures and scores that needs no network.

Beside the page stand the same tables as CSV, all of them as JSON, and the pieces as MIDI.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from importlib import resources
from pathlib import Path

from musegen.comparison.bootstrap import Interval
from musegen.comparison.generated import HELD_OUT, PieceSet, generated_tables, piece_sets
from musegen.comparison.measures import Measures
from musegen.comparison.plots import Axis, bars, curves
from musegen.comparison.published import published
from musegen.comparison.roll_set import RollSet
from musegen.comparison.run import Compared
from musegen.comparison.scores import score_of
from musegen.comparison.tables import (
    Cell,
    Table,
    as_csv,
    as_record,
    calibration_table,
    cost_table,
    difference_table,
    likelihood_table,
    loss_tables,
)
from musegen.errors import ScoreError
from musegen.io.engraving import engrave
from musegen.io.files import write_file
from musegen.io.midi import write_midi
from musegen.io.musicxml import write_musicxml
from musegen.models.rolls import Roll
from musegen.score import Score

__all__ = ["Written", "cell_text", "write_report"]

SHOWN = 1  # pieces of each set that are engraved
EXCERPT = 32  # quarter notes of them
PLACE = re.compile(r"<!-- (\w+) -->")
VALID = (
    "valid",
    "nats a frame",
    "nats a symbol",
    "difference of rates",
)  # of progress, as reported
DIGITS = 3

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report went, and its main tables."""

    page: Path
    likelihoods: tuple[Table, ...]


def write_report(
    compared: Compared,
    folder: Path,
    *,
    command: str,
    more: Sequence[Table] = (),
    progress: Told | None = None,
) -> Written:
    """Work out all tables and write them as HTML, CSV, JSON and MIDI.

    Args:
        compared: figures of all models.
        folder: of the files.
        command: that was given, for the page.
        more: tables that were made elsewhere, shown after the likelihoods.
        progress: told of groups of tables done and of all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    sets, data = piece_sets(compared), _judged_data(compared)
    by_name = {each.name: each for each in reversed(data)}  # the first split of each
    likelihoods = (
        *(likelihood_table(compared, each) for each in reversed(by_name.values())),
        *more,
    )
    pieces = generated_tables(sets, data[0], progress=progress)
    found = (*likelihoods, *_model_tables(compared, data), *pieces, cost_table(compared))
    tables = tuple(each for each in found if each.rows)
    shown = [(each, roll) for each in sets for roll in each.rolls[:SHOWN]]
    page = _page(compared, tables, shown, command)
    for table in tables:
        write_file(folder / f"{table.name}.csv", as_csv(table).encode())
    write_file(folder / "report.json", _record(compared, tables, command).encode())
    for each in sets:
        if each.name != HELD_OUT:  # that is not ours to give away
            _write_midi(folder / "midi", each)
    write_file(folder / "report.html", page.encode())
    return Written(folder / "report.html", likelihoods)


def _judged_data(compared: Compared) -> tuple[RollSet, ...]:
    """The data sets on which some model was judged."""
    return tuple(each for each in compared.asked.data if compared.of(each))


def _model_tables(compared: Compared, data: Sequence[RollSet]) -> tuple[Table, ...]:
    """What tells models apart, and where they lose."""
    return (
        *(difference_table(compared, each) for each in data),
        *loss_tables(compared, data[0]),
        calibration_table(compared, data[0]),
    )


def _record(compared: Compared, tables: Sequence[Table], command: str) -> str:
    record = {
        "command": command,
        "data": [
            {"name": each.name, "split": each.split, "checksum": each.checksum}
            for each in compared.asked.data
        ],
        "seeds": compared.asked.seeds,
        "failures": [asdict(each) for each in compared.failures],
        "tables": {each.name: as_record(each) for each in tables},
        "published": [asdict(each) for each in published()],
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _write_midi(folder: Path, of: PieceSet) -> None:
    """The set's pieces, but for those that no score can hold."""
    for number, roll in enumerate(of.rolls, 1):
        data = _midi(roll)
        if data is not None:
            write_file(folder / f"{_slug(of.name)}-{number:02}.mid", data)


def _midi(roll: Roll) -> bytes | None:
    try:
        return write_midi(score_of(roll, roll.name))
    except ScoreError:
        return None


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-")


# --- the page -------------------------------------------------------------------------------


def _page(
    compared: Compared,
    tables: Sequence[Table],
    shown: Sequence[tuple[PieceSet, Roll]],
    command: str,
) -> str:
    page, style = (
        (resources.files(package) / name).read_text(encoding="utf-8")
        for package, name in (
            ("musegen.comparison", "report.html"),
            ("musegen.io", "page.css"),
        )
    )
    main = _judged_data(compared)[0]
    figures = _figures(compared, main)
    parts = {
        "title": escape(f"Models of rolls compared: {main.title}"),
        "style": f"\n{style}",
        "command": escape(command),
        "about": _about(compared),
        "tables": "\n".join(_section(each, figures.get(each.name, "")) for each in tables),
        "curves": figures["curves"],
        "pieces": "\n".join(_piece(of, roll) for of, roll in shown),
        "published": _published(main.name),
    }
    return PLACE.sub(lambda match: parts[match[1]], page)


def _about(compared: Compared) -> str:
    rows = []
    for data in compared.asked.data:
        rows += [
            (f"{data.name}, {data.split} split", f"{data.title}; {_counts(data)}"),
            ("checksum, licence", f"{data.checksum}; {data.licence}"),
        ]
    rows.append(("seeds", ", ".join(map(str, compared.asked.seeds))))
    rows += [
        (f"failed: {each.model}", f"{each.data}, {each.split} split: {each.problem}")
        for each in compared.failures
    ]
    return "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in rows
    )


def _counts(data: RollSet) -> str:
    return ", ".join(
        f"{name} {len(rolls)} pieces, {sum(len(roll.frames) for roll in rolls)} frames"
        for name, rolls in data.splits.items()
    )


def _section(table: Table, figure: str) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(cell_text(cell))}</td>' for cell in row)}</tr>"
        for row in table.rows
    )
    return (
        f'<section id="{escape(table.name)}"><h2>{escape(table.title)}</h2>{notes}{figure}'
        f'<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div></section>'
    )


def cell_text(cell: Cell) -> str:
    """A cell as people read it: an interval in brackets after its value."""
    if cell is None:
        return "-"
    if isinstance(cell, Interval):
        return f"{cell_text(cell.value)} [{cell_text(cell.low)}, {cell_text(cell.high)}]"
    if isinstance(cell, float):
        return f"{cell:.{DIGITS}f}" if abs(cell) < 100 else f"{cell:.0f}"
    return str(cell)


# --- figures --------------------------------------------------------------------------------


def _figures(compared: Compared, main: RollSet) -> dict[str, str]:
    """Pictures by the table that they stand above; the learning curves by themselves."""
    found = compared.of(main)
    seed = compared.asked.seeds[0]
    firsts = {each.model: each for each in found if each.seed == seed}
    names = compared.asked.models
    found_figures = {"curves": _learning(firsts, names)}
    calibrated = {
        name: list(zip(of.calibration.promised, of.calibration.kept, strict=True))
        for name, of in firsts.items()
        if of.calibration is not None
    }
    if calibrated:
        axis = Axis("promised probability", "kept", names)
        found_figures["calibration"] = curves(calibrated, axis, diagonal=True)
    for kind, upward in (("ranks", "nats a note"), ("beats", "nats a frame")):
        groups = {
            name: {loss.name: loss.nats for loss in getattr(of, kind)}
            for name, of in firsts.items()
            if getattr(of, kind)
        }
        if groups:
            found_figures[kind] = bars(groups, Axis("", upward, names))
    return found_figures


def _learning(models: Mapping[str, Measures], names: tuple[str, ...]) -> str:
    """A picture for each quantity that trainings report, since they cannot stand on one axis."""
    by_kind: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, of in models.items():
        kind = next((each for each in VALID if of.history and each in of.history[0]), None)
        if kind is not None:
            points = [(float(at), float(state[kind])) for at, state in enumerate(of.history, 1)]
            by_kind.setdefault(kind, {})[name] = points
    titles = {"valid": "validation, nats a frame", "nats a frame": "validation, nats a frame"}
    return "\n".join(
        curves(lines, Axis("epoch, pass or round", titles.get(kind, kind), names))
        for kind, lines in by_kind.items()
    )


# --- pieces ---------------------------------------------------------------------------------


def _piece(of: PieceSet, roll: Roll) -> str:
    """An engraved excerpt with its notes to be heard and its file."""
    title = escape(f"{of.name}: {roll.name}")
    try:
        score = _beginning(score_of(roll, ""))
    except ScoreError as error:
        return f"<h3>{title}</h3><p>cannot be written as a score: {escape(str(error))}</p>"
    pages = "\n".join(engrave(write_musicxml(score)))
    notes = [
        [float(note.onset), note.pitch.semitone] for part in score.parts for note in part.notes
    ]
    midi = base64.b64encode(write_midi(score)).decode()
    link = f'<a download="{_slug(of.name)}.mid" href="data:audio/midi;base64,{midi}">MIDI</a>'
    button = f'<button type="button" data-notes="{escape(json.dumps(notes))}">play</button>'
    return f'<h3>{title}</h3><p>{button} {link}</p><div class="score">{pages}</div>'


def _beginning(score: Score) -> Score:
    """The first bars, in the key that the whole piece is in."""
    parts = (
        replace(part, notes=tuple(note for note in part.notes if note.onset < EXCERPT))
        for part in score.parts
    )
    return score.with_parts(tuple(part for part in parts if part.notes))


def _published(data: str) -> str:
    rows = "\n".join(
        f"<tr><td>{escape(each.model)}</td><td>{each.nats:g}</td><td>{escape(each.kind)}</td>"
        f"<td>{escape(each.convention)}</td><td>{escape(each.source)}</td></tr>"
        for each in published()
        if each.data == data
    )
    head = "<tr><th>model</th><th>nats a frame, test</th><th>kind</th><th>convention</th><th>source</th></tr>"
    return f"<table>{head}{rows}</table>" if rows else "<p>None for this data.</p>"
