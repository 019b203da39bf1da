"""XMP packets, embedded in a picture or in a sidecar file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defusedxml import ElementTree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
_TIMES = {  # the best first
    "DateTimeOriginal": "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal",
    "DateCreated": "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "CreateDate": "{http://ns.adobe.com/xap/1.0/}CreateDate",
}


@dataclass(frozen=True, slots=True)
class Xmp:
    """A packet's ``dc:description``, and its times as (name, value), the best first."""

    description: str = ""
    times: tuple[tuple[str, str], ...] = ()


def parse_xmp(packet: bytes) -> Xmp:
    """Read a packet; entities and external references are refused.

    Raises
    ------
    ValueError
        It is no well-formed XML, or not safe to read.
    """
    packet = packet.strip(b"\0 \t\r\n")
    if not packet:
        return Xmp()
    try:
        root: Element = ElementTree.fromstring(packet)
    except (SyntaxError, LookupError, RecursionError) as error:
        raise ValueError(f"XMP is no well-formed XML ({error})") from error
    blocks = list(root.iter(f"{_RDF}Description"))
    times = ((name, _value(blocks, key)) for name, key in _TIMES.items())
    return Xmp(_value(blocks, _DESCRIPTION), tuple((name, value) for name, value in times if value))


def _value(blocks: list[Element], key: str) -> str:
    """Give the first text of a property: an attribute, an element, or its default language."""
    for block in blocks:
        child = block.find(key)
        if child is None:
            texts = [block.get(key)]
        else:
            items = sorted(
                child.iter(f"{_RDF}li"), key=lambda item: item.get(_LANGUAGE) != "x-default"
            )
            texts = [item.text for item in items or [child]]
        for text in texts:
            if text and text.strip():
                return text
    return ""
