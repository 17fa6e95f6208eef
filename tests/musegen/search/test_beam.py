"""Beam search, against a slow twin that lists everything and against trying everything."""

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.search.beam import BeamResult, beam_gap, beam_search
from musegen.search.errors import DeadEndError, InfeasibleError, SearchInputError
from musegen.search.lattice import FloatArray, IntArray, Lattice, PairTable
from musegen.search.optimum import first_order_optimum

seeds = st.integers(0, 2**32 - 1)
Path = tuple[int, ...]
FORBIDDEN = np.inf


def table(costs: FloatArray) -> PairTable:
    """A pair table of a matrix in which inf forbids."""
    legal = np.isfinite(costs)
    indptr = np.concatenate([[0], np.cumsum(legal.sum(axis=1))])
    return PairTable(indptr.astype(np.int64), np.nonzero(legal)[1].astype(np.int32), costs[legal])


class Case:
    """A small lattice of whole costs, its matrices, and what trying everything finds."""

    def __init__(self, seed: int, *, slots: int = 5, size: int = 4, share: float = 0.7) -> None:
        rng = np.random.default_rng(seed)
        self.unary = [
            np.where(rng.random(size) < 0.9, rng.integers(0, 9, size), np.inf) for _ in range(slots)
        ]
        self.matrices = [
            np.where(rng.random((size, size)) < share, rng.integers(0, 9, (size, size)), np.inf)
            for _ in range(slots - 1)
        ]
        self.lattice = Lattice(tuple(self.unary), tuple(table(each) for each in self.matrices))
        everything = product(range(size), repeat=slots)
        costs = {path: self.cost(path) for path in everything}
        self.paths = {path: cost for path, cost in costs.items() if np.isfinite(cost)}

    def cost(self, path: Path) -> float:
        """First-order cost of the beginning of a path, inf if it is forbidden."""
        total = sum(self.unary[slot][choice] for slot, choice in enumerate(path))
        steps = pairwise(path)
        return float(total + sum(self.matrices[slot][i, j] for slot, (i, j) in enumerate(steps)))

    def rest(self, begin: Path) -> float:
        """First-order cost of the cheapest way on from the beginning of a path."""
        ends = [cost for path, cost in self.paths.items() if path[: len(begin)] == begin]
        return min(ends, default=np.inf) - self.cost(begin)


class TableModel:
    """A proposer with a fixed score for each slot, choice before and choice; state is the latter."""

    def __init__(self, scores: FloatArray) -> None:
        self.table = scores  # (T, N + 1, N); row -1 of a slot is for no choice before
        self.asked: list[int] = []

    @classmethod
    def random(cls, seed: int, slots: int, size: int, *, forbid: float = 0.0) -> "TableModel":
        """Whole scores, so that sums are exact; some forbid."""
        rng = np.random.default_rng(seed)
        scores = rng.integers(-9, 1, (slots, size + 1, size)).astype(float)
        return cls(np.where(rng.random(scores.shape) < forbid, -np.inf, scores))

    def start(self) -> IntArray:
        """One hypothesis without a choice."""
        return np.array([-1])

    def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
        """The table's rows; candidates must ascend."""
        assert (np.diff(candidates) > 0).all()
        self.asked.append(slot)
        found: FloatArray = self.table[slot][state][:, candidates]
        return found

    def advance(self, slot: int, state: IntArray, parents: IntArray, chosen: IntArray) -> IntArray:
        """What was chosen is the state."""
        assert (parents < len(state)).all()
        return chosen.copy()

    def score(self, path: Path) -> float:
        """Score of the beginning of a path."""
        return float(
            sum(
                self.table[slot][before][choice]
                for slot, (before, choice) in enumerate(zip((-1, *path), path, strict=False))
            )
        )


class Rule:
    """A long rule given by its cost for the beginning of a path; counts what it was asked."""

    def __init__(self, cost: Callable[[Path], float]) -> None:
        self.cost = cost
        self.asked = 0

    def costs(
        self, slot: int, paths: IntArray, parents: IntArray, candidates: IntArray
    ) -> FloatArray:
        """One call of the rule for each way on."""
        assert paths.shape[1] == slot
        self.asked += len(candidates)
        begins = [(*paths[b].tolist(), int(c)) for b, c in zip(parents, candidates, strict=True)]
        return np.array([self.cost(begin) for begin in begins], np.float64)

    def total(self, path: Path) -> float:
        """Cost over all beginnings of a path."""
        return sum(self.cost(path[:end]) for end in range(1, len(path) + 1))


def even_threes(path: Path) -> float:
    """Forbids three choices running with an odd sum."""
    return FORBIDDEN if len(path) > 2 and sum(path[-3:]) % 2 else 0.0


def returns_home(path: Path) -> float:
    """Costs 5 for a choice other than that of three slots ago."""
    return 5.0 if len(path) > 3 and path[-1] != path[-4] else 0.0


def no_rule(path: Path) -> float:
    """Everything is free."""
    return 0.0


class Twin:
    """The same search by lists: every way on is judged, sorted, and given out a beam at a time."""

    def __init__(
        self, case: Case, model: TableModel, rule: Rule, *, width: int, guide: float
    ) -> None:
        self.case, self.model, self.rule, self.width, self.guide = case, model, rule, width, guide
        self.went_back = 0

    def score(self, path: Path) -> float:
        """What a path or its beginning is worth."""
        return self.model.score(path) - self.case.cost(path) - self.rule.total(path)

    def ways_on(self, beam: list[Path]) -> list[Path]:
        """Longer beginnings, best first, equals by their indices."""
        size = len(self.case.unary[0])
        grown = [(*begin, choice) for begin in beam for choice in range(size)]
        keys = {
            path: self.score(path) - self.guide * self.case.rest(path)
            for path in grown
            if np.isfinite(self.case.rest(path))
        }
        return sorted(
            (path for path in keys if np.isfinite(keys[path])), key=lambda path: (-keys[path], path)
        )

    def search(self, beam: list[Path]) -> list[Path]:
        """The last beam, best first; empty if there is none."""
        ways = self.ways_on(beam)
        if not ways:
            self.went_back += 1
        while ways:
            chosen, ways = ways[: self.width], ways[self.width :]
            done = len(chosen[0]) == len(self.case.unary)
            found = chosen if done else self.search(chosen)
            if found:
                return found
        return []


def tuples(found: BeamResult) -> list[Path]:
    """Paths as tuples."""
    return [tuple(path.tolist()) for path in found.paths]


# --- first-order costs alone ----------------------------------------------------------------


def test_path_of_three_slots_by_hand() -> None:
    """0 to 1 to 0 costs 1 + 2 + 0 + 1 + 1 = 5; both terms and totals say so."""
    lattice = Lattice(
        (np.array([1.0, 5.0]), np.array([9.0, 0.0]), np.array([1.0, 8.0])),
        (table(np.array([[0.0, 2.0], [0.0, 0.0]])), table(np.array([[0.0, 0.0], [1.0, 0.0]]))),
    )
    found = beam_search(lattice, width=2)
    assert tuples(found) == [(0, 1, 0)]
    assert found.scores == (-5.0,)
    assert found.terms == ({"rules": -5.0, "look_back": 0.0, "models": 0.0},)
    assert found.complete


def test_greedy_without_guide_takes_the_bait() -> None:
    """The cheap first step leads to the dear end; the guide sees that, and so does a wider beam."""
    lattice = Lattice(
        (np.array([0.0, 1.0]), np.zeros(2)), (table(np.array([[9.0, 9.0], [9.0, 0.0]])),)
    )
    assert beam_gap(lattice, 1) == (9.0, 1.0)
    assert beam_gap(lattice, 2) == (1.0, 1.0)
    assert beam_search(lattice, width=1).scores == (-1.0,)


@given(seed=seeds)
def test_wide_beam_finds_the_best_path(seed: int) -> None:
    """A beam wide enough to keep everything is as good as trying everything, without a guide."""
    case = Case(seed)
    if case.paths:
        best = min(case.paths.values())
        assert beam_gap(case.lattice, 4**5) == (best, best)
        found = beam_search(case.lattice, width=4**5, guide=0.0)
        assert tuples(found) == [min(path for path, cost in case.paths.items() if cost == best)]
    else:
        with pytest.raises(InfeasibleError):
            beam_search(case.lattice)


@given(seed=seeds)
def test_beam_of_one_with_guide_is_optimal(seed: int) -> None:
    """With the exact cost to go as guide even the narrowest beam finds the first-order optimum."""
    case = Case(seed)
    if case.paths:
        optimum = first_order_optimum(case.lattice)
        found = beam_search(case.lattice, width=1)
        assert found.scores == (-optimum.cost,)
        assert tuples(found) == [tuple(optimum.path.tolist())]


@given(seed=seeds, width=st.integers(1, 9))
def test_gap_is_never_negative(seed: int, width: int) -> None:
    """No beam is better than the exact optimum."""
    case = Case(seed)
    if case.paths:
        found, optimum = beam_gap(case.lattice, width)
        assert found >= optimum


def test_one_slot_is_a_lattice() -> None:
    """A single slot has its cheapest candidate for a path, the first of equals."""
    found = beam_search(Lattice((np.array([3.0, np.inf, 1.0, 1.0]),), ()), width=1)
    assert tuples(found) == [(2,)]


# --- models and long rules ------------------------------------------------------------------


@given(
    seed=seeds,
    width=st.integers(1, 6),
    guide=st.sampled_from([0.0, 0.5, 1.0]),
    cost=st.sampled_from([no_rule, even_threes, returns_home]),
    forbid=st.sampled_from([0.0, 0.2]),
)
def test_beam_is_what_its_twin_finds(
    seed: int, width: int, guide: float, cost: Callable[[Path], float], forbid: float
) -> None:
    """Same paths, scores and turns back as a twin that judges every way on and sorts them all."""
    case = Case(seed, size=3)
    model, rule = TableModel.random(seed + 1, 5, 3, forbid=forbid), Rule(cost)
    twin = Twin(case, model, rule, width=width, guide=guide)
    wanted = twin.search([()]) if case.paths else []
    if wanted:
        found = beam_search(
            case.lattice,
            scorer=model,
            look_back=rule,
            width=width,
            guide=guide,
            top=width,
            patience=10_000,
            pool=None,
        )
        assert tuples(found)[: len(wanted)] == wanted
        assert found.scores[: len(wanted)] == tuple(twin.score(path) for path in wanted)
        assert found.discrepancies == twin.went_back
    else:
        with pytest.raises((DeadEndError, InfeasibleError)):
            beam_search(
                case.lattice,
                scorer=model,
                look_back=rule,
                width=width,
                guide=guide,
                patience=10_000,
                pool=None,
            )


@given(seed=seeds)
def test_models_and_costs_add_up(seed: int) -> None:
    """A wide beam maximises score less costs; the terms of each path add up to its score."""
    case = Case(seed)
    model, rule = TableModel.random(seed + 1, 5, 4), Rule(returns_home)
    if case.paths:
        worth = {
            path: model.score(path) - cost - rule.total(path) for path, cost in case.paths.items()
        }
        found = beam_search(case.lattice, scorer=model, look_back=rule, width=4**5, top=10)
        assert list(found.scores) == sorted(worth.values(), reverse=True)[:10]
        for path, score, terms in zip(tuples(found), found.scores, found.terms, strict=True):
            assert score == worth[path]
            assert terms == {
                "rules": -case.cost(path),
                "look_back": -rule.total(path),
                "models": model.score(path),
            }


def test_models_are_asked_once_a_slot_and_only_for_what_lives() -> None:
    """One call a slot, for the union of what the hypotheses may go on to and can end from."""
    calls: list[tuple[int, list[int]]] = []

    class Listener(TableModel):
        def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
            calls.append((slot, candidates.tolist()))
            return super().scores(slot, state, candidates)

    no = np.inf
    lattice = Lattice(
        (np.zeros(2), np.zeros(3), np.zeros(2)),
        (table(np.array([[0, 0, no], [no, 0, 0]])), table(np.array([[0, no], [no, 0], [no, no]]))),
    )
    beam_search(lattice, scorer=Listener(np.zeros((3, 4, 3))), width=4)
    assert calls == [(0, [0, 1]), (1, [0, 1]), (2, [0, 1])]


def test_long_rules_are_asked_only_about_what_may_be_kept() -> None:
    """Of a million ways on through ten slots a narrow beam has but its best ones judged."""
    rng = np.random.default_rng(1)
    lattice = Lattice(
        tuple(rng.random(300) for _ in range(10)),
        tuple(table(rng.random((300, 300))) for _ in range(9)),
    )
    rule = Rule(no_rule)
    found = beam_search(lattice, look_back=rule, width=8)
    assert found.expanded > 20_000
    assert rule.asked < 1_000


# --- going back -----------------------------------------------------------------------------


@given(seed=seeds, width=st.integers(1, 3))
def test_going_back_makes_the_narrow_beam_complete(seed: int, width: int) -> None:
    """Where the long rule allows a single path, even the narrowest beam finds it."""
    case = Case(seed)
    if not case.paths:
        return
    target = sorted(case.paths)[seed % len(case.paths)]

    def only_target(path: Path) -> float:
        return FORBIDDEN if len(path) == len(target) and path != target else 0.0

    found = beam_search(
        case.lattice, look_back=Rule(only_target), width=width, patience=10**6, pool=None
    )
    assert tuples(found) == [target]


@given(seed=seeds, share=st.floats(0.1, 0.6))
@settings(max_examples=50)
def test_a_path_is_found_if_and_only_if_there_is_one(seed: int, share: float) -> None:
    """A long rule that forbids at random, by whole beginnings: found, or rightly given up."""
    case = Case(seed, size=3)

    def at_random(path: Path) -> float:
        draw = np.random.default_rng([seed, *path]).random()
        return FORBIDDEN if len(path) > 1 and draw > share else 0.0

    rule = Rule(at_random)
    legal = [path for path in case.paths if np.isfinite(rule.total(path))]
    if legal:
        found = beam_search(case.lattice, look_back=rule, width=1, patience=10**6, pool=None)
        assert tuples(found)[0] in legal
    elif case.paths:
        with pytest.raises(DeadEndError, match="every way on that was kept"):
            beam_search(case.lattice, look_back=rule, width=1, patience=10**6, pool=None)


def free_lattice(slots: int, size: int) -> Lattice:
    """Anything may follow anything at no cost."""
    return Lattice((np.zeros(size),) * slots, (table(np.zeros((size, size))),) * (slots - 1))


def test_patience_ends() -> None:
    """Where nothing goes on past slot 3, the search goes back as often as allowed, then says so."""
    rule = Rule(lambda path: FORBIDDEN if len(path) == 4 else 0.0)
    with pytest.raises(DeadEndError, match=r"^slot 3: .*after going back 7 times") as caught:
        beam_search(free_lattice(6, 4), look_back=rule, width=2, patience=7)
    assert caught.value.slot == 3


def test_no_patience_is_a_plain_beam() -> None:
    """With patience 0 the first dead end is the last."""
    rule = Rule(lambda path: FORBIDDEN if len(path) == 2 and path[0] < 2 else 0.0)
    with pytest.raises(DeadEndError, match="slot 1"):
        beam_search(free_lattice(3, 4), look_back=rule, width=2, patience=0)
    found = beam_search(free_lattice(3, 4), look_back=rule, width=2, patience=1)
    assert tuples(found) == [(2, 0, 0)]
    assert found.discrepancies == 1


def test_a_small_pool_forgets() -> None:
    """Each slot keeps what its pool holds: the way out is there with a pool of 3, not of 1."""
    rule = Rule(lambda path: FORBIDDEN if len(path) == 2 and path[0] < 3 else 0.0)
    found = beam_search(free_lattice(3, 4), look_back=rule, width=1, pool=3)
    assert tuples(found) == [(3, 0, 0)]
    with pytest.raises(DeadEndError, match="that was kept"):
        beam_search(free_lattice(3, 4), look_back=rule, width=1, pool=1)


def test_states_follow_the_way_back() -> None:
    """After going back the model scores from the state of the slot gone back to."""
    case = Case(11, size=3, share=1.0)
    model = TableModel.random(12, 5, 3)
    rule = Rule(lambda path: FORBIDDEN if len(path) == 4 and path[1] == 2 else 0.0)
    found = beam_search(case.lattice, scorer=model, look_back=rule, width=1)
    path = tuples(found)[0]
    assert found.discrepancies > 0
    assert found.terms[0]["models"] == model.score(path)


# --- noise ----------------------------------------------------------------------------------


def test_noise_changes_the_path_but_not_its_worth() -> None:
    """With a temperature seeds differ, equal seeds agree, and reported scores are free of noise."""
    case = Case(3, slots=6, share=1.0)
    found = [
        beam_search(case.lattice, width=4, rng=np.random.default_rng(seed), temperature=9.0)
        for seed in (0, 0, 1, 2, 3)
    ]
    paths = [tuples(each)[0] for each in found]
    assert paths[0] == paths[1]
    assert len(set(paths)) > 1
    assert [each.scores[0] for each in found] == [-case.cost(path) for path in paths]


def test_noise_of_a_single_slot_draws_by_the_softmax() -> None:
    """Gumbel noise on logs of shares 1 : 2 : 7 draws them in that proportion (Gumbel 1954)."""
    lattice = Lattice((-np.log([0.1, 0.2, 0.7]),), ())
    rng = np.random.default_rng(0)
    drawn = [
        int(beam_search(lattice, width=1, rng=rng, temperature=1.0).paths[0][0])
        for _ in range(4000)
    ]
    expected = 4000 * np.array([0.1, 0.2, 0.7])
    assert ((np.bincount(drawn) - expected) ** 2 / expected).sum() < 13.82  # 0.1 %, 2 degrees


@given(seed=seeds)
def test_same_seed_same_result(seed: int) -> None:
    """Two runs agree in everything, noise, models, long rules and all."""
    case = Case(seed, share=1.0)
    if not case.paths:
        return

    def run() -> BeamResult:
        return beam_search(
            case.lattice,
            scorer=TableModel.random(seed, 5, 4),
            look_back=Rule(returns_home),
            width=3,
            rng=np.random.default_rng(seed),
            temperature=1.0,
            top=3,
        )

    one, other = run(), run()
    assert tuples(one) == tuples(other)
    assert (one.scores, one.terms, one.expanded) == (other.scores, other.terms, other.expanded)


def test_ties_fall_to_the_smaller_indices() -> None:
    """Where all cost the same the paths come in lexicographic order, whatever the width."""
    for width in (1, 2, 5, 64):
        found = beam_search(free_lattice(3, 4), width=width, top=min(width, 4))
        assert tuples(found) == [(0, 0, choice) for choice in range(min(width, 4))]


# --- several paths --------------------------------------------------------------------------


def test_as_many_paths_as_there_are() -> None:
    """Asked for more paths than exist, it gives all, each once."""
    found = beam_search(free_lattice(2, 3), width=4, top=100)
    assert sorted(tuples(found)) == list(product(range(3), repeat=2))


# --- being stopped --------------------------------------------------------------------------


def stop_after(slots: int) -> Callable[[], bool]:
    """Says stop from its call number `slots` (counted from 0) on."""
    calls = iter(range(10**6))
    return lambda: next(calls) >= slots


@given(seed=seeds)
def test_stopped_at_once_it_gives_the_first_order_optimum(seed: int) -> None:
    """Before any model was asked there are the costs to go by."""
    case = Case(seed)
    model = TableModel.random(seed, 5, 4)
    if case.paths:
        found = beam_search(case.lattice, scorer=model, width=2, should_stop=stop_after(0))
        assert tuples(found) == [tuple(first_order_optimum(case.lattice).path.tolist())]
        assert (found.complete, found.stopped, model.asked) == (False, 0, [])


@given(seed=seeds, width=st.integers(1, 4))
def test_stopped_on_the_way_it_completes_by_costs_and_long_rules(seed: int, width: int) -> None:
    """The models score the first two slots; the rest is cheap, and legal under the long rule."""
    case = Case(seed, size=3)
    model, rule = TableModel.random(seed + 1, 5, 3), Rule(even_threes)
    legal = {path for path in case.paths if np.isfinite(rule.total(path))}
    if legal:
        found = beam_search(
            case.lattice,
            scorer=model,
            look_back=rule,
            width=width,
            patience=10**6,
            pool=None,
            should_stop=stop_after(2),
        )
        path = tuples(found)[0]
        assert set(model.asked) <= {0, 1}
        assert path in legal
        assert not found.complete
        assert found.stopped is not None
        assert found.terms[0]["models"] == model.score(path[: found.stopped])


def test_not_stopped_it_says_so() -> None:
    """A search that ends before it is stopped is complete."""
    found = beam_search(free_lattice(3, 2), should_stop=stop_after(3))
    assert found.complete
    assert found.stopped is None


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "width must be 1 or more, got 0"),
        ({"top": 0}, "top must be 1 or more, got 0"),
        ({"patience": -1}, "patience must be 0 or more, or None, got -1"),
        ({"pool": 0}, "pool must be 1 or more, or None, got 0"),
        ({"temperature": -1.0}, "temperature must be 0 or more, and finite, got -1.0"),
        ({"guide": float("nan")}, "guide must be 0 or more, and finite, got nan"),
        ({"temperature": 1.0}, "rng must be a np.random.Generator where there is temperature"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, int], said: str) -> None:
    """The refusal names the option, what came and what is allowed."""
    with pytest.raises(SearchInputError, match=said):
        beam_search(free_lattice(2, 2), **options)  # type: ignore[arg-type]


def test_no_path_names_the_slot() -> None:
    """A lattice without a path is refused before anything is scored."""
    lattice = Lattice((np.zeros(2),) * 2, (table(np.full((2, 2), np.inf)),))
    with pytest.raises(InfeasibleError, match=r"^slot 1: none of 2 candidates may follow"):
        beam_search(lattice)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (np.zeros((2, 2)), r"scores of slot 0 must be of shape \(1, 2\).* got shape \(2, 2\)"),
        (np.array([[0.0, np.nan]]), "scores of slot 0 must be finite, or -inf to forbid"),
        (np.array([[0.0, np.inf]]), "scores of slot 0 must be finite, or -inf to forbid"),
    ],
)
def test_scores_that_are_none_are_refused(scores: FloatArray, said: str) -> None:
    """A model's wrong answer is named with its slot, not searched with."""

    class Wrong(TableModel):
        def scores(self, slot: int, state: IntArray, candidates: IntArray) -> FloatArray:
            return scores

    with pytest.raises(SearchInputError, match=said):
        beam_search(free_lattice(2, 2), scorer=Wrong(np.zeros((2, 3, 2))))


@pytest.mark.parametrize("cost", [-1.0, float("nan")])
def test_long_rules_may_not_reward(cost: float) -> None:
    """A negative cost would spoil the bound that spares asking."""
    with pytest.raises(SearchInputError, match="look-back costs of slot 0 must be 0 or more"):
        beam_search(free_lattice(2, 2), look_back=Rule(lambda path: cost))


def test_models_that_forbid_everything_are_a_dead_end() -> None:
    """Minus infinity everywhere leaves nothing, and the message names models as well."""
    with pytest.raises(DeadEndError, match="or models, forbid"):
        beam_search(free_lattice(2, 2), scorer=TableModel(np.full((2, 3, 2), -np.inf)))
