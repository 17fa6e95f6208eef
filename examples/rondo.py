"""A rondo on a theme of one's own, and three variations of it: in minor, as a waltz, as a dream."""

import sys
from pathlib import Path

from musegen import compose_form

out = Path(sys.argv[1] if len(sys.argv) > 1 else "examples-out")
usual = {"form": "rondo-5", "key": "D major", "theme": "D5:e F#5:e A5:q G5:e E5:e", "seed": 4}
variations = {
    "rondo": {},
    "in-minor": {"key": "D minor", "theme": "D5:e F5:e A5:q G5:e E5:e", "emotion": "sad"},
    "as-a-waltz": {"form": "waltz", "theme": "F#5:q A5:h G5:q F#5:q E5:q"},
    "as-a-dream": {"emotion": "serene", "play": "Celesta"},
}
for name, change in variations.items():
    compose_form(**(usual | change)).save(out / name, audio=False)
