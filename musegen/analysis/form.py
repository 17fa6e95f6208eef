"""A sketch of the form: which phrases and bars are made of which, and what theme or form that makes.

Phrases get letters; what repeats an earlier one keeps its letter, what varies, moves or turns it gets
a prime (Caplin, Classical Form, 1998, ch. 3-6). The relations are those that the rules on form know.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from string import ascii_lowercase

from musegen.analysis.places import bar_lines
from musegen.analysis.result import BarRelation, FormSketch, FoundCadence, Phrase, PhraseForm
from musegen.score import Score
from musegen.slices import ticks
from theory_kb.cadences import cadence_name
from theory_kb.catalogue import entry
from theory_kb.pitch import Key
from theory_kb.rules.material import (
    RECOGNISABLE,
    Span,
    Tune,
    moment_at,
    pitch_class,
    shared,
    tune_in,
)
from theory_kb.rules.piece import Piece
from theory_kb.rules.relation import Relation, relation

__all__ = ["form_sketch"]

FARTHEST = 200  # bars back that a model is looked for
SENTENCE = 6  # bars of a sentence at least
UNEVEN = 2  # bars by which the parts of a binary form may differ
HALF = ("cad-hc", "cad-phrygian")
FEWEST = 4  # notes of bars that are said to come again
KINDS = ("repeat", "sequence", "vary")  # of bars, the plainest first


def form_sketch(
    score: Score, seen: Piece, phrases: Sequence[Phrase], cadences: Sequence[FoundCadence]
) -> FormSketch:
    """The form of a score.

    Args:
        score: with its chords.
        seen: the score as the rules see it.
        phrases: in order.
        cadences: at the ends of phrases, in order.
    """
    bars = bar_lines(score)
    lettered = _lettered(seen, bars, phrases)
    told = tuple(_told(score, seen, each, cadences) for each in lettered)
    return FormSketch(lettered, tuple(_bars(seen, bars)), tuple(_forms(score, told)))


# --- phrases --------------------------------------------------------------------------------


def _lettered(
    seen: Piece, bars: Sequence[tuple[int, Fraction]], phrases: Sequence[Phrase]
) -> tuple[PhraseForm, ...]:
    found: list[PhraseForm] = []
    tunes: list[Tune] = []
    uses: Counter[str] = Counter()
    for phrase in phrases:
        tune, numbers = _tune(seen, bars, phrase), _numbers(bars, phrase)
        model, best = _model(tunes, tune)
        tunes.append(tune)
        if model is None or best is None:
            letter = _letter(len(uses))
            uses[letter] = 0
        elif best.kind == "repeat" and _ends_alike(tunes[model], tune):
            letter = found[model].letter
        else:
            base = found[model].letter.rstrip("'")
            uses[base] += 1
            letter = base + "'" * uses[base]
        found.append(PhraseForm(phrase, numbers, letter, model, best))
    return tuple(found)


def _ends_alike(one: Tune, other: Tune) -> bool:
    """Whether the last notes have the same name: a phrase that closes elsewhere is another."""
    return pitch_class(one.notes[-1]) == pitch_class(other.notes[-1])


def _letter(number: int) -> str:
    """a to z, then aa, bb and so on."""
    turn, place = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[place] * (turn + 1)


def _tune(seen: Piece, bars: Sequence[tuple[int, Fraction]], phrase: Phrase) -> Tune:
    """The tune of a phrase, counted from its first bar line: upbeats may differ."""
    first = bisect_left(bars, phrase.onset, key=lambda bar: bar[1])
    line = bars[first][1] if first < len(bars) and bars[first][1] < phrase.end else phrase.onset
    return tune_in(seen, _span(seen, phrase.onset, phrase.end), origin=ticks(line))


def _span(seen: Piece, start: Fraction, end: Fraction) -> Span:
    return Span(moment_at(seen, ticks(start)), moment_at(seen, ticks(end)))


def _numbers(bars: Sequence[tuple[int, Fraction]], phrase: Phrase) -> tuple[int, int]:
    inside = [number for number, line in bars if phrase.onset <= line < phrase.end]
    if not inside:
        inside = [max(number for number, line in bars if line <= phrase.onset)]
    return inside[0] or min(1, inside[-1]), inside[-1]


def _model(tunes: Sequence[Tune], tune: Tune) -> tuple[int | None, Relation | None]:
    """The earlier phrase that this one is closest to, and how; none if all are in contrast."""
    ways = [(place, relation(each, tune)) for place, each in enumerate(tunes) if each.notes]
    kin = [(place, each) for place, each in ways if each.kind != "contrast"] if tune.notes else []
    if not kin:
        return None, None
    return max(kin, key=lambda each: (each[1].kind == "repeat", each[1].share, -each[0]))


# --- bars -----------------------------------------------------------------------------------


def _bars(seen: Piece, bars: Sequence[tuple[int, Fraction]]) -> Iterator[BarRelation]:
    """Runs of bars that come again, moved or varied; each bar is told of once."""
    times = [line for _, line in bars]
    ends = [*times[1:], max(times[-1:], default=Fraction(0)) + 10**6]
    spans = [_span(seen, start, end) for start, end in zip(times, ends, strict=True)]
    tunes = [tune_in(seen, span) for span in spans]
    at = 1
    while at < len(bars):
        run = _longest(tunes, at)
        if run is None:
            at += 1
            continue
        model, length = run
        one, other = (
            tune_in(seen, Span(spans[start].start, spans[start + length - 1].stop))
            for start in (model, at)
        )
        found = relation(one, other)
        if found.kind in KINDS:
            here = bars[at][0], bars[at + length - 1][0]
            yield BarRelation(here, (bars[model][0], bars[model + length - 1][0]), found)
        at += length


def _longest(tunes: Sequence[Tune], at: int) -> tuple[int, int] | None:
    """The model of the longest run that begins at a bar, and its length in bars."""
    best: tuple[tuple[int, int, int], tuple[int, int]] | None = None
    for model in range(max(at - FARTHEST, 0), at):
        kind = _step(tunes[model], tunes[at])
        length = 0 if kind is None else 1
        while (
            length
            and model + length < at
            and at + length < len(tunes)
            and _step(tunes[model + length], tunes[at + length]) == kind
        ):
            length += 1
        enough = sum(len(tune.notes) for tune in tunes[at : at + length]) >= FEWEST
        if kind is not None and enough and (length > 1 or kind[0] != "vary"):
            worth = (-KINDS.index(kind[0]), length, -model)
            best = max(best or (worth, (model, length)), (worth, (model, length)))
    return None if best is None else best[1]


def _step(model: Tune, tune: Tune) -> tuple[str, int] | None:
    """Kind and steps of the relation of two bars, None if they are in contrast."""
    if not (model.notes and tune.notes):
        return None
    if shared(set(model.offsets), set(tune.offsets)) < RECOGNISABLE:
        return None
    found = relation(model, tune, fewest=1)
    return (found.kind, found.steps) if found.kind in KINDS else None


# --- themes and forms -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """A phrase with what decides on themes."""

    form: PhraseForm
    kind: str | None  # of its cadence
    key: Key | None
    repeats_idea: bool  # whether its second quarter repeats or moves its first
    halves_alike: bool

    @property
    def base(self) -> str:
        return self.form.letter.rstrip("'")

    @property
    def count(self) -> int:
        return self.form.bars[1] - self.form.bars[0] + 1


def _told(score: Score, seen: Piece, form: PhraseForm, cadences: Sequence[FoundCadence]) -> _Told:
    phrase = form.phrase
    inside = [each for each in cadences if phrase.onset <= each.onset < phrase.end]
    close = inside[-1] if inside else None
    return _Told(
        form,
        close.kind if close else None,
        close.key if close else None,
        _repeats(score, seen, phrase, 4),
        _repeats(score, seen, phrase, 2),
    )


def _repeats(score: Score, seen: Piece, phrase: Phrase, parts: int) -> bool:
    """Whether the second of so many equal parts has the shape of the first."""
    length = (phrase.end - phrase.onset) / parts
    bar = score.metre_at(phrase.onset).bar
    length = max(round(length / bar), 1) * bar
    one, other = (
        tune_in(seen, _span(seen, start, start + length))
        for start in (phrase.onset, phrase.onset + length)
    )
    return relation(one, other).kind in KINDS and len(one.notes) > 1


def _ends(function: str) -> Sequence[str]:
    """The cadences with which a phrase function may end, as the knowledge base has them."""
    found: Sequence[str] = entry("phrase-function", function)["ends"]
    return found


def _close(each: _Told) -> str:
    name = cadence_name(each.kind or "")
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _forms(score: Score, told: Sequence[_Told]) -> Iterator[tuple[str, str]]:
    yield from _themes(told)
    whole = _pattern(told)
    yield from [whole] if whole else _binary(score, told)


def _themes(told: Sequence[_Told]) -> Iterator[tuple[str, str]]:
    """Theme types of one phrase or two, none of which overlap."""
    place = 0
    while place < len(told):
        one, other = told[place], told[place + 1] if place + 1 < len(told) else None
        alone = _sentence(one)
        pair = (_period(one, other) or _presented(one, other)) if other else None
        found = pair or alone
        if found:
            yield found
        place += 2 if pair else 1


def _where(*told: _Told) -> str:
    return f"bars {told[0].form.bars[0]}-{told[-1].form.bars[1]}"


def _sentence(each: _Told) -> tuple[str, str] | None:
    """A phrase whose basic idea comes twice, and which then goes on to a cadence."""
    goes_on = each.repeats_idea and not each.halves_alike
    if each.count < SENTENCE or not goes_on or each.kind not in _ends("continuation"):
        return None
    why = f"{_where(each)}: the basic idea comes twice, then goes on to {_close(each)}"
    return "sentence", why


def _presented(one: _Told, other: _Told) -> tuple[str, str] | None:
    """The same in two phrases: a presentation that does not close, and a continuation."""
    closed = one.kind is not None and one.kind in (*_ends("antecedent"), *_ends("consequent"))
    even = one.count == other.count and one.count + other.count >= SENTENCE
    if closed or not (even and one.halves_alike and other.kind in _ends("continuation")):
        return None
    why = f"the basic idea comes twice without a close, then goes on to {_close(other)}"
    return "sentence", f"{_where(one, other)}: {why}"


def _period(one: _Told, other: _Told) -> tuple[str, str] | None:
    """Two phrases of one length, both or neither new, a weak cadence and a perfect one."""
    closes = one.kind in _ends("antecedent") and other.kind in _ends("consequent")
    parallel = one.base == other.base
    new = one.form.model is None and other.form.model is None
    if not closes or one.count != other.count or not (parallel or new):
        return None
    away = ", modulating" if other.key != one.key and one.kind not in HALF else ""
    why = f"{_where(one, other)}: {one.form.letter} to {_close(one)}, "
    kind = "parallel" if parallel else "contrasting"
    return f"{kind} period{away}", f"{why}{other.form.letter} to {_close(other)}"


def _binary(score: Score, told: Sequence[_Told]) -> Iterator[tuple[str, str]]:
    """Two parts of like length; the first closes away from home, the second at home.

    A first part that ends on the dominant will do where the second brings the opening back.
    """
    total = sum(each.count for each in told)
    for place in range(1, len(told)):
        first, second = told[:place], told[place:]
        even = abs(2 * sum(each.count for each in first) - total) <= UNEVEN
        fresh = second[0].base not in {each.base for each in first}
        returns = fresh and any(each.base == first[0].base for each in second[1:])
        away = first[-1].key != score.key and first[-1].kind in _ends("consequent")
        half = first[-1].kind in HALF and returns
        home = told[-1].key == score.key and told[-1].kind in _ends("consequent")
        if even and home and (away or half):
            close = f"{_where(*first)} close with {_close(first[-1])} in {first[-1].key}"
            back = ", where the opening returns" if returns else ""
            name = "rounded binary" if returns else "binary"
            yield name, f"{close}, {_where(*second)} at home{back}"


PATTERNS = (  # of letters, primes left out, each with a space behind it
    ("one idea again and again", r"a (?:a )+"),
    ("song form", r"a a b a "),
    ("rondo", r"(?:a )+(?:[^a] )+(?:a )+(?:[^a] )+(?:a )+"),
    ("ternary", r"((?:\w+ )+)(?:\w+ )+\1"),
    ("bar form", r"((?:\w+ )+)\1(?!.*\1)(?:\w+ )+"),
    ("two strains", r"(?:a )+(?:b )+"),
)


def _pattern(told: Sequence[_Told]) -> tuple[str, str] | None:
    """The form that the letters of three phrases or more make."""
    letters = "".join(f"{each.base} " for each in told)
    for name, pattern in PATTERNS:
        if len(told) > 2 and re.fullmatch(pattern, letters):
            return name, f"its phrases are {' '.join(each.form.letter for each in told)}"
    return None
