"""What of a MusicXML file is not read but taken out of it, each with a remark."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from musegen.errors import ScoreError
from musegen.io.limits import brief

__all__ = ["take_out_ornaments", "take_out_percussion"]

PITCHED = "measure/note/pitch"
ORNAMENTS: Mapping[str, str] = {  # refused, or left out with a remark
    "grace": "a grace note; take it out or write it with its length",
    "cue": "a cue note; take it out",
}


def take_out_percussion(root: ET.Element) -> list[str]:
    """Take out the parts without any pitch, unless there is no other; a remark for each."""
    unpitched = [part for part in root.findall("part") if _is_unpitched(part)]
    if len(unpitched) == len(root.findall("part")):
        return []
    listed = {each.get("id"): each for each in root.iterfind("part-list[1]/score-part")}
    remarks = []
    for part in unpitched:
        root.remove(part)
        entry = listed.get(part.get("id"))
        name = "" if entry is None else brief(entry.findtext("part-name", ""), 40)
        remarks.append(f"{name or 'a part'}: percussion left out")
        if entry is not None:
            root.findall("part-list")[0].remove(entry)
    return remarks


def _is_unpitched(part: ET.Element) -> bool:
    return part.find("measure/note/unpitched") is not None and part.find(PITCHED) is None


def take_out_ornaments(measure: ET.Element, where: str, remarks: list[str] | None) -> None:
    """Refuse grace and cue notes, or take them out where remarks are kept."""
    for note in measure.findall("note"):
        problem = next(
            (text for tag, text in ORNAMENTS.items() if note.find(tag) is not None), None
        )
        if problem is None:
            continue
        if remarks is None:
            raise ScoreError(where, problem)
        remarks.append(f"{where.rpartition(', ')[2]}: {problem.partition(';')[0]} left out")
        measure.remove(note)
        if note.find("cue") is not None and note.find("chord") is None:
            silence = ET.Element("forward")
            ET.SubElement(silence, "duration").text = note.findtext("duration", "0")
            measure.append(silence)
