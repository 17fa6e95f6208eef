"""Why nothing is left: constraints that cannot hold together, and the cheapest that to give up.

Nothing here knows what a constraint is: they are numbers from 0, and an oracle says of any set of
them whether something exists that keeps all of it. The oracle must be monotone: what can be had
under some constraints can be had under fewer.

A conflict is a set that cannot be kept; it is irreducible if every part of it can. It is found by
deletion, by halves (QuickXplain's division: Junker, "QuickXplain", AAAI 2004). The smallest one is
found among all of them by implicit hitting sets (Ignatiev, Previti, Liffiton and Marques-Silva,
"Smallest MUS extraction with minimal hitting set dualization", CP 2015). A correction is a set
without which the rest can be kept; the cheapest come first out of a tree of hitting sets over
conflicts (Reiter, "A theory of diagnosis from first principles", Artificial Intelligence 1987),
searched by price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from musegen.search.errors import SearchInputError

__all__ = [
    "LIMIT",
    "MOST_SETS",
    "Core",
    "Correction",
    "LimitReachedError",
    "cheapest_corrections",
    "fewest_of_each",
    "smallest_conflict",
]

Kept = frozenset[int]
Oracle = Callable[[Kept], bool]  # whether something exists that keeps these constraints

LIMIT = 400  # questions to the oracle before a search says what it has
MOST_SETS = 50_000  # hitting sets that are looked at between two questions, or for all corrections


@dataclass(frozen=True, slots=True)
class Core:
    """A set of constraints that cannot be kept together.

    `proof` says what is known of it. `only`: it is irreducible, and no other irreducible conflict
    exists. `smallest`: none has fewer members. `irreducible`: each of its parts can be kept, a
    smaller conflict of other members may exist. `cut short`: it cannot be kept, but perhaps not
    all of it is needed, since the limit of questions was reached.
    """

    members: Kept
    proof: str
    asked: int  # questions to the oracle


@dataclass(frozen=True, slots=True)
class Correction:
    """A set of constraints to give up so that the rest can be kept."""

    members: Kept
    price: float  # the sum of its members' prices


class LimitReachedError(Exception):
    """No more may be asked: raised here, or by an oracle whose own work is limited."""


class _Asked:
    """An oracle that is asked nothing twice, nothing that follows, and not too often."""

    def __init__(self, oracle: Oracle, limit: int) -> None:
        self.oracle, self.limit = oracle, limit
        self.count = 0
        self.possible: list[Kept] = []
        self.impossible: list[Kept] = []

    def __call__(self, kept: Kept) -> bool:
        if any(kept <= known for known in self.possible):
            return True
        if any(known <= kept for known in self.impossible):
            return False
        if self.count == self.limit:
            raise LimitReachedError
        self.count += 1
        found = self.oracle(kept)
        (self.possible if found else self.impossible).append(kept)
        return found


# --- conflicts ------------------------------------------------------------------------------


def smallest_conflict(
    groups: Sequence[Sequence[int]], oracle: Oracle, *, limit: int = LIMIT
) -> Core:
    """The smallest set of constraints that cannot be kept together.

    Args:
        groups: all constraints, those first that a reader cares least for: where several
            irreducible conflicts are equally small, the one found by deleting in this order.
        oracle: whether something exists that keeps a set of them; monotone. It may raise
            LimitReachedError, which counts as the limit.
        limit: questions to the oracle. Once reached, what is known is returned, and said to be
            no more than it is.

    Raises:
        SearchInputError: all constraints can be kept, or a constraint is named twice.
    """
    everything = frozenset(each for group in groups for each in group)
    if len(everything) < sum(map(len, groups)):
        raise SearchInputError("groups of constraints", "one named twice", "disjoint")
    asked = _Asked(oracle, limit)
    if asked(everything):
        raise SearchInputError("constraints of a conflict", "a set that can be kept", "too many")
    members, whole = _irreducible(groups, frozenset(), asked)
    if not whole:
        return Core(members, "cut short", asked.count)
    try:
        members, proof = _least(members, everything, asked)
    except LimitReachedError:
        proof = "irreducible"
    return Core(members, proof, asked.count)


def _irreducible(groups: Sequence[Sequence[int]], hard: Kept, asked: _Asked) -> tuple[Kept, bool]:
    """Members of an irreducible conflict beside what is hard, and whether it is known to be one."""
    kept = frozenset(each for group in groups for each in group)
    waiting = [tuple(group) for group in reversed(groups) if group]
    try:
        while waiting:
            chunk = waiting.pop()
            if not asked(hard | kept - set(chunk)):
                kept -= set(chunk)
            elif len(chunk) > 1:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]]
    except LimitReachedError:
        return kept, False
    return kept, True


def _least(members: Kept, everything: Kept, asked: _Asked) -> tuple[Kept, str]:
    """The smallest conflict, and what is known of it.

    Every conflict hits every correction. A smallest set that hits all known corrections is a
    smallest conflict if it is one at all; if it is none, it leads to another correction.
    """
    corrections = [frozenset({each}) for each in sorted(members) if asked(everything - {each})]
    if len(corrections) == len(members):
        return members, "only"
    while True:
        chosen = _hitting(corrections)
        if len(chosen) >= len(members):
            return members, "smallest"
        if not asked(chosen):
            return chosen, "smallest"
        corrections.append(everything - _grown(chosen, everything, asked))


def _grown(kept: Kept, everything: Kept, asked: _Asked) -> Kept:
    """As many constraints as can be kept beside some that can."""
    waiting = [tuple(sorted(everything - kept))]
    while waiting:
        chunk = waiting.pop()
        if asked(kept | set(chunk)):
            kept |= set(chunk)
        elif len(chunk) > 1:
            half = len(chunk) // 2
            waiting += [chunk[half:], chunk[:half]]
    return kept


def fewest_of_each(sets: Sequence[Kept]) -> Kept:
    """The fewest constraints of which each of some sets has one; all of them where that is too much.

    Args:
        sets: none of them empty.
    """
    try:
        return _hitting(sets)
    except LimitReachedError:
        return frozenset().union(*sets)


def _hitting(sets: Sequence[Kept]) -> Kept:
    """A smallest set that has a member of each of some sets; ties fall to the smaller numbers.

    Raises:
        LimitReachedError: more than `MOST_SETS` would have to be looked at.
    """
    best: Kept = frozenset().union(*sets)
    waiting: list[Kept] = [frozenset()]
    looked_at = 0
    while waiting:
        looked_at += 1
        if looked_at > MOST_SETS:
            raise LimitReachedError
        chosen = waiting.pop()
        missed = [each for each in sets if not chosen & each]
        if len(chosen) + _apart(missed) >= len(best):
            continue
        if not missed:
            best = chosen
            continue
        narrowest = min(missed, key=lambda each: (len(each), sorted(each)))
        waiting += [chosen | {each} for each in sorted(narrowest, reverse=True)]
    return best


def _apart(sets: Iterable[Kept]) -> int:
    """How many of some sets share nothing, picked as they come: no fewer members hit them all."""
    taken: Kept = frozenset()
    count = 0
    for each in sorted(sets, key=lambda one: (len(one), sorted(one))):
        if not taken & each:
            taken |= each
            count += 1
    return count


# --- corrections ----------------------------------------------------------------------------


def cheapest_corrections(
    groups: Sequence[Sequence[int]],
    prices: Sequence[float],
    oracle: Oracle,
    *,
    hard: Iterable[int] = (),
    top: int = 1,
    limit: int = LIMIT,
) -> tuple[Correction, ...]:
    """Sets of constraints to give up so that the rest can be kept, the cheapest first.

    Exact as far as it goes: none that is left out is cheaper than one that is returned, none has
    a member that it does not need. Fewer than asked for are returned where there are no more, or
    where the limit is reached.

    Args:
        groups: constraints that may be given up, those first that a reader cares least for.
        prices: of each constraint by its number, above 0.
        oracle: whether something exists that keeps a set of them; monotone.
        hard: constraints that may not be given up.
        top: how many to return.
        limit: questions to the oracle.

    Raises:
        SearchInputError: a price that is not above 0.
    """
    free = frozenset(each for group in groups for each in group)
    if any(prices[each] <= 0 for each in free):
        raise SearchInputError("prices of constraints", min(prices), "above 0")
    found: list[Correction] = []
    asked = _Asked(oracle, limit)
    try:
        for members in _corrections(groups, prices, frozenset(hard), asked):
            found.append(Correction(members, sum(prices[each] for each in sorted(members))))
            if len(found) == top:
                break
    except LimitReachedError:
        pass  # what was found holds: nothing cheaper was passed over
    return tuple(found)


def _corrections(
    groups: Sequence[Sequence[int]], prices: Sequence[float], hard: Kept, asked: _Asked
) -> Iterator[Kept]:
    """Irreducible corrections in order of price; ties in order of their members."""
    free = frozenset(each for group in groups for each in group)
    found: list[Kept] = []
    conflicts: list[Kept] = []
    heap: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    seen: set[tuple[int, ...]] = {()}
    for _ in range(MOST_SETS):
        if not heap:
            return
        _, path = heappop(heap)
        given_up = frozenset(path)
        if any(each <= given_up for each in found):
            continue
        conflict = next((each for each in conflicts if not each & given_up), None)
        if conflict is None:
            if asked(hard | free - given_up):
                found.append(given_up)
                yield given_up
                continue
            conflict = _conflict_without(groups, given_up, hard, asked)
            conflicts.append(conflict)
        for each in sorted(conflict):
            longer = tuple(sorted({*path, each}))
            if longer not in seen:
                seen.add(longer)
                heappush(heap, (sum(prices[one] for one in longer), longer))
    raise LimitReachedError


def _conflict_without(
    groups: Sequence[Sequence[int]], given_up: Kept, hard: Kept, asked: _Asked
) -> Kept:
    rest = [[each for each in group if each not in given_up] for group in groups]
    conflict, whole = _irreducible(rest, hard, asked)
    if not whole:
        raise LimitReachedError
    return conflict
