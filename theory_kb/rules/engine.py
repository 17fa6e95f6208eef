"""How rules become kernels, and how kernels run over note arrays.

A rule kernel is a plain function of one signature,

    kernel(earlier, before, now, p) -> int64

of three MOMENT records and its parameters, in the order its decorator names them. It answers 0
where all is well; else bit 8 * u + l for each offending pair of voices u < l, or bit 9 * v for a
single voice. `@kernel(...)` only registers it: it is compiled, and cached on disk, the first time
a style asks for it, so that importing this package compiles nothing. Rules that look at a whole
piece are ordinary functions, registered by `@piece_rule(...)`.

Two drivers loop over the kernels by address. They are compiled once, whatever the number of
rules: a tuple of functions would be compiled anew for each length and costs 36 microseconds a
kernel and call to unpack.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import platformdirs
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from theory_kb.errors import MusegenError
from theory_kb.moment import MOMENT, Moments
from theory_kb.rules.exceptions import WIDTH, spare

if TYPE_CHECKING:
    import theory_kb.rules.piece

__all__ = [
    "Kernel",
    "KernelError",
    "PieceRule",
    "Spared",
    "address",
    "kernel",
    "kernels",
    "pair_bit",
    "piece_rule",
    "piece_rules",
    "run_costs",
    "run_offences",
    "spared",
    "voice_bit",
]

RECORD = numba.from_dtype(MOMENT)
POINTER: Any = types.CPointer  # has no types
PARAMETERS = POINTER(types.float64)  # passes in a register, an array does not
SIGNATURE = types.int64(RECORD, RECORD, RECORD, PARAMETERS)

Function = Callable[..., Any]
PieceFunction = Callable[
    ["theory_kb.rules.piece.Piece", Mapping[str, float]], "Iterator[theory_kb.rules.piece.Offence]"
]


class KernelError(MusegenError):
    """Two rules of one name, or a kernel that was asked for and does not exist."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A rule on at most three moments, not yet compiled."""

    id: str
    function: Function
    params: tuple[str, ...]  # names of p[0], p[1], ...


@dataclass(frozen=True, slots=True)
class PieceRule:
    """A rule on a whole piece."""

    id: str
    function: PieceFunction
    params: tuple[str, ...]  # names of its parameters


KERNELS: dict[str, Kernel] = {}
PIECE_RULES: dict[str, PieceRule] = {}


def rule_id(function: Function) -> str:
    """Id of the rule that a function implements: its name with dashes."""
    return function.__name__.replace("_", "-")


def kernel(*params: str) -> Callable[[Function], Function]:
    """Register a kernel under the id its name spells; `params` name the entries of `p`."""

    def register(function: Function) -> Function:
        name = rule_id(function)
        if name in KERNELS:
            raise KernelError(f"two kernels are named {name!r}; ids of rules are unique")
        KERNELS[name] = Kernel(name, function, params)
        return function

    return register


def piece_rule(*params: str) -> Callable[[PieceFunction], PieceFunction]:
    """Register a rule on a whole piece under the id its name spells."""

    def register(function: PieceFunction) -> PieceFunction:
        name = rule_id(function)
        if name in PIECE_RULES:
            raise KernelError(f"two rules are named {name!r}; ids of rules are unique")
        PIECE_RULES[name] = PieceRule(name, function, params)
        return function

    return register


def kernels() -> Mapping[str, Kernel]:
    """Every kernel by rule id."""
    return KERNELS


def piece_rules() -> Mapping[str, PieceRule]:
    """Every rule on whole pieces by id."""
    return PIECE_RULES


HELPERS: list[Any] = []
OPTIONS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
bare_njit: Callable[[Function], Any] = njit(**OPTIONS)
ANNOTATED = {
    "Moment": RECORD,
    "int": types.int64,
    "bool": types.boolean,
    "float": types.float64,
    "Any": PARAMETERS,
}


def helper(function: Function) -> Function:
    """Make a function callable from kernels; it is compiled with them, not before."""
    compiled = bare_njit(function)
    HELPERS.append(compiled)
    return compiled


def _compile_helpers(function: Function) -> None:
    """Compile each helper that a function calls, once, for the types it names.

    Left to the kernels, numba would compile a helper anew for each kind of integer it meets,
    which makes the first start half as long again.
    """
    for name in function.__code__.co_names:
        called = function.__globals__.get(name)
        if any(called is each for each in HELPERS):
            _compile_helper(called)


@cache
def _compile_helper(called: Any) -> None:
    _compile_helpers(called.py_func)
    arguments = list(called.py_func.__annotations__.items())[:-1]
    called.compile(tuple(ANNOTATED[kind] for _, kind in arguments))
    called.disable_compile()


@helper
def voice_bit(voice: int) -> int:
    """The bit of one voice."""
    return 1 << (9 * voice)


@helper
def pair_bit(upper: int, lower: int) -> int:
    """The bit of two voices, the higher-named one first."""
    return 1 << (8 * upper + lower)


# ------------------------------------------------------------------------------- disk cache


def _stamp() -> str:
    """Hash of what any kernel may use of other files; numba itself sees to a kernel's own file."""
    here = Path(__file__).parent
    names = ("engine.py", "exceptions.py", "measure.py", "../moment.py")
    sources = [here / name for name in names]
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels lie on disk, None where nothing can be written."""
    folder = Path(platformdirs.user_cache_dir("musegen")) / "kernels" / _stamp()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


@contextmanager
def _cached() -> Iterator[bool]:
    """Point numba's cache at our folder while something compiles; yields whether there is one."""
    settings: Any = numba.config
    folder, outer = cache_folder(), settings.CACHE_DIR
    if folder is not None:
        settings.CACHE_DIR = str(folder)
    try:
        yield folder is not None
    finally:
        settings.CACHE_DIR = outer


@cache
def _cached_kernels() -> frozenset[str]:
    """Functions of the kernels that lay on disk when the first of them was asked for."""
    folder = cache_folder()
    files = folder.rglob("*.nbi") if folder is not None else ()
    return frozenset(path.name.partition("-")[0].rpartition(".")[2] for path in files)


# ------------------------------------------------------------------------- kernels, compiled


@cache
def _compiled(name: str) -> Any:
    if name not in KERNELS:
        raise KernelError(f"no kernel is named {name!r}")
    function = KERNELS[name].function
    with _cached() as cached:
        if function.__name__ not in _cached_kernels():
            _compile_helpers(function)
        compile_ = numba.cfunc(SIGNATURE, cache=cached, error_model="numpy")
        return compile_(function)


def address(name: str) -> int:
    """Address of the compiled kernel of a rule; compiles it, or loads it, on first demand."""
    return int(_compiled(name).address)


def _emit_call(  # type: ignore[no-untyped-def]
    context, where, earlier, before, now, params
):
    """Call the kernel at an address, its parameters at another: numba signature and code."""
    signature = types.int64(types.int64, RECORD, RECORD, RECORD, types.int64)

    def emit(context, builder, signature, values):  # type: ignore[no-untyped-def]
        accepted = [context.get_value_type(one) for one in SIGNATURE.args]
        function = ir.FunctionType(context.get_value_type(signature.return_type), accepted)
        where, *moments, params = values
        found = builder.inttoptr(params, accepted[-1])
        return builder.call(builder.inttoptr(where, function.as_pointer()), [*moments, found])

    return signature, emit


_call: Any = intrinsic(_emit_call)


def _offences(  # type: ignore[no-untyped-def]
    kernels, params, spans, exceptions, earlier, before, now, hits
):
    for moment in range(len(now)):
        for rule in range(len(kernels)):
            hit = _call(kernels[rule], earlier[moment], before[moment], now[moment], params[rule])
            if hit != 0 and spans[rule] < spans[rule + 1]:
                hit = spare(
                    hit, exceptions, spans[rule], spans[rule + 1], before[moment], now[moment]
                )
            hits[moment, rule] = hit


def _costs(  # type: ignore[no-untyped-def]  # noqa: PLR0913
    kernels,
    params,
    spans,
    exceptions,
    weights,
    hard,
    order,
    earlier,
    before,
    now,
    rows,
    columns,
    legal,
    costs,
):
    """One rule after the other, on the pairs that no rule before has struck out.

    So a kernel stays where the processor looks for it, and the next is not guessed anew for each
    pair; the order of the additions to one cost is the one given.
    """
    left = len(legal)
    for rule in order:
        kernel, param, weight = kernels[rule], params[rule], weights[rule]
        first, last = spans[rule], spans[rule + 1]
        kept = 0
        for place in range(left):
            pair = legal[place]
            row, column = rows[pair], columns[pair]
            hit = _call(kernel, earlier[row], before[row], now[column], param)
            if hit != 0 and first < last:
                hit = spare(hit, exceptions, first, last, before[row], now[column])
            if hit == 0 or rule >= hard:
                legal[kept] = pair
                kept += 1
                if hit != 0:
                    costs[pair] += weight
            else:
                costs[pair] = np.inf
        left = kept


MOMENTS = types.Array(RECORD, 1, "C")
INTEGERS, FLOATS = types.int64[::1], types.float64[::1]
TABLE = types.int64[:, ::1]
OFFENCES_SIGNATURE = types.void(
    INTEGERS, INTEGERS, INTEGERS, TABLE, MOMENTS, MOMENTS, MOMENTS, TABLE
)
COSTS_SIGNATURE = types.void(
    INTEGERS,
    INTEGERS,
    INTEGERS,
    TABLE,
    FLOATS,
    types.int64,
    INTEGERS,
    MOMENTS,
    MOMENTS,
    MOMENTS,
    INTEGERS,
    INTEGERS,
    INTEGERS,
    FLOATS,
)


@cache
def _driver(name: str) -> Function:
    function, signature = {
        "offences": (_offences, OFFENCES_SIGNATURE),
        "costs": (_costs, COSTS_SIGNATURE),
    }[name]
    with _cached() as cached:
        compile_: Any = njit(signature, cache=cached, nogil=True)
        compiled: Function = compile_(function)
    return compiled


@dataclass(frozen=True, slots=True, eq=False)
class Spared:
    """What a style's exceptions take out of the answers of some kernels."""

    spans: NDArray[np.int64]  # (R + 1,): rows of rule i are spans[i] to spans[i + 1]
    rows: NDArray[np.int64]  # (X, WIDTH), see `exceptions`


def spared(rows: Sequence[Sequence[Sequence[int]]]) -> Spared:
    """The exceptions of each of some rules as one table."""
    counts = [len(each) for each in rows]
    flat = [row for each in rows for row in each]
    return Spared(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array(flat, np.int64).reshape(-1, WIDTH),
    )


def run_offences(
    kernels: NDArray[np.int64],
    params: NDArray[np.float64],
    earlier: Moments,
    before: Moments,
    now: Moments,
    *,
    exceptions: Spared | None = None,
) -> NDArray[np.int64]:
    """Answer of every kernel on every moment.

    Args:
        kernels: addresses, (R,).
        params: one row of parameters a rule, (R, P).
        earlier: moments two steps back, (K,).
        before: moments one step back, (K,).
        now: moments, (K,).
        exceptions: of a style, none if it is not given.

    Returns:
        Bits of offending voices, (K, R); 0 where a rule is kept.
    """
    hits = np.zeros((len(now), len(kernels)), np.int64)
    if hits.size:
        table = exceptions or spared([()] * len(kernels))
        places = _addresses(params)
        _driver("offences")(kernels, places, table.spans, table.rows, earlier, before, now, hits)
    return hits


def run_costs(
    kernels: NDArray[np.int64],
    params: NDArray[np.float64],
    weights: NDArray[np.float64],
    hard: int,
    triple: tuple[Moments, Moments, Moments],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    exceptions: Spared | None = None,
    order: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Soft cost of each pair of moments; infinite where a hard rule breaks.

    Args:
        kernels: addresses, hard rules first, (R,).
        params: one row of parameters a rule, (R, P).
        weights: cost of breaking each rule, (R,).
        hard: how many of the rules are hard.
        triple: earlier (N,), before (N,) and now (M,) moments.
        pairs: index of `before` and `earlier`, and of `now`, of each pair, (K,) each.
        exceptions: of a style, none if it is not given.
        order: in which the rules are asked, (R,), and their costs added; if it is not given, as
            they stand.

    Returns:
        Costs, (K,).
    """
    rows, columns = pairs
    costs = np.zeros(len(rows))
    if len(rows) and len(kernels):
        table = exceptions or spared([()] * len(kernels))
        asked = np.arange(len(kernels)) if order is None else order
        judged = (kernels, _addresses(params), table.spans, table.rows, weights, hard, asked)
        legal = np.arange(len(rows))
        _driver("costs")(*judged, *triple, rows, columns, legal, costs)
    return costs


def _addresses(params: NDArray[np.float64]) -> NDArray[np.int64]:
    """Where each row of parameters lies in memory; good as long as the rows are."""
    assert params.flags.c_contiguous, "rows of parameters are read through pointers"
    return params.ctypes.data + np.arange(len(params)) * params.strides[0]
