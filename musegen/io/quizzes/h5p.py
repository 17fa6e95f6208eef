"""A bank as an H5P question set: contents only, the libraries are the host's.

The host must have installed the libraries of `LIBRARIES`, in these versions or later ones of the same
major number. H5P takes no files and gives no part of the points for one answer; a question has one
picture or one sound. Source: the semantics of H5P.QuestionSet, H5P.MultiChoice, H5P.Blanks and H5P.Essay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from tomllib import loads
from typing import Any
from uuid import UUID, uuid5

from musegen.io.quizzes.packing import zipped
from musegen.io.quizzes.question import Field, Media, Question, Quiz, Shape, html_text

__all__ = ["LIBRARIES", "write_h5p"]

LIBRARIES: Mapping[str, tuple[int, int]] = {  # the oldest versions with which a content works
    "H5P.QuestionSet": (1, 20),
    "H5P.MultiChoice": (1, 16),
    "H5P.Blanks": (1, 14),
    "H5P.Essay": (1, 5),
    "H5P.Image": (1, 1),
    "H5P.Audio": (1, 5),
}
SPACE = UUID("7b1f0c0e-6a4e-5d0b-9d0f-3c1f6f2f8a51")  # of ids that come from names
SIGNS = {"*": "&#42;", "/": "&#47;", ":": "&#58;"}  # of a blank, its alternatives and its hint
Params = dict[str, Any]


def write_h5p(quiz: Quiz) -> bytes:
    """The package as an archive."""
    files = {
        "h5p.json": _json(_head(quiz)),
        "content/content.json": _json(_content(quiz)),
    }
    media = [each for question in quiz.questions for each in question.media]
    return zipped(files | {f"content/{_place(each)}": each.data for each in media})


def _json(values: Params) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def _place(media: Media) -> str:
    return f"{'images' if media.kind == 'picture' else 'audios'}/{media.name}"


@cache
def _all_words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    text = (resources.files("musegen.io.quizzes") / "h5p_words.toml").read_text("utf-8")
    return loads(text)


def _words(lang: str, library: str) -> dict[str, str]:
    return dict(_all_words()[lang][library])


# --- the set --------------------------------------------------------------------------------


def _head(quiz: Quiz) -> Params:
    used = {"H5P.QuestionSet"} | {LIBRARY[question.shape] for question in quiz.questions}
    used |= {_library_of(each) for question in quiz.questions for each in question.media}
    dependencies = [
        {"machineName": name, "majorVersion": major, "minorVersion": minor}
        for name, (major, minor) in LIBRARIES.items()
        if name in used
    ]
    return {
        "title": quiz.title,
        "language": quiz.lang,
        "defaultLanguage": quiz.lang,
        "mainLibrary": "H5P.QuestionSet",
        "embedTypes": ["iframe"],
        "license": "U",
        "preloadedDependencies": dependencies,
    }


def _content(quiz: Quiz) -> Params:
    return {
        "introPage": {"showIntroPage": False},
        "progressType": "textual",
        "passPercentage": 50,
        "questions": [_question(question) for question in quiz.questions],
        "texts": _words(quiz.lang, "set"),
        "disableBackwardsNavigation": False,
        "randomQuestions": False,
        "endGame": {
            "showResultPage": True,
            "showSolutionButton": True,
            "showRetryButton": True,
            "overallFeedback": [{"from": 0, "to": 100}],
            "showAnimations": False,
            "skippable": False,
            **_words(quiz.lang, "end"),
        },
        "override": {"checkButton": True},
    }


def _library(name: str, ident: str, title: str, params: Params) -> Params:
    """A content of a library within another."""
    major, minor = LIBRARIES[name]
    return {
        "library": f"{name} {major}.{minor}",
        "params": params,
        "subContentId": str(uuid5(SPACE, f"{name} {ident}")),
        "metadata": {"contentType": name.removeprefix("H5P."), "license": "U", "title": title},
    }


def _question(question: Question) -> Params:
    library = LIBRARY[question.shape]
    title = f"{question.title} ({question.name})"
    params = {**_media(question), **PARAMS[library](question)}
    return _library(library, question.name, title, params)


def _library_of(media: Media) -> str:
    return "H5P.Image" if media.kind == "picture" else "H5P.Audio"


def _media(question: Question) -> Params:
    if not question.media:
        return {}
    media = question.media[0]
    file = {"path": _place(media), "mime": media.mime, "copyright": {"license": "U"}}
    params: Params
    if media.kind == "picture":
        size = {"width": 2 * media.width, "height": 2 * media.height}
        params = {"contentName": "Image", "alt": media.alt, "file": {**file, **size}}
    else:
        params = {
            "contentName": "Audio", "playerMode": "full", "fitToWrapper": False,
            "controls": True, "autoplay": False, "files": [file],
        }  # fmt: skip
    shown = _library(_library_of(media), media.name, media.alt, params)
    return {"media": {"type": shown, "disableImageZooming": False}}


def _feedback(question: Question) -> list[Params]:
    """The solution with its reasons, whatever the score."""
    said = {"feedback": question.why} if question.why else {}
    return [{"from": 0, "to": 100, **said}]


def _html(text: str) -> str:
    return f"<p>{html_text(text)}</p>"


# --- libraries of questions -----------------------------------------------------------------


def _multichoice(question: Question) -> Params:
    field = question.fields[0]
    answers = [
        {
            "text": _html(each.text),
            "correct": each.share == 1,
            "tipsAndFeedback": {
                "tip": "",
                "chosenFeedback": html_text(each.said),
                "notChosenFeedback": "",
            },
        }
        for each in field.answers
    ]
    return {
        "question": _html(question.stem),
        "answers": answers,
        "overallFeedback": _feedback(question),
        "UI": _words(question.lang, "multichoice"),
        "behaviour": {
            "enableRetry": True,
            "enableSolutionsButton": True,
            "enableCheckButton": True,
            "type": "single" if field.form == "choice" else "multi",
            "singlePoint": field.form == "choice",
            "randomAnswers": True,
            "showSolutionsRequiresInput": True,
            "passPercentage": 100,
            "showScorePoints": True,
        },
    }


def _blanks(question: Question) -> Params:
    """A line a field; hints stand at the first blank."""
    hint = "; ".join(" ".join(each.split()) for each in question.hints)
    rows = [_row(field, hint if place == 0 else "") for place, field in enumerate(question.fields)]
    return {
        "text": _html(question.stem),
        "questions": rows,
        "overallFeedback": _feedback(question),
        **_words(question.lang, "blanks"),
        "behaviour": {
            "enableRetry": True,
            "enableSolutionsButton": True,
            "enableCheckButton": True,
            "caseSensitive": any(field.case for field in question.fields),
            "showSolutionsRequiresInput": True,
            "separateLines": False,
            "acceptSpellingErrors": False,
        },
    }


def _row(field: Field, hint: str) -> str:
    options = ", ".join(each.text for each in field.answers) if field.form == "choice" else ""
    label = f"{field.label} ({options})" if options else field.label
    ways = "/".join(_signless(each.text) for each in field.right)
    return f"<p>{_signless(label)}: *{ways}{f':{_signless(hint)}' if hint else ''}*</p>"


def _signless(text: str) -> str:
    """A text as HTML in which nothing is a sign of a blank."""
    return "".join(SIGNS.get(sign, sign) for sign in html_text(text).replace("<br/>", " "))


def _essay(question: Question) -> Params:
    """A text that the student compares with a model: its key words are not counted."""
    notes = "\n\n".join(each for each in (question.model, question.marking) if each)
    options = {
        "points": 0, "occurrences": 1, "caseSensitive": False, "forgiveMistakes": False,
        "feedbackIncludedWord": "none", "feedbackMissedWord": "none",
    }  # fmt: skip
    return {
        "taskDescription": _html(question.stem),
        "solution": {"introduction": _html(question.why), "sample": _html(notes)},
        "keywords": [{"keyword": "*", "options": options}],
        "overallFeedback": [{"from": 0, "to": 100}],
        "behaviour": {
            "inputFieldSize": "10", "enableRetry": True, "ignoreScoring": True, "pointsHost": 1,
            "linebreakReplacement": " ",
        },
        **_words(question.lang, "essay"),
    }  # fmt: skip


LIBRARY: Mapping[Shape, str] = {
    "choice": "H5P.MultiChoice",
    "multiple": "H5P.MultiChoice",
    "text": "H5P.Blanks",
    "number": "H5P.Blanks",
    "match": "H5P.Blanks",
    "gaps": "H5P.Blanks",
    "essay": "H5P.Essay",
}
PARAMS: Mapping[str, Callable[[Question], Params]] = {
    "H5P.MultiChoice": _multichoice,
    "H5P.Blanks": _blanks,
    "H5P.Essay": _essay,
}
