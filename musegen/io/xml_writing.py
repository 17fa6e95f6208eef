"""Elements of XML that is written: what XML cannot hold is left out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

__all__ = ["UNWRITABLE", "add_element"]

UNWRITABLE = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")  # XML 1.0, 2.2


def add_element(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    """A child element; what XML cannot hold is left out of its text."""
    child = ET.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = UNWRITABLE.sub("", str(text))
    return child
