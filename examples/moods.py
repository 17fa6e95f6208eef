"""One tune in four moods: mode, tempo, register, density and articulation follow the emotion."""

import sys
from pathlib import Path

from musegen import compose_form

out = Path(sys.argv[1] if len(sys.argv) > 1 else "examples-out")
for emotion in ("playful", "tender", "angry", "sad"):
    piece = compose_form("period-parallel", metre="4/4", emotion=emotion, seed=3)
    piece.save(out / emotion, audio=False)
    print(emotion, piece.score.key, piece.score.tempo, "quarter notes a minute")
