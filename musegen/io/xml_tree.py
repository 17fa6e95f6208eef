"""XML texts as trees, read so that a hostile one costs nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from xml.parsers import expat

from musegen.errors import ScoreError
from musegen.io.limits import brief

__all__ = ["parse_xml"]

DEEPEST = 64  # elements within elements


def parse_xml(data: bytes | str, name: str) -> ET.Element:
    """The tree of an XML text.

    Entities are refused, nothing outside the text is looked up, and names keep their prefixes as
    they are written.

    Args:
        data: the text.
        name: how a refusal calls it.

    Raises:
        ScoreError: no well-formed XML, a declared entity, or elements nested too deep.
    """
    builder = ET.TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ScoreError(name, f"nests elements deeper than {DEEPEST}")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise ScoreError(name, "declares an entity; entities are not read")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last: an unknown encoding
        raise ScoreError(name, f"is no XML: {brief(error)}") from error
    return builder.close()
