"""Music for a game's build: a loop for each place, always the same for the same seed."""

import sys
from pathlib import Path

from musegen import compose_form

PLACES = {
    "meadow": ("small-ternary", {"valence": 0.6, "arousal": -0.3}),
    "market": ("small-binary", {"valence": 0.7, "arousal": 0.5}),
    "cave": ("period-parallel", {"valence": -0.5, "arousal": -0.4, "play": "Music Box"}),
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else "examples-out")
for place, (form, mood) in PLACES.items():
    loop = compose_form(form, seed=12, **mood)
    loop.save(out / place, audio=False)
    print(place, loop.overlap.text)
