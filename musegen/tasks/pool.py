"""Files one after another or several at a time: what comes of each, in their order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from musegen.errors import OptionError

__all__ = ["in_order"]

_T = TypeVar("_T")


def in_order(work: Callable[[Path], _T], paths: Sequence[Path], *, jobs: int = 1) -> Iterator[_T]:
    """What a function of the top level of a module makes of each file, as soon as it is there.

    Args:
        work: what is done with a file.
        paths: files.
        jobs: processes at work at a time.

    Raises:
        OptionError: fewer jobs than one.
    """
    if jobs < 1:
        raise OptionError("--jobs", jobs, "at least 1")
    if jobs == 1 or len(paths) < 2:
        yield from map(work, paths)
        return
    workers = ProcessPoolExecutor(
        min(jobs, len(paths)), get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        waiting = [workers.submit(work, path) for path in paths]
        for each in waiting:
            yield each.result()
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts() -> None:
    """An interrupt ends the process that keeps what is finished, and that ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
