"""A chorale, its third and fourth bar written anew in three ways, and what the best one changed."""

import sys
from pathlib import Path

from musegen import compose
from musegen.tasks.edit import Edit, edit, version_diff
from musegen.tasks.writing import Options

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "examples-out") / "chorale"
compose(key="G major", seed=3).save(folder, audio=False)
asked = Edit("bars=3-4", locks=("soprano",), count=3)
history, found = edit(folder, asked, Options(seed=1), audio=False)
for rank, each in enumerate(found, 1):
    print(f"{rank}: {each.score:.1f} nats, {each.distance:.0%} of the notes are other ones")
print(version_diff(folder, 1, history.current))
