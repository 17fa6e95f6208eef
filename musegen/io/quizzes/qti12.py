"""A bank as a Common Cartridge 1.1 with QTI 1.2, in the shape that Canvas itself exports.

The quiz stands twice, as in Canvas's own cartridges: whole, with Canvas's sorts of question, in
`non_cc_assessments`; and within the profile of Common Cartridge, for other systems, where what the profile has
not becomes an essay. Canvas gives no part of the points for one answer, so only full answers are
listed; a field of several earns its share. Shapes are those of the fixtures of `instructure/qti`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from musegen.io.quizzes.packing import XML, decimal, number_of, zipped
from musegen.io.quizzes.question import (
    Answer,
    Field,
    Media,
    Question,
    Quiz,
    Shape,
    html_text,
    stem_html,
    why_html,
)

__all__ = ["write_qti12"]

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CARTRIDGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
LOM = "http://ltsc.ieee.org/xsd/imsccv1p1/LOM/manifest"
META = "http://canvas.instructure.com/xsd/cccv1p0"
SHARED = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
FILES = "web_resources"
ONE = "response1"  # the response of a question with one field
CANVAS: Mapping[Shape, str] = {
    "choice": "multiple_choice_question",
    "multiple": "multiple_answers_question",
    "text": "short_answer_question",
    "number": "numerical_question",
    "match": "matching_question",
    "gaps": "fill_in_multiple_blanks_question",
    "essay": "essay_question",
    "upload": "file_upload_question",
}
PROFILES: Mapping[Shape, str] = {  # of Common Cartridge; the others become essays
    "choice": "cc.multiple_choice.v0p1",
    "multiple": "cc.multiple_response.v0p1",
    "text": "cc.fib.v0p1",
}
ESSAY = "cc.essay.v0p1"


def write_qti12(quiz: Quiz) -> bytes:
    """The cartridge as an archive."""
    name = _ident("quiz", quiz.title)
    files = {
        "imsmanifest.xml": _xml(_manifest(quiz, name)),
        f"{name}/assessment_qti.xml": _xml(_assessment(quiz, name, cartridge=True)),
        f"{name}/assessment_meta.xml": _xml(_meta(quiz, name)),
        f"non_cc_assessments/{name}.xml.qti": _xml(_assessment(quiz, name, cartridge=False)),
    }
    media = {f"{FILES}/{each.name}": each.data for q in quiz.questions for each in q.files}
    return zipped(files | media)


def _xml(root: ET.Element) -> bytes:
    return f"{XML}{ET.tostring(root, encoding='unicode')}\n".encode()


def _ident(*names: str) -> str:
    return f"g{number_of(' '.join(names), 60):015x}"


def _child(parent: ET.Element, path: str, text: str) -> None:
    """A text within elements."""
    for tag in path.split("/"):
        parent = ET.SubElement(parent, tag)
    parent.text = text


# --- the cartridge --------------------------------------------------------------------------


def _manifest(quiz: Quiz, name: str) -> ET.Element:
    head = {"xmlns": CARTRIDGE, "xmlns:lomimscc": LOM, "identifier": _ident("manifest", quiz.title)}
    root = ET.Element("manifest", head)
    metadata = ET.SubElement(root, "metadata")
    _child(metadata, "schema", "IMS Common Cartridge")
    _child(metadata, "schemaversion", "1.1.0")
    lom = "lomimscc:lom/lomimscc:general/lomimscc:title/lomimscc:string"
    _child(metadata, lom, quiz.title)
    organizations = ET.SubElement(root, "organizations")
    tree = {"identifier": "org_1", "structure": "rooted-hierarchy"}
    organization = ET.SubElement(organizations, "organization", tree)
    ET.SubElement(organization, "item", {"identifier": "LearningModules"})
    resources = ET.SubElement(root, "resources")
    meta, exam = f"{name}/assessment_meta.xml", f"{name}/assessment_qti.xml"
    kind = "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"
    resource = _resource(resources, name, kind, (exam,))
    ET.SubElement(resource, "dependency", {"identifierref": _ident("meta", quiz.title)})
    whole = f"non_cc_assessments/{name}.xml.qti"
    _resource(resources, _ident("meta", quiz.title), SHARED, (meta, whole), href=meta)
    for each in (each for question in quiz.questions for each in question.files):
        place = f"{FILES}/{each.name}"
        _resource(resources, _ident("file", each.name), "webcontent", (place,), href=place)
    return root


def _resource(
    parent: ET.Element, name: str, kind: str, files: tuple[str, ...], *, href: str = ""
) -> ET.Element:
    head = {"identifier": name, "type": kind, **({"href": href} if href else {})}
    resource = ET.SubElement(parent, "resource", head)
    for place in files:
        ET.SubElement(resource, "file", {"href": place})
    return resource


def _meta(quiz: Quiz, name: str) -> ET.Element:
    """How Canvas sets the quiz up: unpublished, the best try counts."""
    root = ET.Element("quiz", {"xmlns": META, "identifier": name})
    points = sum((each.points for each in quiz.questions), Fraction(0))
    values = {
        "title": quiz.title,
        "description": "",
        "shuffle_answers": "true",
        "scoring_policy": "keep_highest",
        "quiz_type": "assignment",
        "points_possible": decimal(points),
        "show_correct_answers": "true",
        "allowed_attempts": "1",
        "available": "false",
    }
    for tag, value in values.items():
        _child(root, tag, value)
    return root


# --- the quiz -------------------------------------------------------------------------------


def _assessment(quiz: Quiz, name: str, *, cartridge: bool) -> ET.Element:
    root = ET.Element("questestinterop", {"xmlns": QTI})
    assessment = ET.SubElement(root, "assessment", {"ident": name, "title": quiz.title})
    exam = {"cc_profile": "cc.exam.v0p1", "qmd_assessmenttype": "Examination"} if cartridge else {}
    _metadata(assessment, {**exam, "cc_maxattempts": "1"})
    section = ET.SubElement(assessment, "section", {"ident": "root_section"})
    for question in quiz.questions:
        section.append(_item(question, cartridge=cartridge))
    return root


def _metadata(parent: ET.Element, values: Mapping[str, str]) -> None:
    metadata = ET.SubElement(parent, "qtimetadata")
    for label, entry in values.items():
        field = ET.SubElement(metadata, "qtimetadatafield")
        _child(field, "fieldlabel", label)
        _child(field, "fieldentry", entry)


def _item(question: Question, *, cartridge: bool) -> ET.Element:
    shape = question.shape
    if cartridge and shape not in PROFILES:
        shape = "essay"
    head = {"ident": _ident("item", question.name), "title": question.title}
    item = ET.Element("item", head)
    values = {
        "question_type": CANVAS[shape],
        "points_possible": decimal(question.points),
        "assessment_question_identifierref": _ident("question", question.name),
    }
    if cartridge:
        values = {"cc_profile": PROFILES.get(shape, ESSAY)}
    _metadata(ET.SubElement(item, "itemmetadata"), values)
    presentation = ET.SubElement(item, "presentation")
    _material(presentation, _stem(question, shape), "text/html")
    processing = ET.Element("resprocessing")
    limits = {"maxvalue": "100", "minvalue": "0", "varname": "SCORE", "vartype": "Decimal"}
    ET.SubElement(ET.SubElement(processing, "outcomes"), "decvar", limits)
    WRITERS[shape](_Sheet(presentation, processing, question))
    if shape != "upload":
        item.append(processing)
    _feedback(item, processing, question, shape)
    return item


def _stem(question: Question, shape: Shape) -> str:
    stem = stem_html(question, _url)
    if shape == "gaps":
        rows = (f"<p>{_label(field)}: [{field.id}]</p>" for field in question.fields)
        return stem + "".join(rows)
    if shape == "essay" and len(question.fields) > 1:
        return stem + "".join(f"<p>{_label(field)}</p>" for field in question.fields)
    return stem


def _label(field: Field) -> str:
    """What a field is called, with the options of one that is chosen elsewhere."""
    options = ", ".join(each.text for each in field.answers) if field.form == "choice" else ""
    return html_text(f"{field.label} ({options})" if options else field.label)


def _url(media: Media) -> str:
    return f"$IMS-CC-FILEBASE$/{media.name}"


def _material(parent: ET.Element, text: str, kind: str) -> None:
    material = ET.SubElement(parent, "material")
    ET.SubElement(material, "mattext", {"texttype": kind}).text = text


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where a question is written: what is shown, and what becomes of it."""

    presentation: ET.Element
    processing: ET.Element
    question: Question

    @property
    def field(self) -> Field:
        """The field of a question that has one."""
        return self.question.fields[0]


def _answer_ident(question: Question, field: Field, answer: Answer) -> str:
    return str(number_of(f"{question.name} {field.id} {answer.text}", 40))


def _labels(parent: ET.Element, rows: Iterator[tuple[str, str]]) -> None:
    choices = ET.SubElement(parent, "render_choice")
    for ident, text in rows:
        label = ET.SubElement(choices, "response_label", {"ident": ident})
        _material(label, text, "text/plain")


def _condition(sheet: _Sheet, respident: str, values: list[str], score: str, *, add: bool) -> None:
    """Any of the values earns a score."""
    condition = ET.SubElement(
        sheet.processing, "respcondition", {"continue": "Yes" if add else "No"}
    )
    test = ET.SubElement(condition, "conditionvar")
    for value in values:
        ET.SubElement(test, "varequal", {"respident": respident}).text = value
    action = {"action": "Add" if add else "Set", "varname": "SCORE"}
    ET.SubElement(condition, "setvar", action).text = score


def _idents(sheet: _Sheet, field: Field) -> Iterator[tuple[str, str]]:
    return ((_answer_ident(sheet.question, field, each), each.text) for each in field.answers)


def _choice(sheet: _Sheet) -> None:
    single = sheet.field.form == "choice"
    head = {"ident": ONE, "rcardinality": "Single" if single else "Multiple"}
    _labels(ET.SubElement(sheet.presentation, "response_lid", head), _idents(sheet, sheet.field))
    if single:
        right = [_answer_ident(sheet.question, sheet.field, each) for each in sheet.field.right]
        _condition(sheet, ONE, right, "100", add=False)
        return
    condition = ET.SubElement(sheet.processing, "respcondition", {"continue": "No"})
    both = ET.SubElement(ET.SubElement(condition, "conditionvar"), "and")
    for each in sheet.field.answers:
        holder = both if each.share == 1 else ET.SubElement(both, "not")
        test = ET.SubElement(holder, "varequal", {"respident": ONE})
        test.text = _answer_ident(sheet.question, sheet.field, each)
    ET.SubElement(condition, "setvar", {"action": "Set", "varname": "SCORE"}).text = "100"


def _typed_box(sheet: _Sheet, kind: Mapping[str, str]) -> None:
    head = {"ident": ONE, "rcardinality": "Single"}
    response = ET.SubElement(sheet.presentation, "response_str", head)
    box = ET.SubElement(response, "render_fib", dict(kind))
    ET.SubElement(box, "response_label", {"ident": "answer1", "rshuffle": "No"})


def _text(sheet: _Sheet) -> None:
    _typed_box(sheet, {})
    _condition(sheet, ONE, [each.text for each in sheet.field.right], "100", add=False)


def _number(sheet: _Sheet) -> None:
    _typed_box(sheet, {"fibtype": "Decimal"})
    for each in sheet.field.right:
        condition = ET.SubElement(sheet.processing, "respcondition", {"continue": "No"})
        either = ET.SubElement(ET.SubElement(condition, "conditionvar"), "or")
        ET.SubElement(either, "varequal", {"respident": ONE}).text = each.text
        within = ET.SubElement(either, "and")
        for tag in ("vargte", "varlte"):
            ET.SubElement(within, tag, {"respident": ONE}).text = each.text
        ET.SubElement(condition, "setvar", {"action": "Set", "varname": "SCORE"}).text = "100"


def _match(sheet: _Sheet) -> None:
    """Every place has the same options under the same names."""
    options = [(str(number_of(each.text, 40)), each.text) for each in sheet.field.answers]
    for field in sheet.question.fields:
        response = ET.SubElement(
            sheet.presentation, "response_lid", {"ident": f"response_{field.id}"}
        )
        _material(response, field.label, "text/plain")
        _labels(response, iter(options))
        value = str(number_of(field.model, 40))
        _condition(sheet, f"response_{field.id}", [value], _percent(sheet, field), add=True)


def _gaps(sheet: _Sheet) -> None:
    """A blank a field, its right answers listed."""
    for field in sheet.question.fields:
        response = ET.SubElement(
            sheet.presentation, "response_lid", {"ident": f"response_{field.id}"}
        )
        _child(response, "material/mattext", field.id)
        right = [(_answer_ident(sheet.question, field, each), each.text) for each in field.right]
        _labels(response, iter(right))
        values = [ident for ident, _ in right]
        _condition(sheet, f"response_{field.id}", values, _percent(sheet, field), add=True)


def _percent(sheet: _Sheet, field: Field) -> str:
    return decimal(field.points / sheet.question.points * 100)


def _essay(sheet: _Sheet) -> None:
    _typed_box(sheet, {})
    condition = ET.SubElement(sheet.processing, "respcondition", {"continue": "No"})
    ET.SubElement(ET.SubElement(condition, "conditionvar"), "other")


def _upload(_: _Sheet) -> None:
    """A file is asked for by the sort of the question alone."""


WRITERS: Mapping[Shape, Callable[[_Sheet], None]] = {
    "choice": _choice,
    "multiple": _choice,
    "text": _text,
    "number": _number,
    "match": _match,
    "gaps": _gaps,
    "essay": _essay,
    "upload": _upload,
}


# --- feedback -------------------------------------------------------------------------------


def _feedback(item: ET.Element, processing: ET.Element, question: Question, shape: Shape) -> None:
    """What is said to an answer, and to all of them; conditions of it stand before those of points."""
    said = [] if shape in ("essay", "upload", "match", "gaps") else list(_said(question, shape))
    judged = question.shape in ("essay", "upload")
    notes = (question.marking, question.model) if judged else ()
    general = why_html(question, _url)
    general += "".join(f"<p>{html_text(each)}</p>" for each in notes if each)
    place = 1  # after the outcomes
    for ident, value, _ in said:
        processing.insert(place, _shows(ident, value))
        place += 1
    if general:
        processing.insert(1, _shows("general_fb", None))
    texts = [("general_fb", general)] if general else []
    texts += [(ident, f"<p>{html_text(text)}</p>") for ident, _, text in said]
    for ident, text in texts:
        flow = ET.SubElement(ET.SubElement(item, "itemfeedback", {"ident": ident}), "flow_mat")
        _material(flow, text, "text/html")


def _said(question: Question, shape: Shape) -> Iterator[tuple[str, str, str]]:
    """Name of a feedback, the answer that shows it as the response has it, and its text."""
    field = question.fields[0]
    for each in field.answers:
        if each.said:
            ident = _answer_ident(question, field, each)
            value = ident if shape in ("choice", "multiple") else each.text
            yield f"{ident}_fb", value, each.said


def _shows(ident: str, value: str | None) -> ET.Element:
    condition = ET.Element("respcondition", {"continue": "Yes"})
    test = ET.SubElement(condition, "conditionvar")
    if value is None:
        ET.SubElement(test, "other")
    else:
        ET.SubElement(test, "varequal", {"respident": ONE}).text = value
    ET.SubElement(condition, "displayfeedback", {"feedbacktype": "Response", "linkrefid": ident})
    return condition
