"""A bank as an IMS QTI 2.1 package: a file an item, a test that holds them all, a manifest, media.

Points are mapped from each answer, so that part of them can be earned; what is said to an answer is modal
feedback. QTI 2.1 has no hints that systems agree on: they stand, for tutors only, in a rubric block, as do
marking and model answer for scorers. Source: IMS Question and Test Interoperability 2.1 (2012).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from musegen.io.quizzes.moodle import option_shares
from musegen.io.quizzes.packing import XML, decimal, number_of, zipped
from musegen.io.quizzes.question import Answer, Field, FieldForm, Media, MediaKind, Question, Quiz

__all__ = ["write_qti21"]

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
SCORE, FEEDBACK, SOLUTION = "SCORE", "FEEDBACK", "solution"
TYPES: Mapping[FieldForm, tuple[str, str]] = {  # cardinality and type of the response
    "choice": ("single", "identifier"),
    "multiple": ("multiple", "identifier"),
    "text": ("single", "string"),
    "number": ("single", "float"),
    "essay": ("single", "string"),
    "upload": ("single", "file"),
}
LONGEST = 40  # letters of a field to type in


def write_qti21(quiz: Quiz) -> bytes:
    """The package as an archive."""
    files = {"imsmanifest.xml": _xml(_manifest(quiz)), "test.xml": _xml(_test(quiz))}
    for question in quiz.questions:
        files[_place(question)] = _xml(_item(question))
    media = {f"media/{each.name}": each.data for q in quiz.questions for each in q.files}
    return zipped(files | media)


def _xml(root: ET.Element) -> bytes:
    return f"{XML}{ET.tostring(root, encoding='unicode')}\n".encode()


def _place(question: Question) -> str:
    return f"items/{question.name}.xml"


# --- manifest and test ----------------------------------------------------------------------


def _manifest(quiz: Quiz) -> ET.Element:
    root = ET.Element(
        "manifest", {"xmlns": PACKAGE, "identifier": f"musegen-{number_of(quiz.title)}"}
    )
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text = "QTIv2.1 Package"
    ET.SubElement(metadata, "schemaversion").text = "1.0.0"
    ET.SubElement(root, "organizations")
    resources = ET.SubElement(root, "resources")
    test = _resource(resources, "test", "imsqti_test_xmlv2p1", "test.xml", ())
    for question in quiz.questions:
        ET.SubElement(test, "dependency", {"identifierref": question.name})
        _resource(resources, question.name, "imsqti_item_xmlv2p1", _place(question), question.files)
    return root


def _resource(
    parent: ET.Element, name: str, kind: str, place: str, media: tuple[Media, ...]
) -> ET.Element:
    resource = ET.SubElement(parent, "resource", {"identifier": name, "type": kind, "href": place})
    ET.SubElement(resource, "file", {"href": place})
    for each in media:
        ET.SubElement(resource, "file", {"href": f"media/{each.name}"})
    return resource


def _test(quiz: Quiz) -> ET.Element:
    head = {"xmlns": QTI, "identifier": "test", "title": quiz.title}
    root = ET.Element("assessmentTest", head)
    modes = {"identifier": "part", "navigationMode": "nonlinear", "submissionMode": "individual"}
    part = ET.SubElement(root, "testPart", modes)
    values = {"identifier": "section", "title": quiz.title, "visible": "true"}
    section = ET.SubElement(part, "assessmentSection", values)
    for question in quiz.questions:
        place = {"identifier": question.name, "href": _place(question)}
        ET.SubElement(section, "assessmentItemRef", place)
    return root


# --- an item --------------------------------------------------------------------------------


def _item(question: Question) -> ET.Element:
    head = {
        "xmlns": QTI,
        "identifier": question.name,
        "title": question.title,
        "adaptive": "false",
        "timeDependent": "false",
        "xml:lang": question.lang,
    }
    root = ET.Element("assessmentItem", head)
    for field in question.fields:
        _declare_response(root, field)
    _declare_outcome(root, SCORE, "float", "0")
    _declare_outcome(root, "MAXSCORE", "float", decimal(question.points))
    multiple = {"identifier": FEEDBACK, "cardinality": "multiple", "baseType": "identifier"}
    ET.SubElement(root, "outcomeDeclaration", multiple)
    _body(root, question)
    _processing(root, question)
    for name, _, answer in _said(question):
        _modal(root, name, answer.said)
    if question.why or question.shown:
        modal = _modal(root, SOLUTION, question.why)
        _show(modal, question.shown)
    return root


def _option(place: int) -> str:
    return f"o{place + 1}"


def _values(field: Field) -> Iterator[tuple[str, Answer, Fraction]]:
    """Answers as the response has them, with their points."""
    for place, (answer, share) in enumerate(zip(field.answers, option_shares(field), strict=True)):
        value = _option(place) if TYPES[field.form][1] == "identifier" else answer.text
        yield value, answer, share * field.points


def _declare_response(root: ET.Element, field: Field) -> None:
    cardinality, kind = TYPES[field.form]
    head = {"identifier": field.id, "cardinality": cardinality, "baseType": kind}
    response = ET.SubElement(root, "responseDeclaration", head)
    if not field.answers:
        return
    right = [value for value, answer, _ in _values(field) if answer.share == 1]
    correct = ET.SubElement(response, "correctResponse")
    for value in right if field.form == "multiple" else right[:1]:
        ET.SubElement(correct, "value").text = value
    bounds = {"lowerBound": "0", "upperBound": decimal(field.points), "defaultValue": "0"}
    mapping = ET.SubElement(response, "mapping", bounds)
    for value, _, points in _values(field):
        entry = {"mapKey": value, "mappedValue": decimal(points)}
        if kind == "string":
            entry["caseSensitive"] = str(field.case).lower()
        ET.SubElement(mapping, "mapEntry", entry)


def _declare_outcome(root: ET.Element, name: str, kind: str, value: str) -> None:
    head = {"identifier": name, "cardinality": "single", "baseType": kind}
    outcome = ET.SubElement(root, "outcomeDeclaration", head)
    ET.SubElement(ET.SubElement(outcome, "defaultValue"), "value").text = value


# --- what is shown --------------------------------------------------------------------------


def _body(root: ET.Element, question: Question) -> None:
    body = ET.SubElement(root, "itemBody")
    _paragraph(body, question.stem)
    _show(body, question.media)
    for field in question.fields:
        INTERACTIONS[field.form](body, field, question)
    judged = question.shape in ("essay", "upload")
    for text in (question.given, question.marking, question.model) if judged else ():
        if text:
            _paragraph(ET.SubElement(body, "rubricBlock", {"view": "scorer"}), text)
    for hint in question.hints:
        _paragraph(ET.SubElement(body, "rubricBlock", {"view": "tutor"}), hint)


def _show(parent: ET.Element, media: tuple[Media, ...]) -> None:
    for each in media:
        MEDIA[each.kind](ET.SubElement(parent, "p"), each, f"../media/{each.name}")


def _paragraph(parent: ET.Element, text: str) -> ET.Element:
    """A paragraph, its lines kept."""
    paragraph = ET.SubElement(parent, "p")
    first, *others = text.splitlines() or [""]
    paragraph.text = first
    for line in others:
        ET.SubElement(paragraph, "br").tail = line
    return paragraph


def _picture(parent: ET.Element, media: Media, url: str) -> None:
    size = {"width": str(media.width), "height": str(media.height)} if media.width else {}
    ET.SubElement(parent, "img", {"src": url, "alt": media.alt, **size})


def _sound(parent: ET.Element, media: Media, url: str) -> None:
    ET.SubElement(parent, "object", {"data": url, "type": media.mime}).text = media.alt


def _file(parent: ET.Element, media: Media, url: str) -> None:
    ET.SubElement(parent, "a", {"href": url}).text = media.alt


MEDIA: Mapping[MediaKind, Callable[[ET.Element, Media, str], None]] = {
    "picture": _picture,
    "sound": _sound,
    "file": _file,
}


def _choices(body: ET.Element, field: Field, question: Question) -> None:
    """Options one under the other; in a row of places they open at their place."""
    name = {"responseIdentifier": field.id}
    if len(question.fields) > 1 and field.form == "choice":
        paragraph = _paragraph(body, f"{field.label}: ")
        inline = ET.SubElement(paragraph, "inlineChoiceInteraction", {**name, "shuffle": "false"})
        for place, answer in enumerate(field.answers):
            ET.SubElement(inline, "inlineChoice", {"identifier": _option(place)}).text = answer.text
        return
    most = "1" if field.form == "choice" else "0"
    values = {**name, "shuffle": "true", "maxChoices": most}
    interaction = ET.SubElement(body, "choiceInteraction", values)
    ET.SubElement(interaction, "prompt").text = field.label
    for place, answer in enumerate(field.answers):
        option = ET.SubElement(interaction, "simpleChoice", {"identifier": _option(place)})
        option.text = answer.text


def _entry(body: ET.Element, field: Field, _: Question) -> None:
    values = {"responseIdentifier": field.id, "expectedLength": str(LONGEST)}
    ET.SubElement(_paragraph(body, f"{field.label}: "), "textEntryInteraction", values)


def _long_text(body: ET.Element, field: Field, _: Question) -> None:
    values = {"responseIdentifier": field.id, "expectedLines": "10"}
    _prompted(body, "extendedTextInteraction", values, field)


def _upload(body: ET.Element, field: Field, _: Question) -> None:
    _prompted(body, "uploadInteraction", {"responseIdentifier": field.id}, field)


def _prompted(body: ET.Element, tag: str, values: dict[str, str], field: Field) -> None:
    ET.SubElement(ET.SubElement(body, tag, values), "prompt").text = field.label


INTERACTIONS: Mapping[FieldForm, Callable[[ET.Element, Field, Question], None]] = {
    "choice": _choices,
    "multiple": _choices,
    "text": _entry,
    "number": _entry,
    "essay": _long_text,
    "upload": _upload,
}


# --- what becomes of an answer --------------------------------------------------------------


def _said(question: Question) -> Iterator[tuple[str, Field, Answer]]:
    """Answers that something is said to, each with the name of that feedback."""
    for field in question.fields:
        for place, answer in enumerate(field.answers):
            if answer.said:
                yield f"{field.id}-{_option(place)}", field, answer


def _processing(root: ET.Element, question: Question) -> None:
    processing = ET.SubElement(root, "responseProcessing")
    marked = [field for field in question.fields if field.answers]
    if marked:
        outcome = ET.SubElement(processing, "setOutcomeValue", {"identifier": SCORE})
        total = ET.SubElement(outcome, "sum")
        for field in marked:
            ET.SubElement(total, "mapResponse", {"identifier": field.id})
    for name, field, answer in _said(question):
        condition = ET.SubElement(processing, "responseCondition")
        test = ET.SubElement(condition, "responseIf")
        _compare(test, field, answer)
        _add_feedback(test, name)
    if question.why or question.shown:
        _add_feedback(processing, SOLUTION)


def _compare(parent: ET.Element, field: Field, answer: Answer) -> None:
    """Whether the response is an answer, as the type of the response is compared."""
    kind = TYPES[field.form][1]
    value = answer.text
    attributes: dict[str, str] = {}
    tag = {"identifier": "match", "string": "stringMatch", "float": "equal"}[kind]
    if kind == "identifier":
        value = _option(field.answers.index(answer))
        tag = "member" if field.form == "multiple" else tag
    elif kind == "string":
        attributes = {"caseSensitive": str(field.case).lower()}
    else:
        attributes = {"toleranceMode": "exact"}
    found = ET.SubElement(parent, tag, attributes)
    base = ET.Element("baseValue", {"baseType": kind})
    base.text = value
    variable = ET.Element("variable", {"identifier": field.id})
    found.extend([base, variable] if tag == "member" else [variable, base])


def _add_feedback(parent: ET.Element, name: str) -> None:
    outcome = ET.SubElement(parent, "setOutcomeValue", {"identifier": FEEDBACK})
    both = ET.SubElement(outcome, "multiple")
    ET.SubElement(both, "variable", {"identifier": FEEDBACK})
    ET.SubElement(both, "baseValue", {"baseType": "identifier"}).text = name


def _modal(root: ET.Element, name: str, text: str) -> ET.Element:
    head = {"outcomeIdentifier": FEEDBACK, "identifier": name, "showHide": "show"}
    modal = ET.SubElement(root, "modalFeedback", head)
    _paragraph(modal, text)
    return modal
