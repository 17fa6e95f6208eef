"""A corpus as one value: its pieces with labels and split, and the report of its making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from corpora.cache import cache_path, load_cache, save_cache
from corpora.catalogue import Entry, entry, verified_files
from corpora.clean import Dropped, clean, known_slips
from corpora.read import Progress, read_all
from corpora.split import SPLITS, check_split_name, split_of
from musegen.errors import OutputError, StoredFileError
from musegen.score import Score

__all__ = ["DEFAULT", "Corpus", "CorpusPiece", "build", "dropped", "load", "summary"]

DEFAULT = "bach-chorales"


@dataclass(frozen=True, slots=True)
class CorpusPiece:
    """A piece of a corpus."""

    name: str  # of its file, without suffix
    split: str  # train, valid, test or held_out
    score: Score  # labelled


@dataclass(frozen=True, slots=True)
class Corpus:
    """The pieces that are used, in the order of their names, and what was left out."""

    entry: Entry
    pieces: tuple[CorpusPiece, ...]
    report: tuple[Dropped, ...]
    messages: tuple[str, ...] = ()  # what the caller should tell the user, such as a rebuilt cache

    def scores(self, split: str) -> tuple[CorpusPiece, ...]:
        """The pieces of one split; raises UnknownNameError."""
        check_split_name(split)
        return tuple(piece for piece in self.pieces if piece.split == split)


def load(progress: Progress | None = None, *, name: str = DEFAULT) -> Corpus:
    """The corpus from the cache, or built if there is no cache or a damaged one."""
    return build(force=False, progress=progress, name=name)


def build(*, force: bool = False, progress: Progress | None = None, name: str = DEFAULT) -> Corpus:
    """Read, clean and label a corpus, and keep it in the cache.

    Args:
        force: read all files again though there is a cache.
        progress: called with files done and files in all.
        name: of the catalogue entry.

    Raises:
        UnknownNameError: no such corpus.
        StoredFileError: the corpus files are missing or are not those catalogued.
    """
    of = entry(name)
    path = cache_path(of)
    messages: list[str] = []
    if not force:
        try:
            pieces, report = load_cache(path)
            return _corpus(of, pieces, report, messages)
        except FileNotFoundError:
            pass
        except StoredFileError as error:
            messages.append(f"{error}; the corpus was built again")
    pieces, report = _made(of, progress)
    try:
        save_cache(path, (pieces, report))
    except OutputError as error:
        messages.append(f"{error}; the corpus will be read again next time")
    return _corpus(of, pieces, report, messages)


def _made(
    of: Entry, progress: Progress | None
) -> tuple[tuple[tuple[str, Score], ...], tuple[Dropped, ...]]:
    from musegen.analysis.label import label

    readings = read_all(verified_files(of), progress=progress)
    kept, report = clean(readings, known_slips(of.slips))
    return tuple((name, label(score)) for name, score in kept), report


def _corpus(
    of: Entry,
    pieces: tuple[tuple[str, Score], ...],
    report: tuple[Dropped, ...],
    messages: list[str],
) -> Corpus:
    placed = tuple(CorpusPiece(name, split_of(name, of.split), score) for name, score in pieces)
    return Corpus(of, placed, report, tuple(messages))


def dropped(corpus: Corpus) -> tuple[tuple[str, str], ...]:
    """Name and reason of each file that is not used, then of each used in spite of a flaw."""
    ordered = sorted(corpus.report, key=lambda each: each.kept)
    return tuple(
        (each.name, f"{each.reason} (kept)" if each.kept else each.reason) for each in ordered
    )


def summary(corpus: Corpus) -> dict[str, object]:
    """What the corpus holds, for a table: one printable value a row."""
    scores = [piece.score for piece in corpus.pieces]
    splits = Counter(piece.split for piece in corpus.pieces)
    reasons = Counter(_reason_class(each.reason) for each in corpus.report if not each.kept)
    cadences = Counter(cadence.kind for score in scores for cadence in score.cadences)
    notes = sum(len(part.notes) for score in scores for part in score.parts)
    rows: dict[str, object] = {
        "corpus": corpus.entry.title,
        "origin": corpus.entry.origin,
        "licence": corpus.entry.licence,
        "checksum": corpus.entry.checksum,
        "files": corpus.entry.files,
        "pieces used": len(scores),
        "dropped": ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()),
        "used with remarks": len({each.name for each in corpus.report if each.kept}),
        "split": ", ".join(f"{split} {splits[split]}" for split in SPLITS),
        "notes": notes,
        "quarter notes": int(sum(score.duration for score in scores)),
        "modes": _counts(Counter(score.key.mode for score in scores)),
        "metres": _counts(Counter(str(score.metre) for score in scores)),
        "phrases": sum(len(score.phrase_ends) for score in scores),
        "cadences": _counts(cadences),
        "cache": str(cache_path(corpus.entry)),
    }
    if corpus.messages:
        rows["note"] = "; ".join(corpus.messages)
    return rows


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


REASON_CLASSES = (
    ("parts instead", "not four parts"),
    ("metre", "metre"),
    ("same notes", "duplicate"),
    ("another encoding", "duplicate"),
    ("slips", "slips of the encoding"),
    ("rests for", "silent voice"),
)


def _reason_class(reason: str) -> str:
    return next((name for text, name in REASON_CLASSES if text in reason), reason)
