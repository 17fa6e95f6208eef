"""One thread for linear algebra: the same bytes on every machine, and no threads that fight.

How a product of matrices is split among threads decides how its sums round. The products here are
small: with several processes at once, threads that wait for each other cost tenfold.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[Any]:
    """While it lasts, the linear algebra library that numpy calls has one thread."""
    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits
