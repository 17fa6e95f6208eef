"""Compose all forms with seeds 0, 1, 2 ... and judge what was written, not what was planned.

    python benchmarks/forms.py --seeds 25 --results forms.jsonl

Each piece is composed by the public functions, written to MusicXML, read back and analysed with no
more than the file says. The template is asked only what it promises. One line a form:

- composed: pieces that were written, of those asked for.
- E: pieces with a finding of severity E in their style.
- bars: pieces with as many bars as the template has.
- keys: closes that are heard in a key which the template allows there (the home key is the written one).
- closes: closes at which a cadence of a kind is heard that the template allows; sections whose chords the
  template states (loops) are left out. `ends` are those at which the analysis ends a phrase at all.
- returns: phrases that repeat or return, of a similarity of 0.9 or more to the first of their theme (two
  bars, `musegen.motive.similarity`), and the least similarity.
- contrasts: sections that contrast, of a similarity under 0.5 to the beginning of every other theme before
  them, and the greatest similarity.
- seconds: CPU time to compose a piece, median and longest; those of the longest for 32 bars.
- MB: greatest memory of the process so far; a form has a process of its own.

A piece is kept in the results file as soon as it is there; run it again and it goes on with what is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

    from musegen.analysis.result import Analysis
    from musegen.plan.template import Section, Template
    from musegen.score import Score
    from theory_kb.pitch import Key

SAME = {"repeat", "return"}
ALIKE, UNLIKE = 0.9, 0.5  # similarity of what returns at least, of what contrasts at most
IDEA = 2  # bars by which a theme is known
HEARD_AS = {
    "cad-dominant-arrival": ("cad-hc", "cad-phrygian"),
    "cad-hc": ("cad-hc", "cad-phrygian"),
}
FULL = 32  # bars of the piece that the time is told for


@dataclass(frozen=True)
class Outcome:
    """What came of one form and seed."""

    form: str
    seed: int
    refused: str = ""  # why there is no piece
    errors: tuple[str, ...] = ()  # rules of the findings of severity E
    bars: tuple[int, int] = (0, 0)  # of the template, of the score
    keys: tuple[tuple[str, str, str], ...] = ()  # closes: section, allowed, heard
    closes: tuple[tuple[str, str, str], ...] = ()  # the same by kind; heard is empty without an end
    returns: tuple[tuple[str, float], ...] = ()  # section, similarity
    contrasts: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    memory: float = 0.0  # MB


@dataclass(frozen=True)
class Place:
    """A unit of a form where it stands in the score."""

    section: Section
    start: Fraction  # quarter notes; units count from an upbeat, where there is one
    end: Fraction


@dataclass(frozen=True)
class Judged:
    """A score, what is heard in it, and where the template's units stand."""

    score: Score
    heard: Analysis
    places: list[Place] = field(default_factory=list)


def compose_one(form: str, seed: int) -> Outcome:
    """Compose a form with a seed and reduce it to what is counted."""
    import resource
    import time

    import musegen
    from musegen.errors import MusegenError
    from musegen.plan.form_schema import CHORALE
    from musegen.plan.template import load_template

    template = load_template(form)
    compose: Callable[..., Any] = (
        musegen.compose if template.texture == CHORALE else musegen.compose_form
    )
    started = time.process_time()
    try:
        piece = compose(form=form, seed=seed)
        written = piece.musicxml
    except MusegenError as error:
        return Outcome(form, seed, refused=str(error), seconds=time.process_time() - started)
    seconds = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    errors = tuple(each.rule for each in piece.findings if each.severity == "E")
    judged = _judged(written, template)
    return Outcome(
        form,
        seed,
        "",
        errors,
        (template.bars, _bars(judged.score)),
        tuple(_keys(judged)),
        tuple(_closes(judged)),
        tuple(_returns(judged)),
        tuple(_contrasts(judged)),
        round(seconds, 2),
        round(memory, 1),
    )


# --- judging --------------------------------------------------------------------------------


def _judged(written: bytes, template: Template) -> Judged:
    """The score as it is read back from its file, and analysed."""
    from musegen.analysis.analyse import analyse
    from musegen.io.musicxml_reading import read_sheet_text

    score = read_sheet_text(written, template.id).score
    length = score.metre.bar
    places, bar = [], 0
    for unit in template.units:
        end = bar + unit.bars
        places.append(Place(unit, bar * length, end * length))
        bar = end
    return Judged(score, analyse(score), places)


def _bars(score: Score) -> int:
    """Full bars of a score, an upbeat and the bar that it is taken from as one."""
    bar, _ = score.bar_and_beat(score.duration)
    whole = (score.duration - score.upbeat) % score.metre.bar == 0
    return bar - whole


def _planned(judged: Judged) -> Iterator[Place]:
    """The units that close with a cadence which the template does not itself state in chords."""
    from musegen.plan.form_schema import TEXT_CADENCES

    for place in judged.places:
        if place.section.ends_phrase and not set(place.section.close) & set(TEXT_CADENCES):
            yield place


def _keys(judged: Judged) -> Iterator[tuple[str, str, str]]:
    """The key that is heard in the last chord of each close."""
    home = judged.score.key
    for place in _planned(judged):
        last = [each for each in judged.heard.chords if each.onset < place.end][-1]
        allowed = [_relative(home, roman) for roman in place.section.keys[home.mode]]
        yield place.section.id, "|".join(allowed), last.key.name


def _relative(home: Key, roman: str) -> str:
    from musegen.plan.template import relative_key

    return relative_key(home, roman).name


def _closes(judged: Judged) -> Iterator[tuple[str, str, str]]:
    """The cadence that is heard in the last bar of each close."""
    bar = judged.score.metre.bar
    for place in _planned(judged):
        inside = [
            each for each in judged.heard.cadences if place.end - bar <= each.onset < place.end
        ]
        kinds = [kind for each in place.section.close for kind in HEARD_AS.get(each, (each,))]
        heard = (inside[-1].kind or "other") if inside else ""
        yield place.section.id, "|".join(dict.fromkeys(kinds)), heard


def _motive(judged: Judged, place: Place) -> Any:
    from musegen.motive import Motive

    end = place.start + IDEA * judged.score.metre.bar
    notes = judged.score.parts[0].notes
    return Motive.of([note for note in notes if place.start <= note.onset < min(end, place.end)])


def _returns(judged: Judged) -> Iterator[tuple[str, float]]:
    """How like each phrase that returns is to the first of its theme."""
    from musegen.motive import similarity

    first: dict[str, Place] = {}
    for place in judged.places:
        model = first.setdefault(place.section.theme, place)
        if model is not place and set(place.section.relations) & SAME:
            alike = similarity(_motive(judged, place), _motive(judged, model))
            yield place.section.id, round(alike, 3)


def _contrasts(judged: Judged) -> Iterator[tuple[str, float]]:
    """How like each contrasting section is to the theme before it that it is most like."""
    from musegen.motive import similarity

    heads: dict[str, Place] = {}
    for place in judged.places:
        section = place.section
        if "." in section.theme or section.theme in heads:
            continue
        if "contrast" in section.relations and heads:
            own = _motive(judged, place)
            most = max(similarity(own, _motive(judged, each)) for each in heads.values())
            yield section.id, round(most, 3)
        heads[section.theme] = place


# --- running --------------------------------------------------------------------------------


def known(path: Path) -> dict[tuple[str, int], Outcome]:
    """The outcomes that a results file has already."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [_outcome(json.loads(line)) for line in lines if line]
    return {(each.form, each.seed): each for each in found}


def _outcome(record: dict[str, Any]) -> Outcome:
    lists = {name: tuple(value) for name, value in record.items() if isinstance(value, list)}
    nested = {
        name: tuple(tuple(each) for each in record[name])
        for name in ("keys", "closes", "returns", "contrasts")
    }
    return Outcome(**{**record, **lists, **nested})


def run(forms: Sequence[str], seeds: range, path: Path, jobs: int) -> list[Outcome]:
    """Outcomes of all pieces in order; those that the file lacks are composed and added to it."""
    have = known(path)
    for form in forms:
        missing = [seed for seed in seeds if (form, seed) not in have]
        if not missing:
            continue
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(compose_one, form, seed) for seed in missing]):
                each = done.result()
                have[form, each.seed] = each
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(each), ensure_ascii=False) + "\n")
        print(line(form, [have[form, seed] for seed in seeds]), file=sys.stderr, flush=True)
    return [have[form, seed] for form in forms for seed in seeds]


# --- telling --------------------------------------------------------------------------------


def line(form: str, found: Sequence[Outcome]) -> str:
    """One line of the table."""
    made = [each for each in found if not each.refused]
    if not made:
        return f"| {form} | 0 of {len(found)} | | | | | | | | | |"
    keys = [heard in allowed.split("|") for each in made for _, allowed, heard in each.keys]
    closes = [(allowed.split("|"), heard) for each in made for _, allowed, heard in each.closes]
    returns = [alike for each in made for _, alike in each.returns]
    contrasts = [alike for each in made for _, alike in each.contrasts]
    seconds = [each.seconds for each in made]
    longest = max(made, key=lambda each: each.seconds)
    cells = (
        form,
        f"{len(made)} of {len(found)}",
        f"{sum(bool(each.errors) for each in made)}",
        f"{sum(each.bars[0] == each.bars[1] for each in made)}",
        _share(sum(keys), len(keys)),
        _share(sum(bool(heard) for _, heard in closes), len(closes)),
        _share(sum(heard in allowed for allowed, heard in closes), len(closes)),
        _alike(returns, min, ALIKE, above=True),
        _alike(contrasts, max, UNLIKE, above=False),
        f"{median(seconds):.1f}, {longest.seconds:.1f} ({longest.seconds * FULL / longest.bars[0]:.1f})",
        f"{max(each.memory for each in made):.0f}",
    )
    return f"| {' | '.join(cells)} |"


HEAD = "| form | composed | E | bars | keys | ends | closes | returns | contrasts | seconds | MB |"


def _share(count: int, total: int) -> str:
    return f"{count} of {total}" if total else "none"


def _alike(
    found: Sequence[float], worst: Callable[..., float], limit: float, *, above: bool
) -> str:
    if not found:
        return "none"
    kept = sum((each >= limit) if above else (each < limit) for each in found)
    return f"{kept} of {len(found)}, {worst(found):.2f}"


def faults(found: Sequence[Outcome]) -> Iterator[str]:
    """What is not as it should be, form by form and place by place, the most frequent first."""
    seen: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    for each in found:
        for told in _told(each):
            seen[told] += 1
            examples.setdefault(told, []).append(each.seed)
    for told, count in seen.most_common():
        yield f"{count:4d}  {told} (seed {', '.join(map(str, sorted(set(examples[told]))[:5]))})"


def _told(each: Outcome) -> Iterator[str]:
    form = each.form
    if each.refused:
        yield f"{form}: refused: {each.refused}"
        return
    yield from (f"{form}: E {rule}" for rule in set(each.errors))
    if each.bars[0] != each.bars[1]:
        yield f"{form}: {each.bars[1]} bars, not {each.bars[0]}"
    for place, allowed, heard in each.keys:
        if heard not in allowed.split("|"):
            yield f"{form}, {place}: another key is heard"
    for place, allowed, heard in each.closes:
        if heard not in allowed.split("|"):
            yield f"{form}, {place}: {heard or 'no phrase end'}, not {allowed}"
    yield from (f"{form}, {place}: too little like" for place, x in each.returns if x < ALIKE)
    yield from (f"{form}, {place}: too like" for place, x in each.contrasts if x >= UNLIKE)


def main() -> int:
    """Print the table; exit 1 if a piece was refused or has an error."""
    from musegen.plan.template import template_names

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forms", default="", help="names with commas between; all if left out")
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--results", type=Path, default=Path("forms.jsonl"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--faults", action="store_true", help="name the places after the table")
    options = parser.parse_args()
    forms = options.forms.split(",") if options.forms else list(template_names())
    found = run(forms, range(options.seeds), options.results, options.jobs)
    print(HEAD)
    print("|" + "---|" * HEAD.count(" | ") + "---|")
    for form in forms:
        print(line(form, [each for each in found if each.form == form]))
    print(line("all", found))
    if options.faults:
        print()
        print("\n".join(faults(found)))
    return int(any(each.refused or each.errors for each in found))


if __name__ == "__main__":
    sys.exit(main())
