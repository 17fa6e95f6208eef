"""An H5P package is read back as its libraries read it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from io import BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.formats import FORMATS, unfit
from musegen.io.quizzes.h5p import LIBRARIES, LIBRARY, write_h5p
from musegen.io.quizzes.question import Question, Quiz

Plain = Callable[[str], tuple[str, list[str]]]


def blank(row: str) -> tuple[str, list[str], str]:
    """Label, alternatives and hint of a line, cut as js/blanks.js of H5P cuts it."""
    label, content, after = row.removeprefix("<p>").removesuffix("</p>").split("*")
    assert after == ""
    ways, _, hint = content.partition(":")
    return unescape(label), [unescape(way.strip()) for way in ways.split("/")], unescape(hint)


def check_question(entry: dict[str, Any], question: Question, plain: Plain) -> None:
    """A question says what was to be said."""
    name, version = entry["library"].split()
    assert name == LIBRARY[question.shape]
    assert version == ".".join(map(str, LIBRARIES[name]))
    params = entry["params"]
    stem = (
        params.get("question") or params.get("text")
        if name != "H5P.Essay"
        else params["taskDescription"]
    )
    assert plain(stem)[0] == question.stem
    if name == "H5P.MultiChoice":
        answers = [
            (plain(e["text"])[0], e["correct"], plain(e["tipsAndFeedback"]["chosenFeedback"])[0])
            for e in params["answers"]
        ]
        assert answers == [(e.text, e.share == 1, e.said) for e in question.fields[0].answers]
        assert params["behaviour"]["type"] == ("single" if question.shape == "choice" else "multi")
    elif name == "H5P.Blanks":
        rows = [blank(row) for row in params["questions"]]
        assert [ways for _, ways, _ in rows] == [[e.text for e in f.right] for f in question.fields]
        assert all(row[0].startswith(f.label) for row, f in zip(rows, question.fields, strict=True))
        assert rows[0][2] == "; ".join(" ".join(hint.split()) for hint in question.hints)
    else:
        assert question.model in plain(params["solution"]["sample"])[0]
        assert params["behaviour"]["ignoreScoring"]
    if name != "H5P.Essay":
        said = params["overallFeedback"][0].get("feedback", "")
        assert said == question.why


@settings(max_examples=40)
@given(data=st.data())
def test_a_package_is_read_back(quizzes: Any, plain_html: Plain, data: st.DataObject) -> None:
    """Every question, every picture; the libraries that are used are named, and no other."""
    drawn: Quiz = data.draw(quizzes)
    fit = tuple(each for each in drawn.questions if not unfit(FORMATS["h5p"], each))
    quiz = replace(drawn, questions=fit)
    package = write_h5p(quiz)
    assert package == write_h5p(quiz)
    with zipfile.ZipFile(BytesIO(package)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    head, content = json.loads(files["h5p.json"]), json.loads(files["content/content.json"])
    assert (head["title"], head["mainLibrary"]) == (quiz.title, "H5P.QuestionSet")
    for entry, question in zip(content["questions"], quiz.questions, strict=True):
        check_question(entry, question, plain_html)
        if question.media:
            shown = entry["params"]["media"]["type"]["params"]
            file = shown["file"] if question.media[0].kind == "picture" else shown["files"][0]
            assert files[f"content/{file['path']}"] == question.media[0].data
            assert file["mime"] == question.media[0].mime
            assert shown.get("alt", question.media[0].alt) == question.media[0].alt
    used = {word.split()[0] for word in libraries(content)} | {"H5P.QuestionSet"}
    assert {each["machineName"] for each in head["preloadedDependencies"]} == used


def libraries(value: Any) -> list[str]:
    """Names of all libraries within a content."""
    if isinstance(value, dict):
        own = [value["library"]] if "library" in value else []
        return own + [name for each in value.values() for name in libraries(each)]
    return [name for each in value for name in libraries(each)] if isinstance(value, list) else []
