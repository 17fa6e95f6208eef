"""All strategies against trying everything: feasible or not, optimum, number, draw, distance."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from musegen.search.beam import beam_search, complete_search
from musegen.search.errors import DeadEndError, InfeasibleError, SearchInputError
from musegen.search.exact import cheapest_paths, exact_search
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.optimum import count_solutions, first_order_optimum
from musegen.search.protocols import LookBack
from musegen.search.reachability import costs_to_go
from musegen.search.sampling import draw_uniformly
from musegen.search.strategy import STRATEGIES, Limit, Solution, Strategy, solve
from musegen.search.unroll import unroll
from musegen.search.walk import likeliest
from musegen.search.worth import path_terms

seeds = st.integers(0, 2**32 - 1)
Path = tuple[int, ...]
INF = np.inf


def table(costs: FloatArray) -> PairTable:
    """A pair table of a matrix in which inf forbids."""
    legal = np.isfinite(costs)
    indptr = np.concatenate([[0], np.cumsum(legal.sum(axis=1))])
    return PairTable(indptr.astype(np.int64), np.nonzero(legal)[1].astype(np.int32), costs[legal])


def free_lattice(slots: int, size: int) -> Lattice:
    """Anything may follow anything at no cost."""
    return Lattice((np.zeros(size),) * slots, (table(np.zeros((size, size))),) * (slots - 1))


class Forgetful:
    """A long rule that does not tell what it remembers."""

    def __init__(self, rule: "Automaton") -> None:
        self.rule = rule

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """Those of the rule."""
        return self.rule.costs(slot, paths, parents, candidates)


class Automaton:
    """A long rule as a table: what it remembers and what is chosen give cost and next memory."""

    def __init__(self, prices: FloatArray, moves: IntArray) -> None:
        self.prices, self.moves = prices, moves  # (memories, candidates) both
        self.asked = 0

    @classmethod
    def random(cls, seed: int, size: int, *, memories: int = 3, forbid: float) -> "Automaton":
        """Whole costs, so that sums are exact."""
        rng = np.random.default_rng(seed)
        shape = (memories, size)
        prices = np.where(rng.random(shape) < forbid, INF, rng.integers(0, 6, shape))
        return cls(prices, rng.integers(0, memories, shape))

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """What the table says after each beginning."""
        assert paths.shape[1] == slot
        self.asked += len(candidates)
        found: FloatArray = self.prices[self._memory(paths)[parents], candidates]
        return found

    def states(self, paths: IntArray, *, hard: bool) -> IntArray:
        """The memory."""
        return self._memory(paths)[:, None]

    def _memory(self, paths: IntArray) -> IntArray:
        memory = np.zeros(len(paths), np.int64)
        for column in paths.T:
            memory = self.moves[memory, column]
        return memory


class World:
    """A small lattice with a long rule, and what trying everything finds."""

    def __init__(self, seed: int, *, slots: int = 4, size: int = 3, forbid: float = 0.2) -> None:
        rng = np.random.default_rng(seed)
        self.unary = [
            np.where(rng.random(size) < 0.9, rng.integers(0, 6, size), INF) for _ in range(slots)
        ]
        self.matrices = [
            np.where(rng.random((size, size)) < 0.8, rng.integers(0, 6, (size, size)), INF)
            for _ in range(slots - 1)
        ]
        self.lattice = Lattice(tuple(self.unary), tuple(table(each) for each in self.matrices))
        self.rule = Automaton.random(seed + 1, size, forbid=forbid)
        everything = {path: self.cost(path) for path in product(range(size), repeat=slots)}
        self.solutions = {path: cost for path, cost in everything.items() if np.isfinite(cost)}
        self.ranked = sorted(self.solutions, key=lambda path: (self.solutions[path], path))

    def cost(self, path: Path) -> float:
        """First-order cost and that of the rule."""
        total = sum(float(self.unary[slot][choice]) for slot, choice in enumerate(path))
        total += sum(float(self.matrices[slot][i, j]) for slot, (i, j) in enumerate(pairwise(path)))
        memory = 0
        for choice in path:
            total += float(self.rule.prices[memory, choice])
            memory = int(self.rule.moves[memory, choice])
        return total

    def greedy(self, count: int, distance: int) -> list[Path]:
        """Best first, each the best at the distance from all before it."""
        found: list[Path] = []
        for path in self.ranked:
            if len(found) < count and all(apart(path, other) >= distance for other in found):
                found.append(path)
        return found


def apart(one: Path, other: Path) -> int:
    """Slots that differ."""
    return sum(i != j for i, j in zip(one, other, strict=True))


class Chain:
    """A proposer with a score for each choice before and choice."""

    def __init__(self, scores: FloatArray) -> None:
        self.table = scores  # (N + 1, N); the last row is for no choice before

    def start(self) -> IntArray:
        """One hypothesis without a choice."""
        return np.array([-1])

    def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
        """The table's rows."""
        found: FloatArray = self.table[state][:, candidates]
        return found

    def advance(self, slot: int, state: IntArray, parents: IntArray, chosen: IntArray) -> IntArray:
        """What was chosen is the state."""
        return chosen.copy()


class Shares(Chain):
    """A proposer whose scores are logs of shares among the candidates that it is asked for."""

    def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
        """Scores less the logarithm of the sum."""
        found = super().scores(slot, state, candidates)
        shares: FloatArray = found - np.log(np.exp(found).sum(axis=1, keepdims=True))
        return shares


def paths_of(found: Sequence[Solution]) -> list[Path]:
    """Paths as tuples."""
    return [tuple(each.path.tolist()) for each in found]


def strategy(name: str, **options: float) -> Strategy:
    """A strategy of a width that small lattices can trouble."""
    return Strategy(name=name, width=2, patience=2, **options)  # type: ignore[arg-type]


def chi_square(drawn: Counter[Path], shares: dict[Path, float]) -> float:
    """Pearson's statistic of draws against their expected shares."""
    total = drawn.total()
    assert set(drawn) <= set(shares)
    return sum((drawn[path] - total * p) ** 2 / (total * p) for path, p in shares.items())


# --- feasible, or proved not to be ----------------------------------------------------------


@given(
    seed=seeds,
    name=st.sampled_from(sorted(STRATEGIES)),
    forbid=st.floats(0.1, 0.9),
    tells=st.booleans(),
)
@settings(max_examples=40)
def test_every_strategy_solves_what_can_be_solved(
    seed: int, name: str, forbid: float, tells: bool
) -> None:
    """A solution is found if and only if trying everything finds one; else it is proved."""
    world = World(seed, forbid=forbid)
    rule = world.rule if tells else Forgetful(world.rule)
    rng = np.random.default_rng(seed)
    if world.solutions:
        (found,) = solve(world.lattice, strategy(name), look_back=rule, rng=rng)
        (path,) = paths_of([found])
        assert found.cost == world.solutions[path]
        assert found.account.bound <= min(world.solutions.values())
    else:
        with pytest.raises((InfeasibleError, DeadEndError)) as caught:
            solve(world.lattice, strategy(name), look_back=rule, rng=rng)
        assert isinstance(caught.value, InfeasibleError) or getattr(caught.value, "proved", False)


def only_last(wanted: int, size: int, slots: int) -> LookBack:
    """A rule that lets the end be only what the first choice was, and the first only one thing."""

    class Rule:
        def costs(
            self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
        ) -> FloatArray:
            if slot < slots - 1:
                return np.zeros(len(candidates))
            return np.where(paths[parents, 0] == wanted, 0.0, INF)

        def states(self, paths: IntArray, *, hard: bool) -> IntArray:
            return paths[:, :1]

    return Rule()


@pytest.mark.parametrize("slots", [3, 12, 40])
def test_a_mistake_of_the_first_slot_is_undone_at_the_last(slots: int) -> None:
    """A beam of one that learns only at the end that it began wrongly still arrives."""
    size = 6
    rule = only_last(size - 1, size, slots)
    (found,) = solve(free_lattice(slots, size), strategy("beam"), look_back=rule)
    assert found.path[0] == size - 1
    with pytest.raises(DeadEndError, match="as often as patience allows"):
        beam_search(free_lattice(slots, size), look_back=rule, width=1, patience=2)


def test_what_the_pool_forgot_is_listed_again() -> None:
    """The way out is the dearest of hundreds, far outside of what a slot keeps."""
    size = 400
    lattice = Lattice(
        (np.arange(size, dtype=float), np.zeros(2), np.zeros(2)),
        (table(np.zeros((size, 2))), table(np.zeros((2, 2)))),
    )
    found = complete_search(lattice, look_back=only_last(size - 1, size, 3), width=1)
    assert found.paths[0][0] == size - 1


def test_a_proof_takes_as_long_as_there_are_states() -> None:
    """Of 4^40 ways through, all odd and all forbidden at the end, each state is tried but once."""
    slots, size = 40, 4

    class EvenSum:
        asked = 0

        def costs(
            self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
        ) -> FloatArray:
            self.asked += len(candidates)
            odd = (paths.sum(axis=1)[parents] + candidates) % 2
            return np.where((slot == slots - 1) & (odd == 1), INF, 0.0)

        def states(self, paths: IntArray, *, hard: bool) -> IntArray:
            parity: IntArray = paths.sum(axis=1, keepdims=True) % 2
            return parity

    evens = table(np.where(np.arange(size)[:, None] % 2 == np.arange(size) % 2, 0.0, INF))
    first = np.where(np.arange(size) % 2, 0.0, INF)  # odd: forty odd numbers
    last = np.where(np.arange(size) % 2, INF, 0.0)  # even: so the sum is odd
    lattice = Lattice(
        (first, *(np.zeros(size),) * (slots - 2), last),
        (*(evens,) * (slots - 2), table(np.zeros((size, size)))),
    )
    rule = EvenSum()
    with pytest.raises(DeadEndError, match="proved that there is no solution") as caught:
        complete_search(lattice, look_back=rule, width=1)
    assert caught.value.proved
    assert rule.asked < 20 * slots * size


def test_stopped_before_it_is_known_it_says_so() -> None:
    """A complete search that is stopped proves nothing, and does not claim to."""
    with pytest.raises(DeadEndError, match="is not proved") as caught:
        complete_search(
            free_lattice(6, 4),
            look_back=Automaton(np.array([[0, 0, 0, 0], [INF] * 4]), np.array([[1] * 4, [1] * 4])),
            width=1,
            should_stop=lambda: True,
        )
    assert not caught.value.proved


def test_the_limit_of_ways_is_said_and_proves_nothing() -> None:
    """A complete search ends by count, where no clock is asked."""
    with pytest.raises(DeadEndError, match=r"among 1 that were tried.*is not proved") as caught:
        complete_search(
            free_lattice(6, 4),
            look_back=Automaton(np.array([[0, 0, 0, 0], [INF] * 4]), np.array([[1] * 4, [1] * 4])),
            width=1,
            most=1,
        )
    assert not caught.value.proved
    with pytest.raises(SearchInputError, match="most must be 1 or more, got 0"):
        complete_search(free_lattice(2, 2), most=0)


def test_models_only_propose() -> None:
    """Where models forbid everything, the rules' solution is given and says how it was found."""
    silent = Chain(np.full((3, 2), -INF))
    (found,) = solve(free_lattice(3, 2), scorer=silent)
    assert found.account.completed
    assert found.score == -INF


# --- exact ----------------------------------------------------------------------------------


@given(seed=seeds, top=st.integers(1, 12), tells=st.booleans())
@settings(max_examples=40)
def test_exact_lists_the_cheapest_in_order(seed: int, top: int, tells: bool) -> None:
    """The same costs as the sorted list of all, each path once, each proved."""
    world = World(seed)
    assume(world.solutions)
    rule = world.rule if tells else Forgetful(world.rule)
    found = solve(world.lattice, strategy("exact"), look_back=rule, count=top)
    assert [each.cost for each in found] == [world.solutions[p] for p in world.ranked[:top]]
    assert len(set(paths_of(found))) == len(found)
    assert all(
        world.solutions[path] == each.cost
        for path, each in zip(paths_of(found), found, strict=True)
    )
    assert all(each.proved for each in found)


@given(seed=seeds, most=st.integers(1, 6))
@settings(max_examples=40)
def test_too_many_states_leave_an_honest_bound(seed: int, most: int) -> None:
    """Stopped by its limit, exact search has a solution, and a bound that none is below."""
    world = World(seed)
    assume(world.solutions)
    found = exact_search(world.lattice, look_back=world.rule, most=most, width=1)
    best = min(world.solutions.values())
    assert found.bound <= best <= found.costs[0]
    if found.proved:
        assert found.costs[0] == best


@given(seed=seeds)
@settings(max_examples=40)
def test_states_hold_every_solution_once(seed: int) -> None:
    """Unrolled, the number of solutions is that of trying everything, and so is each optimum."""
    world = World(seed)
    assume(world.solutions)
    made = unroll(world.lattice, costs_to_go(world.lattice), world.rule)
    assert made.lattice is not None
    assert count_solutions(made.lattice) == len(world.solutions)
    best = first_order_optimum(made.lattice)
    assert best.cost == min(world.solutions.values())
    assert world.cost(tuple(made.path(best.path).tolist())) == best.cost


@given(seed=seeds, over=st.integers(0, 8))
@settings(max_examples=40)
def test_a_limit_leaves_all_that_is_within_it(seed: int, over: int) -> None:
    """Paths within the limit are there, and all that cost less than what is said to be cut."""
    world = World(seed)
    assume(world.solutions)
    limit = min(world.solutions.values()) + over
    made = unroll(world.lattice, costs_to_go(world.lattice), world.rule, limit=limit)
    assert made.lattice is not None
    assert made.cut > limit
    listed = [cost for cost, _ in cheapest_paths(made.lattice)]
    assert listed == sorted(listed)
    assert [cost for cost in listed if cost < made.cut] == sorted(
        cost for cost in world.solutions.values() if cost < made.cut
    )


@given(seed=seeds)
@settings(max_examples=40)
def test_terms_of_a_path_are_its_costs(seed: int) -> None:
    """What a path is said to cost is the sum along it."""
    world = World(seed)
    assume(world.solutions)
    for path, cost in world.solutions.items():
        found = path_terms(world.lattice, np.array(path), look_back=world.rule)
        assert -found["rules"] - found["look_back"] == cost


# --- draws ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tries", [1024, 0])
@pytest.mark.parametrize("seed", [3, 8, 11])
def test_each_solution_is_equally_likely(seed: int, tries: int) -> None:
    """By refusing what the rule forbids, and by counting with what it remembers (tries = 0)."""
    world = World(seed)
    rng = np.random.default_rng(seed)
    draws = 40 * len(world.solutions)
    found = [
        draw_uniformly(world.lattice, rng=rng, look_back=world.rule, tries=tries)
        for _ in range(draws)
    ]
    assert all(each.uniform for each in found)
    drawn = Counter(tuple(each.path.tolist()) for each in found)
    degrees = len(world.solutions) - 1
    assert degrees > 3
    statistic = chi_square(drawn, dict.fromkeys(world.solutions, 1 / len(world.solutions)))
    assert statistic < degrees + 4 * (2 * degrees) ** 0.5  # four standard deviations


def test_a_draw_that_is_not_uniform_says_so() -> None:
    """With neither tries nor states a solution is put together, and called what it is."""
    world = World(3)
    found = draw_uniformly(
        world.lattice, rng=np.random.default_rng(0), look_back=world.rule, tries=0, most=1
    )
    assert not found.uniform
    assert tuple(found.path.tolist()) in world.solutions


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_ancestral_draw_follows_the_models(temperature: float) -> None:
    """Each choice by the softmax of its score over the temperature, slot after slot."""
    scores = np.log([[0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.7, 0.2, 0.1]])
    weights = np.exp(scores / temperature)
    chances = weights / weights.sum(axis=1, keepdims=True)
    shares: dict[Path, float] = {
        (i, j): float(chances[3, i] * chances[i, j]) for i in range(3) for j in range(3)
    }
    rng = np.random.default_rng(1)
    how = Strategy(name="sample", temperature=temperature)
    drawn = Counter(
        paths_of(solve(free_lattice(2, 3), how, scorer=Chain(scores), rng=rng))[0]
        for _ in range(2000)
    )
    assert chi_square(drawn, shares) < 26.12  # 0.1 %, 8 degrees


def test_likeliest_by_hand() -> None:
    """Of shares .5 .3 .15 .05 three hold 90 %, two of them hold 80 % exactly."""
    logits = np.log([0.15, 0.5, 0.05, 0.3])
    assert likeliest(logits, None, 0.9).tolist() == [0, 1, 3]
    assert likeliest(logits, 2, 1.0).tolist() == [1, 3]
    assert likeliest(logits, 2, 0.6).tolist() == [1]  # .5 of .8 is more than 60 %
    assert likeliest(logits, None, 1e-9).tolist() == [1]
    assert likeliest(np.zeros(3), 2, 1.0).tolist() == [0, 1]


@given(seed=seeds, top_k=st.integers(1, 3), top_p=st.floats(0.05, 1.0))
@settings(max_examples=40)
def test_draws_never_leave_what_is_likely(seed: int, top_k: int, top_p: float) -> None:
    """Each choice is among the likeliest of those that can reach the end, the rule counted in."""
    world = World(seed, size=4, forbid=0.0)
    assume(world.solutions)
    model = Chain(np.random.default_rng(seed).normal(size=(5, 4)))
    how = Strategy(name="sample", temperature=0.7, top_k=top_k, top_p=top_p)
    (found,) = solve(
        world.lattice,
        how,
        scorer=model,
        look_back=world.rule,
        rng=np.random.default_rng(seed),
    )
    (path,) = paths_of([found])
    onward = costs_to_go(world.lattice)
    for slot, choice in enumerate(path):
        begins = [(*path[:slot], other) for other in range(4)]
        worth = np.array([_worth(world, model, begin, onward) for begin in begins])
        possible = np.flatnonzero(np.isfinite(worth))
        kept = possible[likeliest(worth[possible] / 0.7, top_k, top_p)]
        assert choice in kept


def _worth(world: World, model: Chain, begin: Path, onward: tuple[FloatArray, ...]) -> float:
    """Score, costs and cost to go of the beginning of a path."""
    slot, choice = len(begin) - 1, begin[-1]
    before = begin[-2] if slot else -1
    ahead = float(world.unary[slot][choice] + onward[slot][choice])
    step = float(world.matrices[slot - 1][before, choice]) if slot else 0.0
    memory = 0
    for earlier in begin[:-1]:
        memory = int(world.rule.moves[memory, earlier])
    return float(model.table[before, choice] - ahead - step - world.rule.prices[memory, choice])


# --- different solutions --------------------------------------------------------------------


@given(seed=seeds, distance=st.integers(1, 5), count=st.integers(1, 4))
@settings(max_examples=40)
def test_exact_solutions_keep_their_distance(seed: int, distance: int, count: int) -> None:
    """As many as the greedy choice from the sorted list has, and as cheap, one by one."""
    world = World(seed)
    assume(world.solutions)
    found = solve(
        world.lattice, strategy("exact"), look_back=world.rule, count=count, distance=distance
    )
    paths = paths_of(found)
    assert found[0].cost == min(world.solutions.values())
    for place, each in enumerate(found):
        left = [
            cost
            for path, cost in world.solutions.items()
            if all(apart(path, other) >= distance for other in paths[:place])
        ]
        assert each.cost == min(left)
        assert each.proved
    if len(found) < count:
        assert not any(
            all(apart(path, other) >= distance for other in paths) for path in world.solutions
        )


@given(
    seed=seeds,
    name=st.sampled_from(sorted(STRATEGIES)),
    distance=st.integers(1, 4),
)
@settings(max_examples=40)
def test_solutions_of_any_strategy_keep_their_distance(seed: int, name: str, distance: int) -> None:
    """Best first, legal, apart; fewer than asked for only if no other is far enough."""
    world = World(seed, forbid=0.1)
    assume(world.solutions)
    found = solve(
        world.lattice,
        strategy(name),
        look_back=world.rule,
        rng=np.random.default_rng(seed),
        count=4,
        distance=distance,
    )
    paths = paths_of(found)
    assert all(path in world.solutions for path in paths)
    assert [each.score for each in found] == sorted((e.score for e in found), reverse=True)
    assert all(apart(i, j) >= distance for n, i in enumerate(paths) for j in paths[:n])
    if len(found) < 4:
        far = [p for p in world.solutions if all(apart(p, q) >= distance for q in paths)]
        assert not far


def test_distance_by_a_measure_of_ones_own() -> None:
    """Where candidates differ by their number, a distance of 5 is reached as cheaply as it can."""
    lattice = Lattice(
        (np.arange(4.0), np.arange(4.0)), (table(np.zeros((4, 4))),)
    )  # the cheapest is (0, 0)
    found = solve(
        lattice,
        Strategy(name="exact"),
        count=2,
        distance=5,
        measure=lambda slot, chosen: abs(np.arange(4) - chosen),
    )
    assert paths_of(found)[0] == (0, 0)
    assert sum(paths_of(found)[1]) == 5


@given(seed=seeds, name=st.sampled_from(sorted(STRATEGIES)))
@settings(max_examples=30)
def test_same_seed_same_solutions(seed: int, name: str) -> None:
    """Nothing but lattice, options and seed decides."""
    world = World(seed, forbid=0.1)
    assume(world.solutions)
    temperature = 0.0 if name == "exact" else 1.0
    model = Chain(np.random.default_rng(seed).normal(size=(4, 3)))

    def run() -> list[tuple[Path, float]]:
        found = solve(
            world.lattice,
            Strategy(name=name, width=2, temperature=temperature),
            scorer=model,
            look_back=world.rule,
            rng=np.random.default_rng(seed),
            count=3,
        )
        return [(path, each.score) for path, each in zip(paths_of(found), found, strict=True)]

    assert run() == run()


# --- under a time limit ---------------------------------------------------------------------


def ticking(step: float = 1.0) -> Callable[[], float]:
    """A clock that moves on each time it is read."""
    ticks = iter(range(10**9))
    return lambda: next(ticks) * step


@given(seed=seeds, name=st.sampled_from(sorted(STRATEGIES)), seconds=st.integers(0, 40))
@settings(max_examples=40)
def test_a_time_limit_leaves_a_solution(seed: int, name: str, seconds: int) -> None:
    """However short, there is a complete solution that keeps the rule, if the rule leaves any."""
    world = World(seed, forbid=0.0)
    assume(world.solutions)
    (found,) = solve(
        world.lattice,
        strategy(name),
        look_back=world.rule,
        rng=np.random.default_rng(seed),
        limit=Limit(float(seconds), ticking()),
    )
    assert world.solutions[paths_of([found])[0]] == found.cost
    assert found.account.bound <= min(world.solutions.values())


@given(seed=seeds, seconds=st.integers(0, 60))
@settings(max_examples=40)
def test_beams_widen_until_time_ends(seed: int, seconds: int) -> None:
    """No stage is worse than the one before; each tells its gap; the last is what is returned."""
    world = World(seed, slots=5, forbid=0.0)
    assume(world.solutions)
    model = Shares(np.random.default_rng(seed).normal(size=(4, 3)))
    (found,) = solve(
        world.lattice,
        Strategy(),
        scorer=model,
        look_back=world.rule,
        limit=Limit(float(seconds), ticking()),
    )
    steps = found.account.steps
    assert steps[0].stage == "costs alone"
    assert [step.score for step in steps] == sorted(step.score for step in steps)
    assert steps[-1].score == found.score
    assert found.terms == path_terms(world.lattice, found.path, look_back=world.rule, scorer=model)
    assert found.account.stopped == (len(steps) < 7)


def test_with_time_enough_the_beam_ends_exact() -> None:
    """Without models the stages end as soon as nothing cheaper can be."""
    for seed in range(40):
        world = World(seed)
        if world.solutions:
            (found,) = solve(world.lattice, look_back=world.rule, limit=Limit(10.0**9, ticking()))
            assert found.cost == min(world.solutions.values())
            assert found.proved
            assert not found.account.stopped


def test_an_interrupt_goes_through() -> None:
    """Ctrl-C in the middle of any strategy ends it, and nothing is left behind."""

    class Interrupted(Automaton):
        def costs(
            self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
        ) -> FloatArray:
            if slot == 3:
                raise KeyboardInterrupt
            return super().costs(slot, paths, parents, candidates)

    rule = Interrupted.random(0, 3, forbid=0.0)
    for name in STRATEGIES:
        with pytest.raises(KeyboardInterrupt):
            solve(
                free_lattice(5, 3),
                Strategy(name=name),
                look_back=rule,
                rng=np.random.default_rng(0),
            )


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "annealing"}, "strategy must be one of beam, exact, sample, got annealing"),
        ({"name": "beam", "top_k": 3}, "top_k and top_p must be left out but for sample"),
        ({"name": "sample", "top_p": 0.0}, "top_p must be above 0 and at most 1, got 0.0"),
        ({"name": "sample", "top_k": 0, "temperature": 1.0}, "top_k must be 1 or more"),
        ({"name": "sample", "top_k": 2}, "with top_k or top_p must be 1 and above 0"),
        ({"most_states": 0}, "most_states must be 1 or more, got 0"),
    ],
)
def test_strategies_out_of_range_are_refused(options: dict[str, object], said: str) -> None:
    """The refusal names the option, what came and what is allowed."""
    with pytest.raises(SearchInputError, match=said):
        Strategy(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["count", "distance"])
def test_numbers_of_solutions_out_of_range_are_refused(what: str) -> None:
    """No solution at all, or none that differs, cannot be asked for."""
    with pytest.raises(SearchInputError, match=f"{what} must be 1 or more, got 0"):
        solve(free_lattice(2, 2), **{what: 0})  # type: ignore[arg-type]
    with pytest.raises(SearchInputError, match="time limit must be 0 seconds or more"):
        solve(free_lattice(2, 2), limit=Limit(-1.0, ticking()))


def test_a_draw_needs_something_that_draws() -> None:
    """Sampling without a generator is refused."""
    with pytest.raises(SearchInputError, match=r"rng must be a np\.random\.Generator for sample"):
        solve(free_lattice(2, 2), Strategy(name="sample"))
