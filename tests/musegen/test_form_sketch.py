"""The sketch of a form: phrases where none is marked, letters, and themes of the textbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from musegen.analysis.analyse import analyse
from musegen.analysis.result import Analysis
from musegen.io.analysis_text import analysis_lines, analysis_record
from musegen.io.musicxml import write_musicxml
from musegen.io.reading import read_piece

PERIOD = """X:1
T:Period
M:6/8
L:1/8
K:A
V:1
c>dce2e|B>cBd2d|A2AB2B|c2eB3|c>dce2e|B>cBd2d|A2Bc2d|c2BA3|
V:2
E2EE2E|E2EE2E|C2CE2E|E3E3|E2EE2E|E2EE2E|C2EE2D|C2DC3|
V:3
A,2A,C2C|G,2G,B,2B,|F,2F,G,2G,|A,3E,3|A,2A,C2C|G,2G,B,2B,|F,2G,A,2F,|E,3A,3|
"""
SENTENCE = """X:1
T:Sentence
M:4/4
L:1/8
K:C
V:1
G2c2e2d/c/B/c/|d2B2G4|A2d2f2e/d/c/d/|e2c2G4|e2dcf2ed|g2fea2gf|e2c2d2B2|c6z2|
V:2
C4E4|F4G4|F4D4|C4E4|C4D4|E4F4|G4G,4|C6z2|
"""
SONG = """X:1
T:Song
M:4/4
L:1/4
K:D
V:1
FFGA|AGFE|DDEF|F>EE2|FFGA|AGFE|DDEF|E>DD2|EEFD|EF/G/FD|EF/G/FE|DEA,2|FFGA|AGFE|DDEF|E>DD2|
V:2
A,A,B,A,|A,B,A,C|B,A,G,A,|A,>A,A,2|A,A,B,A,|A,B,A,C|B,A,G,A,|C>DD2|CCA,F,|CC/C/A,F,|CC/C/DC|B,^G,E,2|A,A,B,A,|A,B,A,C|B,A,G,A,|C>DD2|
V:3
D,4|A,,4|B,,2D,2|A,,4|D,4|A,,4|B,,2D,2|A,,2D,2|A,,4|A,,4|A,,2B,,2|B,,E,A,,2|D,4|A,,4|B,,2D,2|A,,2D,2|
"""
TERNARY = """X:1
T:Ternary
M:2/4
L:1/4
K:C
V:1
CC|GG|AA|G2|FF|EE|DD|C2|GG|FF|EE|D2|GG|FF|EE|D2|CC|GG|AA|G2|FF|EE|DD|C2|
V:2
C,2|E,2|F,2|E,2|D,2|C,2|F,G,|C,2|E,2|D,2|C,2|G,,2|E,2|D,2|C,2|G,,2|C,2|E,2|F,2|E,2|D,2|C,2|F,G,|C,2|
"""
BINARY = """X:1
T:Binary
M:4/4
L:1/4
K:C
V:1
cegc'|bagf|edcB|d4|ede^f|gag^f|edcA|G4|gfed|cBAG|ABcd|e4|fedc|dcBA|GABd|c4|
V:2
G2G2|G2D2|G2G2|G4|GGGB|dedB|GG^F^F|D4|GGGG|GGFE|FGAB|c4|AGFE|FEDD|DFGF|E4|
V:3
CCEC|DDB,B,|CCG,G,|G,4|CCB,B,|B,CB,G,|CCDD|G,4|CCCC|CDEC|FEDG,|C4|F,G,A,A,|F,F,G,G,|G,G,G,G,|C4|
"""
KERN = "\n".join(
    [
        "**kern\t**kern",
        "*M2/4\t*M2/4",
        "*k[]\t*k[]",
        "*C:\t*C:",
        *(
            f"={bar}\t={bar}\n" + "\n".join(rows)
            for bar, rows in enumerate(
                [
                    ["4C\t8cc", ".\t8dd", "4E\t4ee"],
                    ["4F\t4ff", "4E\t4ee"],
                    ["4D\t8dd", ".\t8ee", "4F\t4ff"],
                    ["4G\t4gg", "4F\t4ff"],
                    ["2C\t2cc"],
                ],
                1,
            )
        ),
        "==\t==",
        "*-\t*-",
        "",
    ]
)


def analysed(folder: Path, text: str, name: str = "piece.abc") -> Analysis:
    """The analysis of a text as a file."""
    path = folder / name
    path.write_text(text)
    return analyse(read_piece(path))


@pytest.mark.parametrize(
    ("text", "letters", "form"),
    [
        (PERIOD, "a a'", "parallel period"),
        (SENTENCE, "a b", "sentence"),
        (SONG, "a a' b a'", "song form"),
        (TERNARY, "a b b' b' a b", "ternary"),
        (BINARY, "a b c d", "binary"),
    ],
)
def test_themes_and_forms_of_the_textbook(
    tmp_path: Path, text: str, letters: str, form: str
) -> None:
    """Phrases of four bars are found without marks, lettered, and named with the reason."""
    found = analysed(tmp_path, text)
    assert found.form.letters == letters
    lengths = {each.bars[1] - each.bars[0] + 1 for each in found.form.phrases}
    assert lengths == {4}
    assert form in dict(found.form.forms)
    lines = list(analysis_lines(found))
    assert f"form: {letters}" in lines


def test_the_form_survives_a_change_of_format(tmp_path: Path) -> None:
    """The same period out of MusicXML has the same sketch."""
    here = analysed(tmp_path, PERIOD)
    path = tmp_path / "again.musicxml"
    path.write_bytes(write_musicxml(read_piece(tmp_path / "piece.abc")))
    assert analyse(read_piece(path)).form == here.form


def test_bars_of_a_kern_file_are_told_of(tmp_path: Path) -> None:
    """Two bars come again a step higher, in the scale."""
    found = analysed(tmp_path, KERN, "piece.krn")
    (run,) = found.form.bars
    assert (run.bars, run.model) == ((3, 4), (1, 2))
    assert (run.relation.kind, run.relation.steps, run.relation.interval) == ("sequence", 1, None)
    record = analysis_record(found)["form"]["bars"][0]
    assert record["relation"]["kind"] == "sequence"
    assert any(
        "moves bars 1-2 up a second, in the scale (100%)" in x for x in analysis_lines(found)
    )


def test_marked_phrases_are_believed(tmp_path: Path) -> None:
    """Fermatas part the phrases; nothing is divided further, whatever the tune does."""
    path = tmp_path / "marked.abc"
    path.write_text(SONG.replace("AGFE|DDEF|F>EE2|", "AGFE|DDEF|F>E!fermata!E2|", 1))
    found = analyse(read_piece(path))
    assert [each.bars for each in found.form.phrases] == [(1, 4), (5, 16)]
    assert found.phrases[0].reason == "a fermata"


def test_a_sketch_needs_no_phrase_but_one(tmp_path: Path) -> None:
    """One bar is one phrase of new material; its sketch names no form."""
    found = analysed(tmp_path, "X:1\nM:4/4\nL:1/4\nK:C\nCEGc|\n")
    assert found.form.letters == "a"
    assert (found.form.bars, found.form.forms) == ((), ())
