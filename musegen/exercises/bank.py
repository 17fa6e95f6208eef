"""Banks of items: as many as wanted, one a line, made by several processes, taken up where they stopped.

An item is a pure function of kind, level and seed, so that it does not matter which process makes it.
Lines come in the order in which `musegen.exercises.papers.each_item` gives the items, with the same
questions passed over; a kind that has run out of different items at its level is left out from then
on. The bytes depend on the order alone. What is finished stands in a file beside
the bank, named after the order, until all of it is there.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from musegen.errors import OptionError, OutputError
from musegen.exercises.kinds import Setting, kind
from musegen.exercises.making import Fresh, MakingError, make_item, question
from musegen.exercises.papers import Order, check_order
from musegen.exercises.records import record_values
from musegen.io.files import check_file_target

__all__ = ["MOST_WORKERS", "Banked", "item_line", "part_of", "write_bank"]

MOST_WORKERS = 64
CHUNK = 4  # items that a process makes at a time
ROUND = 64  # items a worker between two writings; of many rows at least one each
Row = tuple[str, int]  # kind and level
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Items of consecutive seeds."""

    row: Row
    first: int  # seed
    count: int
    setting: Setting
    order: Order


@dataclass(frozen=True, slots=True)
class _Line:
    """An item as it is written."""

    text: str
    digest: bytes  # of its question


@dataclass(slots=True)
class _Stream:
    """How far a row has come."""

    seed: int  # the next to be tried
    fresh: Fresh[bytes] = field(default_factory=Fresh)


@dataclass(slots=True)
class _Turns:
    """Whose turn it is."""

    rows: deque[Row]  # those that have not run out, the next first
    streams: dict[Row, _Stream]


@dataclass(frozen=True, slots=True)
class Banked:
    """What came of a bank."""

    kept: int  # items that were there already, of an earlier run
    spent: tuple[Row, ...]  # rows that ran out of different items


def write_bank(
    order: Order, path: Path, *, workers: int = 1, force: bool = False, told: Told | None = None
) -> Banked:
    """Make a bank; one that was interrupted goes on where it stopped.

    Args:
        order: what is asked for.
        path: file of the bank (JSON Lines); appears when it is whole.
        workers: processes, 1 to 64; the bytes do not depend on them.
        force: replace a file that is there.
        told: hears how many are done, and of how many.

    Raises:
        OptionError: a number out of range.
        OutputError: the file is there or cannot be made, or what an earlier run left is not of this
            order.
        MakingError: the kinds have not so many different items at their levels.
    """
    check_order(order)
    if not 1 <= workers <= MOST_WORKERS:
        raise OptionError("--jobs", workers, f"from 1 to {MOST_WORKERS}")
    check_file_target(path, force=force)
    try:
        return _written(order, path, workers, told or _silent)
    except OSError as error:
        raise OutputError(path, f"cannot be made: {error.strerror or error}") from error


def _silent(_done: int, _total: int) -> None:
    """Nobody looks on."""


def _written(order: Order, path: Path, workers: int, told: Told) -> Banked:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(order, path)
    turns = _Turns(deque(order.rows), {row: _Stream(order.seed) for row in order.rows})
    kept = done = _taken_up(part, order, turns)
    with _running(workers) as run, part.open("ab") as file:
        while done < order.count:
            told(done, order.count)
            size = max(len(turns.rows), ROUND * workers)
            lines = _round(order, min(size, order.count - done), turns, run)
            file.write("".join(lines).encode())
            file.flush()
            done += len(lines)
    os.replace(part, path)
    return Banked(kept, tuple(row for row in turns.streams if row not in turns.rows))


def part_of(order: Order, path: Path) -> Path:
    """Where an unfinished bank stands: its name tells the order, the version of each kind and ours.

    It does not tell the count: a shorter bank is the beginning of a longer one.
    """
    kinds = [(name, level, kind(name).version) for name, level in order.rows]
    told = [kinds, order.seed, order.lang, record_values(order.setting)]
    text = json.dumps([*told, version("musegen")])
    return path.with_name(f"{path.name}.{blake2b(text.encode(), digest_size=6).hexdigest()}.part")


def item_line(order: Order, row: Row, seed: int) -> tuple[str, tuple[str, ...]]:
    """The line of one item, and its question; raises MakingError."""
    made = make_item(row[0], row[1], seed, setting=order.setting, lang=order.lang)
    values = json.loads(made.item.to_json())
    return json.dumps(values, ensure_ascii=False) + "\n", _question(values)


def _question(values: dict[str, Any]) -> tuple[str, ...]:
    given = values["given"]
    heard = given["heard"]["musicxml"] if given["heard"] else ""
    return question(values["key"], given["text"], heard, values["solutions"]["accepted"])


# --- making ---------------------------------------------------------------------------------


Run = Callable[[Sequence[_Chunk]], Iterable[tuple[_Line, ...]]]


def _round(order: Order, size: int, turns: _Turns, run: Run) -> list[str]:
    """The next lines, each row in its turn, at most so many; a row that has run out is passed over."""
    places = list(islice(cycle(turns.rows), size))
    turns.rows.rotate(-size)
    found = {row: iter(lines) for row, lines in _by_row(order, places, turns, run).items()}
    lines = [line for row in places for line in islice(found[row], 1)]
    turns.rows = deque(row for row in turns.rows if not turns.streams[row].fresh.spent)
    if not turns.rows and len(lines) < size:
        known = sum(len(each.fresh.seen) for each in turns.streams.values())
        raise MakingError(f"only {known} different items, {order.count} were asked")
    return lines


def _by_row(order: Order, places: Sequence[Row], turns: _Turns, run: Run) -> dict[Row, list[str]]:
    """Lines of a round by row; where a question came already, the row goes on to further seeds."""
    wanted = Counter(places)
    found: dict[Row, list[str]] = {row: [] for row in wanted}
    while True:
        chunks = [
            chunk
            for row, lines in found.items()
            for chunk in _chunks(order, row, wanted[row] - len(lines), turns.streams[row])
        ]
        if not chunks:
            return found
        for chunk, lines in zip(chunks, run(chunks), strict=True):
            fresh = turns.streams[chunk.row].fresh
            found[chunk.row] += [each.text for each in lines if fresh.take(each.digest)]


def _chunks(order: Order, row: Row, count: int, stream: _Stream) -> Iterator[_Chunk]:
    for start in range(0, 0 if stream.fresh.spent else count, CHUNK):
        size = min(CHUNK, count - start)
        yield _Chunk(row, stream.seed, size, order.setting, order)
        stream.seed += size


def _made(chunk: _Chunk) -> tuple[_Line, ...]:
    seeds = range(chunk.first, chunk.first + chunk.count)
    lines = (item_line(chunk.order, chunk.row, seed) for seed in seeds)
    return tuple(_Line(text, _digest(asked)) for text, asked in lines)


def _digest(asked: tuple[str, ...]) -> bytes:
    return blake2b(repr(asked).encode(), digest_size=16).digest()


@contextmanager
def _running(workers: int) -> Iterator[Run]:
    """What makes chunks, in their order: here, or in processes that leave Ctrl-C to us."""
    if workers == 1:
        yield lambda chunks: map(_made, chunks)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN)
    ) as pool:
        try:
            yield lambda chunks: pool.map(_made, chunks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


# --- going on -------------------------------------------------------------------------------


def _taken_up(part: Path, order: Order, turns: _Turns) -> int:
    """Bring the rows to where an earlier run stopped; how many items it left.

    A line that was cut off is taken away.
    """
    if not part.exists():
        return 0
    done, whole = 0, 0
    with part.open("rb") as file:
        for line in islice(file, order.count):
            if not line.endswith(b"\n"):
                break
            try:
                _follow(json.loads(line), turns)
            except (ValueError, KeyError, TypeError, IndexError):
                said = f"line {done + 1} is not of this bank; remove the file"
                raise OutputError(part, said) from None
            done, whole = done + 1, whole + len(line)
    with part.open("r+b") as file:
        file.truncate(whole)
    return done


def _follow(values: dict[str, Any], turns: _Turns) -> None:
    """Take the turn of a line; rows that had run out were passed over."""
    row, seed = (values["id"], values["level"]), values["seed"]
    while turns.rows[0] != row:
        turns.rows.popleft()
    stream = turns.streams[row]
    if seed < stream.seed or not stream.fresh.take(_digest(_question(values))):
        raise ValueError
    stream.seed = seed + 1
    turns.rows.rotate(-1)
