"""What music there is: the corpora, read in place, cleaned, labelled, split, cached.

    load(progress=None) -> Corpus                 from the cache, or built
    build(*, force=False, progress=None) -> Corpus
    summary(corpus) -> dict                       rows for a table
    dropped(corpus) -> ((name, reason), ...)      what is not used, and why
    Corpus.pieces, Corpus.scores(split)           labelled scores
    Corpus.report, Corpus.messages

    training.slot_sequences(split)                what models learn from
    training.figuration(split)                    how voices move inside a beat, as counts
    training.write_figuration(path)               the same as the data file that musegen ships
    augment.augmented(piece)                      the same piece in other keys

A `progress` is called with files done and files in all.
"""

from corpora.corpus import Corpus, CorpusPiece, build, dropped, load, summary

__all__ = ["Corpus", "CorpusPiece", "build", "dropped", "load", "summary"]
