"""The formats of banks: who writes each, and what sorts of question it can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from musegen.errors import UnknownNameError
from musegen.io.quizzes.anki import write_anki
from musegen.io.quizzes.csv_table import write_csv
from musegen.io.quizzes.gift import write_gift
from musegen.io.quizzes.h5p import write_h5p
from musegen.io.quizzes.moodle import write_moodle
from musegen.io.quizzes.qti12 import write_qti12
from musegen.io.quizzes.qti21 import write_qti21
from musegen.io.quizzes.question import SHAPES, MediaKind, Question, Quiz, Shape

__all__ = ["FORMATS", "Format", "format_of", "unfit"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format."""

    id: str
    suffix: str  # of its files
    write: Callable[[Quiz], bytes]
    shapes: frozenset[Shape]
    media: frozenset[MediaKind]  # kinds of media that it holds, or tells in words
    remark: str = ""  # what never is in such a file
    case: bool = True  # whether it tells large and small letters apart
    most_media: int = 99  # of a question
    schemas: bool = False  # whether there are schemas to check a file against


ALL: frozenset[Shape] = frozenset(shape for shape, _ in SHAPES)
JUDGED: frozenset[Shape] = frozenset(("essay", "upload"))
MEDIA: frozenset[MediaKind] = frozenset(("picture", "sound", "file"))
NONE: frozenset[MediaKind] = frozenset()
SEEN: frozenset[MediaKind] = frozenset(("picture", "file"))
FILED: frozenset[MediaKind] = frozenset(("picture", "sound"))
HINTLESS = "hints are not in it"
ROWS = (
    Format("moodle", ".xml", write_moodle, ALL, MEDIA),
    Format("qti21", ".zip", write_qti21, ALL, MEDIA, "hints are for tutors only", schemas=True),
    Format("qti12", ".imscc", write_qti12, ALL, MEDIA, HINTLESS, case=False, schemas=True),
    Format(
        "h5p",
        ".h5p",
        write_h5p,
        ALL - {"upload"},
        FILED,
        "a partly right answer earns nothing",
        most_media=1,
    ),
    Format("anki", ".apkg", write_anki, ALL - JUDGED, MEDIA, "what is typed is not compared"),
    Format("csv", ".csv", write_csv, ALL, SEEN, "what pictures show stands in words"),
    Format("gift", ".gift", write_gift, ALL - {"gaps", "upload"}, NONE, HINTLESS, case=False),
)
FORMATS: Mapping[str, Format] = {each.id: each for each in ROWS}


def format_of(name: str) -> Format:
    """A format by name; raises UnknownNameError."""
    if name not in FORMATS:
        raise UnknownNameError("format of an export", name, FORMATS)
    return FORMATS[name]


def unfit(form: Format, question: Question) -> str:
    """Why a format cannot hold a question; empty where it can."""
    if question.shape not in form.shapes:
        return f"{form.id} cannot hold {dict(SHAPES)[question.shape]}"
    if not form.case and any(field.case for field in question.fields):
        return f"{form.id} cannot tell large and small letters apart, and the answer needs it"
    strange = [each.kind for each in question.media if each.kind not in form.media]
    if strange:
        return f"{form.id} cannot hold a {strange[0]}, and the question needs it"
    if len(question.media) > form.most_media:
        return f"{form.id} cannot hold more than {form.most_media} picture or sound a question"
    return ""
