"""Work on a Dask cluster: the same calls as here, on whatever workers a scheduler has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, TypeVar

import musegen
from musegen.errors import OptionError

__all__ = ["on_cluster"]

OPTION = "--scheduler"
PATIENCE = 10  # seconds for a scheduler to answer
_Made = TypeVar("_Made")
ONE = Lock()  # a worker with several threads does one piece at a time


def on_cluster(
    address: str, call: Callable[..., _Made], calls: Sequence[tuple[object, ...]]
) -> Iterator[_Made]:
    """What the calls give, as each is done; a worker that dies gives its call to another one.

    Args:
        address: of the scheduler, such as `tcp://10.0.0.7:8786`.
        call: a function that the workers can import.
        calls: its arguments.

    Raises:
        OptionError: the extra is not installed, nobody answers, there is no worker, or one has
            another version of musegen, which might compose something else.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        allowed = "left out, or run with the extra: pip install 'musegen[dask]'"
        raise OptionError(OPTION, address, allowed) from None
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:
        allowed = "the address of a Dask scheduler that answers, such as tcp://127.0.0.1:8786"
        raise OptionError(OPTION, address, allowed) from error
    with client:
        _check_workers(client, address)
        waiting = [client.submit(_alone, call, each, pure=False) for each in calls]
        try:
            for done in as_completed(waiting, loop=client.loop):
                yield done.result()
                done.release()
        except KilledWorker as error:
            allowed = "a cluster whose workers live; what is finished is kept, run it again"
            raise OptionError(OPTION, address, allowed) from error
        finally:
            client.cancel(waiting)


def _alone(call: Callable[..., _Made], arguments: tuple[object, ...]) -> _Made:
    with ONE:
        return call(*arguments)


def _check_workers(client: Any, address: str) -> None:
    """Refuse a cluster that has no worker, or one with another version."""
    versions = client.run(_version)
    if not versions:
        raise OptionError(OPTION, address, "a scheduler that has workers")
    other = sorted({each for each in versions.values() if each != musegen.__version__})
    if other:
        allowed = f"one whose workers have musegen {musegen.__version__}, not {', '.join(other)}"
        raise OptionError(OPTION, address, allowed)


def _version() -> str:
    return musegen.__version__
