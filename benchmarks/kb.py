"""How quick the knowledge base is: loading the graph, derived statements, each question.

    python benchmarks/kb.py

Prints milliseconds: the graph when it is first asked for (imports done), derived statements the first
time and again, and each question that needs no piece, the first time and again.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from functools import partial

DERIVED = (
    ("interval", "m3"),
    ("pitch-class", "F#"),
    ("key", "C major"),
    ("spelled-chord", "C major V65"),
    ("chord", "major V7"),
    ("metre", "4/4"),
)


def milliseconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - started)


def main() -> int:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    import theory_kb.graph
    from theory_kb.derived import derived_edges
    from theory_kb.questions import QUESTIONS, ask

    load = milliseconds(theory_kb.graph.knowledge_graph)
    graph = theory_kb.graph.knowledge_graph()
    print(f"graph of {len(graph)} nodes, {graph.number_of_edges()} edges: {load:.0f} ms")
    print(f"{'':40s}{'first':>10s}{'again':>10s}")
    for node in DERIVED:
        times = [milliseconds(partial(derived_edges, node)) for _ in range(2)]
        print(f"{':'.join(node):40s}{times[0]:10.2f}{times[1]:10.2f}")
    for each in QUESTIONS:
        if all(argument.kind not in ("piece", "record") for argument in each.arguments):
            names = [argument.name for argument in each.arguments]
            given = dict(zip(names, shlex.split(each.example), strict=False))
            times = [milliseconds(partial(ask, each.name, given)) for _ in range(2)]
            print(f"{each.name:40s}{times[0]:10.2f}{times[1]:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
