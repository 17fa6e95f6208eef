"""A QTI 2.1 package is read back item by item, and scored as its processing says."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.io.quizzes.packing import decimal, zipped
from musegen.io.quizzes.qti21 import write_qti21
from musegen.io.quizzes.question import Field, Question, Quiz
from musegen.io.quizzes.schemas import schema_faults

Q = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
P = "{http://www.imsglobal.org/xsd/imscp_v1p1}"


def text_of(element: ET.Element | None) -> str:
    """The text of an element, a break as a new line."""
    if element is None:
        return ""
    found = element.text or ""
    for child in element:
        found += "\n" if child.tag == f"{Q}br" else text_of(child)
        found += child.tail or ""
    return found


def lines(text: str) -> str:
    """A text as paragraphs keep it."""
    return "\n".join(text.splitlines())


def media_in(element: ET.Element) -> list[ET.Element]:
    """Pictures and sounds in their order."""
    return [e for e in element.iter() if e.tag in (f"{Q}img", f"{Q}object")]


class Item:
    """An item as a delivery engine sees it."""

    def __init__(self, root: ET.Element) -> None:
        """Read declarations, options, rules and feedback."""
        self.root = root
        self.options = {
            (holder.get("responseIdentifier"), option.get("identifier")): text_of(option)
            for kind in ("choice", "inlineChoice")
            for holder in root.iter(f"{Q}{kind}Interaction")
            for option in holder.iter(
                f"{Q}{'simpleChoice' if kind == 'choice' else 'inlineChoice'}"
            )
        }
        self.feedback = {
            e.get("identifier"): text_of(e.find(f"{Q}p")) for e in root.iter(f"{Q}modalFeedback")
        }

    def mapped(self, field: Field) -> list[tuple[str, str]]:
        """Answers of a field with their points."""
        declared = [
            e for e in self.root.iter(f"{Q}responseDeclaration") if e.get("identifier") == field.id
        ]
        assert len(declared) == 1
        keys = [
            (e.get("mapKey") or "", e.get("mappedValue") or "")
            for e in declared[0].iter(f"{Q}mapEntry")
        ]
        return [(self.options.get((field.id, key), key), points) for key, points in keys]

    def correct(self, field: Field) -> list[str]:
        """Answers that are declared correct."""
        path = f"{Q}responseDeclaration[@identifier='{field.id}']/{Q}correctResponse/{Q}value"
        return [self.options.get((field.id, e.text), e.text or "") for e in self.root.findall(path)]

    def said(self, field: Field) -> dict[str, str]:
        """What is shown to each answer of a field."""
        found = {}
        for rule in self.root.iter(f"{Q}responseIf"):
            variable = rule[0].find(f"{Q}variable")
            assert variable is not None
            if variable.get("identifier") == field.id:
                value = rule[0].findtext(f"{Q}baseValue") or ""
                shown = [e.text for e in rule[1].iter(f"{Q}baseValue")]
                found[self.options.get((field.id, value), value)] = self.feedback[shown[0]]
        return found


def check_field(item: Item, question: Question, field: Field) -> None:
    """Answers, points and feedback of a field."""
    if not field.answers:
        assert item.mapped(field) == []
        return
    mapped = item.mapped(field)
    assert [text for text, _ in mapped] == [each.text for each in field.answers]
    if field.form == "multiple":
        right = [float(points) for text, points in mapped if text in {e.text for e in field.right}]
        assert sum(right) == pytest.approx(float(field.points), abs=1e-4)
        assert set(item.correct(field)) == {each.text for each in field.right}
    else:
        assert [points for _, points in mapped] == [
            decimal(e.share * field.points) for e in field.answers
        ]
        assert item.correct(field) == [field.right[0].text]
    assert item.said(field) == {each.text: lines(each.said) for each in field.answers if each.said}


def check_item(root: ET.Element, question: Question) -> None:
    """An item says what was to be said."""
    item = Item(root)
    assert (root.get("identifier"), root.get("title")) == (question.name, question.title)
    body = root.find(f"{Q}itemBody")
    assert body is not None
    assert text_of(body[0]) == lines(question.stem)
    shown = [(e.get("src") or e.get("data"), e.get("alt") or e.text) for e in media_in(body)]
    assert shown == [(f"../media/{each.name}", each.alt) for each in question.media]
    modal = root.find(f"{Q}modalFeedback[@identifier='solution']")
    later = [] if modal is None else [e.get("src") for e in media_in(modal)]
    assert later == [f"../media/{each.name}" for each in question.shown]
    path = f"{Q}outcomeDeclaration[@identifier='MAXSCORE']/{Q}defaultValue/{Q}value"
    assert Fraction(root.findtext(path) or "") == question.points
    for field in question.fields:
        check_field(item, question, field)
    summed = [e.get("identifier") for e in root.iter(f"{Q}mapResponse")]
    assert summed == [field.id for field in question.fields if field.answers]
    assert item.feedback.get("solution", "") == lines(question.why)
    tutor = [text_of(e) for e in root.iter(f"{Q}rubricBlock") if e.get("view") == "tutor"]
    assert tutor == [lines(hint) for hint in question.hints]
    scorer = [text_of(e) for e in root.iter(f"{Q}rubricBlock") if e.get("view") == "scorer"]
    judged = question.shape in ("essay", "upload")
    assert (lines(question.model) in scorer) == judged
    assert len(root.findall(f".//{Q}uploadInteraction")) == int(question.shape == "upload")


@settings(max_examples=40)
@given(data=st.data())
def test_a_package_is_read_back(quizzes: Any, data: st.DataObject) -> None:
    """Every file is in the manifest, every item says what was to be said, media are whole."""
    quiz: Quiz = data.draw(quizzes)
    package = write_qti21(quiz)
    assert package == write_qti21(quiz)
    with zipfile.ZipFile(BytesIO(package)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = ET.fromstring(files["imsmanifest.xml"])
    listed = {e.get("href") for e in manifest.iter(f"{P}file")}
    assert listed == set(files) - {"imsmanifest.xml"}
    test = ET.fromstring(files["test.xml"])
    places = [e.get("href") or "" for e in test.iter(f"{Q}assessmentItemRef")]
    for place, question in zip(places, quiz.questions, strict=True):
        check_item(ET.fromstring(files[place]), question)
    for question in quiz.questions:
        for each in question.files:
            assert files[f"media/{each.name}"] == each.data


SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{space}"
 elementFormDefault="qualified"><xs:element name="manifest"><xs:complexType>
 <xs:attribute name="identifier" type="xs:NCName" use="required"/></xs:complexType></xs:element></xs:schema>"""


def test_a_package_is_checked_against_schemas_by_path(tmp_path: Path) -> None:
    """A fault is named with file and line; a folder without the schema is refused."""
    good = f'<manifest xmlns="{P[1:-1]}" identifier="a"/>'.encode()
    with pytest.raises(
        MusegenError, match=r"--schemas must be a folder that holds imscp_v1p1\.xsd"
    ):
        schema_faults(zipped({"imsmanifest.xml": good}), tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "imscp_v1p1.xsd").write_text(
        SCHEMA.format(space=P[1:-1]), encoding="utf-8"
    )
    assert schema_faults(zipped({"imsmanifest.xml": good}), tmp_path) == []
    faults = schema_faults(zipped({"imsmanifest.xml": good.replace(b'"a"', b'"1 a"')}), tmp_path)
    assert faults[0].startswith("imsmanifest.xml, line 1: ")
    (tmp_path / "deep" / "imscp_v1p1.xsd").write_text("<x", encoding="utf-8")
    with pytest.raises(MusegenError, match="is no schema"):
        schema_faults(zipped({"imsmanifest.xml": good}), tmp_path)


@pytest.mark.skipif("MUSEGEN_SCHEMAS" not in os.environ, reason="no folder of schemas is named")
@settings(max_examples=5)
@given(data=st.data())
def test_a_package_meets_the_official_schemas(quizzes: Any, data: st.DataObject) -> None:
    """Where the schemas of QTI 2.1 are at hand, no bank breaks them."""
    folder = Path(os.environ["MUSEGEN_SCHEMAS"])
    assert schema_faults(write_qti21(data.draw(quizzes)), folder) == []
