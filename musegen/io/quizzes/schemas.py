"""Checking of packages against the schemas of their formats, where somebody has them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from musegen.errors import OptionError, StoredFileError

__all__ = ["SCHEMAS", "schema_faults"]

SCHEMAS: Mapping[str, str] = {  # names of schema files by the namespace of a root
    "http://www.imsglobal.org/xsd/imsqti_v2p1": "imsqti_v2p1.xsd",
    "http://www.imsglobal.org/xsd/imscp_v1p1": "imscp_v1p1.xsd",
    "http://www.imsglobal.org/xsd/ims_qtiasiv1p2": "ccv1p1_qtiasiv1p2p1_v1p0.xsd",
    "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1": "ccv1p1_imscp_v1p2_v1p0.xsd",
}


def schema_faults(package: bytes, folder: Path) -> list[str]:
    """What is wrong with the XML files of a package, one a line: file, line and fault.

    Args:
        package: an archive.
        folder: holds the schema files, at any depth, with what they import; nothing is downloaded.

    Raises:
        OptionError: the folder lacks a schema, or lxml is not installed.
        StoredFileError: a schema that cannot be read.
    """
    etree = _etree()
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    found: list[str] = []
    schemas: dict[str, Any] = {}
    with zipfile.ZipFile(BytesIO(package)) as archive:
        for name in archive.namelist():
            if not name.endswith(".xml"):
                continue
            root = etree.fromstring(archive.read(name), parser)
            space = etree.QName(root).namespace or ""
            if space not in SCHEMAS:
                continue
            if space not in schemas:
                schemas[space] = _schema(etree, parser, folder, SCHEMAS[space])
            schemas[space].validate(root)
            found += [f"{name}, line {e.line}: {e.message}" for e in schemas[space].error_log]
    return found


def _etree() -> Any:
    try:
        from lxml import etree
    except ImportError:
        raise OptionError("--schemas", "given", "left out where lxml is not installed") from None
    return etree


def _schema(etree: Any, parser: Any, folder: Path, name: str) -> Any:
    paths = sorted(folder.rglob(name))
    if not paths:
        raise OptionError("--schemas", str(folder), f"a folder that holds {name}")
    try:
        return etree.XMLSchema(etree.parse(str(paths[0]), parser))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
        raise StoredFileError(paths[0], f"is no schema: {' '.join(str(error).split())}") from None
