"""A cartridge is read back as Canvas reads it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.io.quizzes.packing import decimal
from musegen.io.quizzes.qti12 import CANVAS, ESSAY, PROFILES, write_qti12
from musegen.io.quizzes.question import Question, Quiz

Plain = Callable[[str], tuple[str, list[str]]]
Q = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
C = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


def metadata(item: ET.Element) -> dict[str, str]:
    """The labelled fields of an item."""
    return {
        e.findtext(f"{Q}fieldlabel") or "": e.findtext(f"{Q}fieldentry") or ""
        for e in item.iter(f"{Q}qtimetadatafield")
    }


def labels(response: ET.Element) -> dict[str, str]:
    """Texts of a response by their names."""
    return {
        e.get("ident") or "": e.findtext(f"{Q}material/{Q}mattext") or ""
        for e in response.iter(f"{Q}response_label")
    }


def scored(item: ET.Element) -> list[tuple[str, str, list[str]]]:
    """Scores with the response and the values that earn them."""
    found = []
    for condition in item.iter(f"{Q}respcondition"):
        score = condition.findtext(f"{Q}setvar")
        if score is not None:
            tests = list(condition.iter(f"{Q}varequal"))
            found.append((score, tests[0].get("respident") or "", [e.text or "" for e in tests]))
    return found


def check_said(item: ET.Element, question: Question, plain: Plain) -> None:
    """What is said to each answer, and to all."""
    said = {
        e.get("ident"): plain(e.findtext(f"{Q}flow_mat/{Q}material/{Q}mattext") or "")[0]
        for e in item.iter(f"{Q}itemfeedback")
    }
    general = said.pop("general_fb", "")
    assert question.why in general
    pages = [e.text or "" for e in item.iter(f"{Q}mattext")]
    assert all(any(f"/{each.name}" in page for page in pages) for each in question.shown)
    if question.shape in ("essay", "upload"):
        assert question.model in general
    shown = {}
    names = {k: v for r in item.iter(f"{Q}response_lid") for k, v in labels(r).items()}
    for condition in item.iter(f"{Q}respcondition"):
        link = condition.find(f"{Q}displayfeedback")
        value = condition.findtext(f"{Q}conditionvar/{Q}varequal")
        if link is not None and value is not None:
            shown[names.get(value, value)] = said[link.get("linkrefid")]
    if question.shape in ("choice", "multiple", "text", "number"):
        assert shown == {e.text: e.said for e in question.fields[0].answers if e.said}


def check_fields(item: ET.Element, question: Question) -> None:
    """What earns points, and how many."""
    rows = scored(item)
    responses = {e.get("ident") or "": e for e in item.iter(f"{Q}response_lid")}
    field = question.fields[0]
    if question.shape in ("match", "gaps"):
        for each, (score, name, values) in zip(question.fields, rows, strict=True):
            assert name == f"response_{each.id}"
            assert score == decimal(each.points / question.points * 100)
            texts = labels(responses[name])
            wanted = [each.model] if question.shape == "match" else [e.text for e in each.right]
            assert [texts[value] for value in values] == wanted
            if question.shape == "match":
                assert list(texts.values()) == [e.text for e in each.answers]
    elif question.shape in ("choice", "multiple"):
        texts = labels(responses["response1"])
        assert list(texts.values()) == [each.text for each in field.answers]
        ((score, _, values),) = rows
        assert score == "100"
        wrong = {e.text for n in item.iter(f"{Q}not") for e in n}
        right = [texts[value] for value in values if value not in wrong]
        assert right == [each.text for each in field.right]
    elif question.shape == "text":
        assert rows == [("100", "response1", [each.text for each in field.right])]
    elif question.shape == "number":
        assert rows == [("100", "response1", [each.text]) for each in field.right]
    else:
        assert rows == []


@settings(max_examples=40)
@given(data=st.data())
def test_a_cartridge_is_read_back(quizzes: Any, plain_html: Plain, data: st.DataObject) -> None:
    """Both quizzes hold every question; the manifest lists every file; media are whole."""
    quiz: Quiz = data.draw(quizzes)
    package = write_qti12(quiz)
    assert package == write_qti12(quiz)
    with zipfile.ZipFile(BytesIO(package)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = ET.fromstring(files["imsmanifest.xml"])
    assert {e.get("href") for e in manifest.iter(f"{C}file")} == set(files) - {"imsmanifest.xml"}
    names = [e.get("identifier") for e in manifest.iter(f"{C}resource")]
    assert len(set(names)) == len(names)
    assert {e.get("identifierref") for e in manifest.iter(f"{C}dependency")} <= set(names)
    (whole,) = (ET.fromstring(data) for name, data in files.items() if name.endswith(".qti"))
    items = list(whole.iter(f"{Q}item"))
    for item, question in zip(items, quiz.questions, strict=True):
        found = metadata(item)
        assert found["question_type"] == CANVAS[question.shape]
        assert found["points_possible"] == decimal(question.points)
        stem, links = plain_html(item.findtext(f"{Q}presentation/{Q}material/{Q}mattext") or "")
        assert stem.startswith(question.stem)
        wanted = [f"$IMS-CC-FILEBASE$/{each.name}" for each in question.media]
        assert list(dict.fromkeys(links)) == wanted
        if question.shape == "gaps":
            assert all(f"{field.label}: [{field.id}]" in stem for field in question.fields)
        check_fields(item, question)
        check_said(item, question, plain_html)
    (part,) = (ET.fromstring(data) for name, data in files.items() if name.endswith("_qti.xml"))
    profiles = [metadata(item)["cc_profile"] for item in part.iter(f"{Q}item")]
    assert profiles == [PROFILES.get(question.shape, ESSAY) for question in quiz.questions]
    for question in quiz.questions:
        for each in question.files:
            assert files[f"web_resources/{each.name}"] == each.data


@pytest.mark.parametrize("shape", CANVAS)
def test_every_sort_of_canvas_is_one_of_its_own(shape: str) -> None:
    """Names as they stand in the fixtures of Canvas's own reader."""
    known = (
        "multiple_choice multiple_answers short_answer numerical matching "
        "fill_in_multiple_blanks essay file_upload"
    )
    assert CANVAS[shape].removesuffix("_question") in known.split()  # type: ignore[index]
