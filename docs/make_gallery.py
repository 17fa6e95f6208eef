"""Compose and draw the pieces of the gallery.

    python docs/make_gallery.py [NAME ...]

Writes the first page of each as a small picture into docs/gallery. What is said of the pieces stands in
docs/gallery/index.md and is written by hand; run this again, and read the pieces again, when composing changes.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

from musegen.batch import piece_of
from musegen.io.engraving import to_png
from musegen.tasks.compose_form import FormRequest, in_mood

FOLDER = Path(__file__).parent / "gallery"
WIDTH, GREYS = 800, 8  # of the pictures
PIECES = {
    "chorale": FormRequest(form="chorale", key="D minor", seed=21),
    "hymn": FormRequest(form="hymn", key="F major", seed=2),
    "minuet-and-trio": FormRequest(form="minuet-and-trio", key="G major", seed=5),
    "waltz": FormRequest(form="waltz", key="Bb major", seed=8),
    "rondo-5": FormRequest(form="rondo-5", key="D major", seed=6),
    "small-ternary": FormRequest(form="small-ternary", key="E minor", seed=2),
    "march": FormRequest(form="march", key="C major", seed=1),
    "lullaby": FormRequest(form="lullaby", key="Ab major", seed=4, **in_mood("tender")),
    "blues-12": FormRequest(form="blues-12", key="F major", seed=3),
    "folk-song": FormRequest(form="folk-song", key="A minor", seed=7),
    "figural-prelude": FormRequest(form="figural-prelude", key="C major", seed=1),
    "theme-and-variations": FormRequest(form="theme-and-variations", key="A major", seed=9),
}


def picture(request: FormRequest) -> bytes:
    """The first page of a piece, small and in few greys."""
    page = Image.open(BytesIO(to_png(piece_of(request).svg_pages[0]))).convert("L")
    small = page.resize((WIDTH, round(page.height * WIDTH / page.width)), Image.Resampling.LANCZOS)
    target = BytesIO()
    small.quantize(GREYS).save(target, "png", optimize=True)
    return target.getvalue()


def main(names: list[str]) -> None:
    """Draw the pieces that are named, all if none is."""
    for name in names or PIECES:
        (FOLDER / f"{name}.png").write_bytes(picture(PIECES[name]))
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
